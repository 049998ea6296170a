"""Thresholds of what is declined: chosen where the promise is kept, and not guessed from few texts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.evaluation import refusal
from marfa.text.vocab import RARE

WORDS = 40


def split(count, unknown=0):
    """Texts of as many words, of which the first so many are unknown."""
    ids = np.full((count, WORDS), RARE + 1)
    ids[:, :unknown] = RARE
    return list(ids), np.arange(count) % 2


def right_from(least):
    """A network that is right where at least this share of the words is known, else says 0."""

    def judge(texts):
        known_N = np.array([(ids > RARE).mean() for ids in texts])
        said_N = np.where(known_N >= least, np.arange(len(texts)) % 2, 0)
        return np.eye(2)[said_N]

    return judge


@pytest.mark.parametrize("share", refusal.SHARES)
def test_the_first_share_at_which_the_promise_is_kept_is_chosen(share):
    found = refusal.choose(*split(400, unknown=30), right_from(0.2), RARE)
    assert found["needed_share"] == refusal.SHARES[0]
    found = refusal.choose(*split(400), right_from(share - 0.01), RARE)
    assert found["chosen"]
    assert found["needed_share"] == share
    assert found["min_known_share"] >= share
    assert found == refusal.choose(*split(400), right_from(share - 0.01), RARE)


@given(st.integers(0, refusal.LEAST - 1))
def test_of_few_texts_nothing_is_chosen(count):
    found = refusal.choose(*split(count), right_from(0.5), RARE)
    assert found == {"chosen": False, "texts": count, "min_known_share": refusal.DECLARED}
