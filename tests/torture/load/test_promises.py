"""A sample of all that is promised of a server under load; the whole is `make torture ROOMS=load`."""

from pathlib import Path

import pytest
from tests.torture.guarded import claim, claims
from tests.torture.load import promises, unwhole

SEED = 20_261_127


@pytest.fixture(scope="module")
def models():
    return promises.models()


def kept(found):
    """Look at all of them, so that one that is broken hides no other."""
    found = [*found]
    assert found
    assert {claim(promise.name) for promise in found} <= claims(Path(__file__).parent)
    assert not [promise.line(0) for promise in found if not promise.kept]


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("quiet_machine")
def test_it_answers_all_at_seventy_percent_and_sheds_what_is_too_much(models):
    kept(promises.heard(models[0], promises.SAMPLE, SEED, full=False))


def test_it_keeps_nothing_of_what_it_was_sent(models):
    kept(promises.remembered(*models, promises.SAMPLE, SEED))


@pytest.mark.usefixtures("quiet_machine")
def test_it_lets_nobody_hold_it_up(models):
    kept(promises.slowed(models[0], promises.SAMPLE, SEED))


def test_it_ends_in_order_and_is_never_well_when_it_is_not(models):
    kept(promises.ended(*models, promises.SAMPLE, SEED))


def test_twenty_models_are_not_whole_each_in_its_own_way(models, tmp_path):
    names = [name for name, _ in unwhole.models(models[0], tmp_path)]
    assert len(names) == len(set(names)) == 20
