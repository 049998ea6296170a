"""A sample of all that is promised of `marfa score`, and the bugs that each promise is there for."""

import os
from pathlib import Path

import pytest
from tests.torture.guarded import claim, claims
from tests.torture.score import planted, promises

SEED = int(os.environ.get("SEED") or 20_261_127)
SAME_BYTES = "score ends with the same bytes after kill -9"
KILLED = promises.Size(3, 0, 0)
SEEN = {
    "twice": (KILLED, SAME_BYTES),
    "late": (KILLED, SAME_BYTES),
    "deaf": (promises.Size(0, 2, 0), "and after SIGTERM, which it exits 143 for"),
    "alone": (promises.Size(0, 0, 2), "and when a process that judges is killed"),
}


@pytest.fixture(scope="module")
def model():
    return promises.model()


@pytest.mark.timeout(900)
def test_it_ends_with_the_same_bytes_whatever_ended_it(model):
    found = [*promises.of(model, promises.SAMPLE, SEED)]
    assert not [promise.line(0) for promise in found if not promise.kept]
    assert {claim(promise.name) for promise in found} == claims(Path(__file__).parent)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("bug", SEEN)
def test_a_planted_bug_breaks_its_promise(model, bug):
    size, name = SEEN[bug]
    (found,) = [each for each in promises.of(model, size, 20_261_127, bug) if each.name == name]
    assert not found.kept
    assert found.injected


def test_every_promise_has_its_bug_and_every_bug_its_promise():
    assert {claim(name) for _, name in SEEN.values()} == claims(Path(__file__).parent)
    assert {"none", *SEEN} == set(planted.BUGS)
