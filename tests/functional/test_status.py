"""status: what is up, until when, what it has cost, and what it costs an hour."""

import json

import pytest
from tests.cloud.aws import ACCOUNT, REGION
from tests.cloud.deploying import account, bed, put, world
from tests.cloud.lookalikes import lookalikes
from tests.cloud.recorder import Recorder

from marfa.aws.names import Names
from marfa.errors import GoneError, SettingsError
from marfa.stages.destroy import destroy
from marfa.stages.status import status

__all__ = ["account", "bed", "put", "world"]


def test_an_empty_region_is_empty(bed):
    assert status(cloud=bed.cloud()) == {"region": REGION, "deployments": []}


def test_all_of_a_region_or_one(bed, put, model_path):
    put(model_path)
    put(model_path, deployment="stew", target="serverless")
    found = status(cloud=bed.cloud())["deployments"]
    assert [(one["deployment"], one["target"]) for one in found] == [
        ("soup", "lambda"), ("stew", "serverless"),
    ]  # fmt: skip
    (one,) = status("stew", cloud=bed.cloud())["deployments"]
    assert one == found[1]
    assert all(each["checked"] for each in found)
    json.dumps(found)


def test_an_endpoint_says_what_it_costs_and_until_when(bed, put, model_path):
    result = put(model_path, target="endpoint", instance_type="ml.m5.large")
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert one["hourly"] == 0.115
    assert one["lease_end"] == result["lease_end"]
    assert any(line.startswith("lease: ") and " h" in line for line in one["told"])


def test_a_machine_without_a_known_price_is_not_guessed(bed, put, model_path):
    put(model_path, target="endpoint", instance_type="ml.c5.xlarge")
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert one["hourly"] is one["cost"] is None
    assert any("not known" in line for line in one["told"])


def test_requests_are_counted(bed, put, model_path):
    put(model_path)
    bed.session().client("cloudwatch").put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": "FunctionName", "Value": "marfa-soup"}],
                "Timestamp": bed.clock(),
                "Value": value,
            }
            for name, value in (("Invocations", 1000.0), ("Duration", 50_000.0))
        ],
    )
    bed.clock.sleep(60)
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert one["requests"] == 1000
    assert 0.0012 < one["cost"] < 0.0030


def test_others_are_not_counted_in(bed, put, model_path):
    lookalikes(bed.session(), Names("soup", REGION, ACCOUNT))
    before = [one["deployment"] for one in status(cloud=bed.cloud())["deployments"]]
    assert "soup" not in before
    put(model_path)
    after = [one["deployment"] for one in status(cloud=bed.cloud())["deployments"]]
    assert sorted([*before, "soup"]) == after


def test_looking_changes_nothing(bed, put, model_path):
    put(model_path, target="endpoint")
    session = bed.session()
    recorder = Recorder(session)
    status(cloud=bed.cloud(session))
    assert {call.operation.split("_")[0] for call in recorder.calls} <= {
        "get", "describe", "head", "list",
    }  # fmt: skip


def test_what_the_lease_has_ended_says_so(bed, put, model_path):
    put(model_path, target="endpoint", lease="15m")
    bed.clock.sleep(17 * 60)
    bed.lapse()
    bed.settle()
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert one["state"] == "not live"
    assert "marfa destroy soup" in one["told"][0]


def test_a_name_that_is_not_there(bed, put, model_path):
    put(model_path)
    destroy("soup", cloud=bed.cloud())
    with pytest.raises(GoneError, match="no deployment named 'soup'"):
        status("soup", cloud=bed.cloud())
    with pytest.raises(SettingsError):
        status("SOUP", cloud=bed.cloud())
