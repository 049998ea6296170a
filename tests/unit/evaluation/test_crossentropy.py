"""The cross-entropy of a text: as if read in one go, and every character once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marfa.errors import DataError, TrainingError
from marfa.evaluation.crossentropy import bits, held_out

SYMBOLS = 7


class Toy:
    """Remembers its last `reach` tokens exactly, nothing before, and expects what they say."""

    def __init__(self, reach: int, symbols: int = SYMBOLS) -> None:
        self.reach = reach
        weights = np.random.default_rng(3).normal(size=(reach, symbols, symbols))
        self.weights_RVV = weights.astype(np.float32)
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, tokens_TB: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        assert tokens_TB.dtype == np.int64
        self.shapes.append(tokens_TB.shape)
        last = [] if state is None else state
        logits = []
        for tokens_B in tokens_TB:
            last = [tokens_B, *last][: self.reach]
            read = zip(self.weights_RVV, last, strict=False)
            logits.append(sum(weights_VV[tokens] for weights_VV, tokens in read))
        return np.stack(logits).astype(np.float32), last


def plainly(read: Any, ids: np.ndarray, begin: int) -> float:
    """One stretch, one step at a time, from the very beginning of the text."""
    state, costs = None, []
    for place in range(len(ids) - 1):
        logits, state = read(np.array([[ids[place]]], np.int64), state)
        if place + 1 >= begin:
            scores = [float(score) for score in logits[0, 0]]
            norm = math.log(sum(map(math.exp, scores)))
            costs.append(norm - scores[ids[place + 1]])
    return math.fsum(costs) / len(costs)


@given(
    size=st.integers(2, 400),
    share=st.floats(0, 1),
    streams=st.integers(1, 40),
    warm=st.integers(5, 60),
    steps=st.integers(1, 64),
)
@settings(deadline=None, max_examples=60)
def test_it_equals_one_plain_reading_where_the_warming_reaches_as_far_as_the_state(
    size: int, share: float, streams: int, warm: int, steps: int
) -> None:
    ids = np.random.default_rng(size).integers(0, SYMBOLS, size).astype(np.uint16)
    begin = min(int(share * size), size - 1)
    read = Toy(reach=5)
    told: list[int] = []
    found = held_out(read, ids, begin, streams=streams, warm=warm, steps=steps, seen=told.append)
    assert found == pytest.approx(plainly(Toy(reach=5), ids, begin), rel=1e-5)
    assert told == sorted(told)
    assert told[-1] == size - max(begin, 1)
    assert all(length <= steps and width <= streams for length, width in read.shapes)


@given(
    size=st.integers(2, 120),
    share=st.floats(0, 1),
    streams=st.integers(1, 40),
    warm=st.integers(1, 60),
    steps=st.integers(1, 64),
)
@settings(deadline=None, max_examples=60)
def test_every_character_is_predicted_exactly_once(
    size: int, share: float, streams: int, warm: int, steps: int
) -> None:
    begin = min(int(share * size), size - 1)
    price = np.random.default_rng(size).integers(1, 1000, size)

    # each id has a price of its own, so the sum tells if one was left out or counted twice
    def read(tokens_TB: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        logits_TBV = np.zeros((*tokens_TB.shape, size + 1), np.float32)
        logits_TBV[..., :size] = -price
        return logits_TBV, state

    counted = np.arange(max(begin, 1), size)
    norm = math.log1p(sum(math.exp(-each) for each in price))
    expected = price[counted].mean() + norm
    found = held_out(read, np.arange(size), begin, streams=streams, warm=warm, steps=steps)
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_warming_matters_and_is_not_counted() -> None:
    ids = np.random.default_rng(1).integers(0, SYMBOLS, 300)
    whole = plainly(Toy(reach=20), ids, 200)
    warmed = held_out(Toy(reach=20), ids, 200, streams=10, warm=20)
    cold = held_out(Toy(reach=20), ids, 200, streams=10, warm=1)
    assert warmed == pytest.approx(whole, rel=1e-6)
    assert cold != pytest.approx(whole, rel=1e-3)


def test_huge_logits_and_many_characters_neither_overflow_nor_round_away() -> None:
    def read(tokens_TB: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        logits_TBV = np.full((*tokens_TB.shape, 3), 1e30, np.float32)
        logits_TBV[..., 2] = -1e30
        return logits_TBV, state

    ids = np.arange(50_000) % 2
    assert bits(held_out(read, ids, 0)) == pytest.approx(1, abs=1e-12)


def test_a_large_alphabet_is_looked_at_in_blocks() -> None:
    def read(tokens_TB: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        return np.zeros((*tokens_TB.shape, 8192), np.float32), state

    assert bits(held_out(read, np.arange(700), 0)) == pytest.approx(13)


@pytest.mark.parametrize(("size", "begin"), [(0, 0), (1, 0), (1, 1), (5, 5), (5, 9), (5, -1)])
def test_nothing_to_predict_is_an_error(size: int, begin: int) -> None:
    with pytest.raises(DataError, match=f"found {size} characters, expected some"):
        held_out(Toy(reach=1), np.zeros(size, np.int64), begin)


def test_an_answer_that_is_not_a_number_stops() -> None:
    def read(tokens_TB: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        return np.full((*tokens_TB.shape, 3), np.nan, np.float32), state

    with pytest.raises(TrainingError, match="not a number"):
        held_out(read, [1, 2, 1], 0)
