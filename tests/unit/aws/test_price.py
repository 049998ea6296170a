"""Cents are told before they are spent, honestly: never nothing for something, never a guess."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.aws import price
from marfa.aws.names import Names
from marfa.aws.template import function
from marfa.settings import CloudSettings

LAMBDA = CloudSettings()
SERVERLESS = CloudSettings(target="serverless")
ENDPOINT = CloudSettings(target="endpoint")
AMOUNTS = st.decimals("0.000000001", "99999", allow_nan=False, places=12)


def value(shown):
    return Decimal(shown.removeprefix("$").replace(",", ""))


@given(AMOUNTS)
def test_no_amount_is_told_as_nothing_or_far_from_what_it_is(amount):
    assert abs(value(price.money(amount)) - amount) <= amount * Decimal("0.006")


@given(AMOUNTS)
def test_what_is_promised_as_the_most_is_never_less(amount):
    assert amount <= value(price.money(amount, up=True)) <= amount * Decimal("1.011")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "$0"), ("0.999999", "$1.00"), ("1234.5", "$1,234.50"), ("0.056", "$0.056")],
)
def test_money_reads_as_people_write_it(amount, shown):
    assert price.money(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("settings", "dollars"),
    [
        (CloudSettings(memory=1024), "1.87"),
        (CloudSettings(memory=1024, architecture="x86_64"), "2.03"),
    ],
)
def test_a_million_reviews_cost_what_the_tables_say(settings, dollars):
    million = price.estimate(settings, "classifier").thousand * 1000
    assert million.quantize(Decimal("0.01")) == Decimal(dollars)


@pytest.mark.parametrize(("memory", "dollars"), [(2048, "5.47"), (1024, "3.47")])
def test_a_serverless_endpoint_costs_what_the_tables_say(memory, dollars):
    settings = CloudSettings(target="serverless", serverless_memory=memory)
    million = price.answered(settings, 10**6, 80 * 10**6, 100 * 10**6)
    assert million.quantize(Decimal("0.01")) == Decimal(dollars)


def test_writing_costs_more_than_judging():
    for settings in (LAMBDA, SERVERLESS, ENDPOINT):
        costs = [price.estimate(settings, task).thousand for task in ("classifier", "generator")]
        assert costs[0] < costs[1]


@pytest.mark.parametrize("settings", [LAMBDA, SERVERLESS])
def test_what_answers_only_when_asked_costs_nothing_while_idle(settings):
    found = price.estimate(settings, "classifier")
    assert (found.hourly, found.monthly) == (0, 0)
    assert "while nobody asks: $0 an hour" in found.lines()
    assert found.document()["lease_total"] is None


@pytest.mark.parametrize(
    ("instance_type", "monthly"), [("ml.t2.medium", "40.88"), ("ml.m5.large", "83.95")]
)
def test_an_endpoint_costs_by_the_hour_and_until_its_lease_ends(instance_type, monthly):
    settings = CloudSettings(target="endpoint", instance_type=instance_type)
    found = price.estimate(settings, "classifier", timedelta(hours=2), "us-east-1")
    assert found.monthly == Decimal(monthly)
    assert found.total == found.hourly * 2
    total = price.money(found.total, up=True)
    assert f"until the lease ends: about {total}, requests apart" in found.lines()[1]
    assert found.document()["monthly"] == float(monthly)


def test_a_price_that_is_not_known_is_said_and_not_guessed():
    settings = CloudSettings(target="endpoint", instance_type="ml.p5.48xlarge")
    found = price.estimate(settings, "classifier", timedelta(hours=2))
    assert (found.hourly, found.monthly, found.total) == (None, None, None)
    assert "ml.p5.48xlarge is paid by the hour, and its price is not known" in found.lines()[0]
    assert not any("until the lease ends" in line for line in found.lines())
    assert found.document()["hourly"] is None
    assert price.ran("ml.p5.48xlarge", timedelta(hours=1)) is None


def test_prices_of_another_region_are_said_to_be_another_regions():
    away = CloudSettings(region="eu-west-1")
    assert "those of eu-west-1 may differ" in price.estimate(away, "classifier").lines()[-1]
    assert not price.estimate(away, "classifier").document()["prices_of"]["exact"]
    home = price.estimate(away, "classifier", region="us-east-1")
    assert "differ" not in home.lines()[-1]
    assert home.document()["prices_of"]["exact"]


def test_what_was_used_is_reckoned_from_time_and_from_requests():
    assert price.ran("ml.m5.large", timedelta(hours=24)) == Decimal("2.76")
    assert price.answered(LAMBDA, 0, 0.0) == 0
    assert price.answered(ENDPOINT, 1000, 0.0) == Decimal("0.0012")
    same = price.estimate(LAMBDA, "classifier").thousand
    assert price.answered(LAMBDA, 1000, 50_000.0) == same
    known, unknown = (price.answered(SERVERLESS, 10, 1000.0, ms) for ms in (700.0, None))
    assert known < unknown


def test_an_estimate_can_be_written_as_json():
    for settings in (LAMBDA, SERVERLESS, ENDPOINT):
        json.dumps(price.estimate(settings, "generator", timedelta(hours=1)).document())


def test_the_function_before_an_endpoint_is_reckoned_as_large_as_it_is_made():
    names = Names("soup", "us-east-1", "123456789012")
    made = function.forwarding(names, ENDPOINT, "b", "k", 0, {})["Function"]["Properties"]
    asked = price.answered(ENDPOINT, 0, 1024 * 1000)
    assert asked == made["MemorySize"] * price.LAMBDA_GB_SECOND["arm64"]
