"""Counted n-grams: what the definition says, a proper distribution, and never not a number."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marfa.errors import DataError
from marfa.evaluation.ngrams import KneserNey, kneser_ney, unigram


class Plain:
    """The definition of interpolated modified Kneser-Ney, word by word, with dictionaries."""

    def __init__(self, text: list[int], symbols: int, order: int) -> None:
        self.symbols, self.order = symbols, order
        self.counts: list[Counter[tuple[int, ...]]] = [Counter()]
        for size in range(1, order + 1):
            spots = range(len(text) - size + 1)
            if size == order:
                found = Counter(tuple(text[at : at + size]) for at in spots)
            else:
                before: dict[tuple[int, ...], set[int]] = defaultdict(set)
                for at in spots:
                    before[tuple(text[at : at + size])].add(text[at - 1] if at else -1)
                found = Counter({gram: len(seen) for gram, seen in before.items()})
            self.counts.append(found)

    def discounts(self, size: int) -> list[float]:
        of = Counter(self.counts[size].values())
        n1, n2, n3, n4 = (of[count] for count in (1, 2, 3, 4))
        if not n1 * n2 * n3 * n4:
            return [0, 0.5, 1, 1.5]
        y = n1 / (n1 + 2 * n2)
        found = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        return found if min(found[1:]) > 0 else [0, 0.5, 1, 1.5]

    def share(self, symbol: int, context: tuple[int, ...]) -> float:
        size = len(context) + 1
        shorter = 1 / self.symbols if size == 1 else self.share(symbol, context[1:])
        after = [(g, c) for g, c in self.counts[size].items() if g[:-1] == context]
        if not after:
            return shorter
        discounts = self.discounts(size)
        total = sum(count for _, count in after)
        own = self.counts[size][(*context, symbol)]
        freed = sum(discounts[min(count, 3)] for _, count in after)
        return (max(own - discounts[min(own, 3)], 0) + freed * shorter) / total


@pytest.mark.parametrize(("size", "symbols", "order"), [(12, 4, 3), (400, 5, 3), (3000, 6, 4)])
def test_it_is_what_the_definition_says(size: int, symbols: int, order: int) -> None:
    random = np.random.default_rng(size)
    text = np.minimum(random.geometric(0.4, size) - 1, symbols - 1)
    held = random.integers(0, symbols, 12)
    plain = Plain(text.tolist(), symbols, order)
    whole = [*text.tolist(), *held.tolist()]
    costs = [
        -math.log(plain.share(whole[at], tuple(whole[at - order + 1 : at])))
        for at in range(size, size + len(held))
    ]
    if size > 12:
        assert plain.discounts(order) != [0, 0.5, 1, 1.5]
    assert kneser_ney(text, held, symbols, order) == pytest.approx(math.fsum(costs) / len(costs))


@given(
    text=st.lists(st.integers(0, 5), max_size=80),
    context=st.lists(st.integers(0, 5), max_size=8),
    order=st.integers(1, 8),
)
@settings(deadline=None, max_examples=80)
def test_the_probabilities_after_any_context_add_up_to_one(
    text: list[int], context: list[int], order: int
) -> None:
    shares = KneserNey(text, symbols=6, order=order).after(context)
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    assert (shares > 0).all()


@given(
    train=st.lists(st.integers(0, 3), max_size=20),
    held=st.lists(st.integers(0, 3), min_size=1, max_size=20),
    order=st.integers(1, 9),
)
@settings(deadline=None, max_examples=80)
def test_no_text_is_too_small(train: list[int], held: list[int], order: int) -> None:
    assert math.isfinite(kneser_ney(train, held, 4, order))
    assert math.isfinite(unigram(train, held, 4))


@pytest.mark.parametrize("order", range(1, 7))
def test_a_large_alphabet_and_a_high_order_do_not_overflow(order: int) -> None:
    text = np.random.default_rng(5).integers(0, 8192, 4000).astype(np.uint16)
    model = KneserNey(text, 8192, order)
    shares = model.shares(text)
    assert (shares > 0).all()
    assert (shares <= 1).all()
    if order > 1:
        assert shares[-1] > 0.4  # seen once, so half of it is kept, whatever else there is


def test_the_held_text_follows_the_counted_text() -> None:
    train = [1, 2, 3, 4] * 30
    carried = kneser_ney(train, [1], 5, order=3)
    surprised = kneser_ney(train, [3], 5, order=3)
    assert carried < 0.1
    assert surprised > 2


def test_nothing_is_learnt_from_the_held_text() -> None:
    train, once = [1, 2] * 10, [3, 0, 3, 0]
    model = KneserNey(train, 4, 3)
    alone = -np.log(model.shares([*train[-2:], *once])[2:])
    assert kneser_ney(train, once, 4, 3) == pytest.approx(alone.mean())
    assert kneser_ney(train, once * 9, 4, 3) > 1


def test_a_longer_context_helps_where_the_text_has_one() -> None:
    random = np.random.default_rng(2)
    text = [0, 1]
    while len(text) < 6000:
        follows = (text[-1] + text[-2]) % 5
        text.append(follows if random.random() < 0.8 else int(random.integers(5)))
    one, two, three = (kneser_ney(text[:5000], text[5000:], 5, order) for order in (1, 2, 3))
    assert three < two - 0.3
    assert one == pytest.approx(unigram(text[:5000], text[5000:], 5), abs=0.01)


def test_the_unigram_adds_one_to_every_symbol() -> None:
    assert unigram([1, 1, 2], [0], 4) == pytest.approx(math.log(7))
    assert unigram([1, 1, 2], [1, 2], 4) == pytest.approx((math.log(7 / 3) + math.log(7 / 2)) / 2)


@pytest.mark.parametrize("measure", [unigram, kneser_ney])
def test_what_cannot_be_measured_is_an_error(measure: type) -> None:
    with pytest.raises(DataError, match="found 0 characters, expected at least 1"):
        measure([1, 2], [], 3)
    with pytest.raises(DataError, match="found ids 1 to 3, expected 0 to 2"):
        measure([1, 3], [1], 3)
    with pytest.raises(DataError, match="found ids -1 to 2"):
        measure([1], [-1, 2], 3)
