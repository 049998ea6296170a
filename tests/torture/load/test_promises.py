"""A sample of all that is promised of a server under load; the whole is `make torture ROOMS=load`.

Where others have the machine, what is about its pace says nothing of a server and is not looked at: all
the rest has to be kept there too.
"""

import os
from pathlib import Path

import pytest
from tests.torture.guarded import claim, claims
from tests.torture.load import promises, unwhole
from tests.torture.promise import Promise

SEED = int(os.environ.get("SEED") or 20_261_127)


@pytest.fixture(scope="module")
def models():
    return promises.models()


@pytest.fixture
def size(quiet):
    return promises.SAMPLE if quiet else promises.BUSY


def kept(found, *, quiet=True):
    """Look at all of them, so that one that is broken hides no other."""
    found = [*found]
    assert {claim(promise.name) for promise in found} <= claims(Path(__file__).parent)
    due = [promise for promise in found if quiet or not promise.pace]
    assert due
    assert not [promise.line(0) for promise in due if not promise.kept]


@pytest.mark.timeout(1200)
def test_it_judges_all_at_seventy_percent_and_sheds_what_is_too_much(models, size, quiet):
    sorts = [promises.REVIEWS, promises.SIXTEENS]
    kept(promises.heard(models[0], sorts, size, size.steady, SEED, full=False), quiet=quiet)


@pytest.mark.timeout(600)
def test_it_writes_all_at_seventy_percent_and_sheds_what_is_too_much(models, size, quiet):
    found = promises.heard(models[1], [promises.STREAMS], size, size.steadily, SEED, full=False)
    kept(found, quiet=quiet)


def test_it_keeps_nothing_of_what_it_was_sent(models):
    kept(promises.remembered(*models, promises.SAMPLE, SEED))


@pytest.mark.timeout(600)
def test_it_lets_nobody_hold_it_up(models, size, quiet):
    kept(promises.slowed(*models, size, SEED), quiet=quiet)


@pytest.mark.timeout(600)
def test_it_ends_in_order_and_is_never_well_when_it_is_not(models):
    kept(promises.ended(*models, promises.SAMPLE, SEED))


def test_twenty_models_are_not_whole_each_in_its_own_way(models, tmp_path):
    names = [name for name, _ in unwhole.models(models[0], tmp_path)]
    assert len(names) == len(set(names)) == 20


def test_a_figure_may_be_tried_again_and_what_is_wrong_may_not():
    slow, quick = Promise("p99", 1, 0, pace=True), Promise("p99", 1, 1, pace=True)
    wrong, right = Promise("nothing wrong", 9, 8, "500: 1"), Promise("nothing wrong", 9, 9)
    tries = iter(([slow, wrong], [quick, right]))
    assert promises.best(lambda: next(tries), 3) == [quick, wrong]
    tries = iter(([slow, right], [quick, right]))
    assert promises.best(lambda: next(tries), 3) == [quick, right]
    assert promises.best(lambda: iter([slow, right]), 3) == [slow, right]


def test_a_busy_machine_excuses_a_figure_and_nothing_else():
    slow, wrong = Promise("p99", 1, 0, pace=True), Promise("nothing wrong", 9, 8)
    right = Promise("nothing wrong", 9, 9)
    kept([slow, right], quiet=False)
    for found, quiet in (([slow, right], True), ([slow, wrong], False), ([slow], False)):
        with pytest.raises(AssertionError):
            kept(found, quiet=quiet)
