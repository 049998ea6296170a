"""A sample of all that is promised of `marfa score`, and the bugs that each promise is there for."""

import pytest
from tests.torture.score import promises

SEED = 20_261_127


@pytest.fixture(scope="module")
def model():
    return promises.model()


@pytest.mark.timeout(900)
def test_it_ends_with_the_same_bytes_whatever_ended_it(model):
    found = [*promises.of(model, promises.SAMPLE, SEED)]
    assert not [promise.line(0) for promise in found if not promise.kept]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("bug", "size", "broken"),
    [
        ("twice", promises.Size(3, 0, 0), 0),
        ("late", promises.Size(3, 0, 0), 0),
        ("alone", promises.Size(0, 0, 2), 2),
    ],
)
def test_a_planted_bug_breaks_its_promise(model, bug, size, broken):
    found = [*promises.of(model, size, SEED, bug)]
    assert not found[broken].kept
    assert found[broken].injected
