"""Intervals and McNemar's test, against scipy and by their properties."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from marfa.evaluation.intervals import mid_p, paired, wilson

COUNTS = st.integers(0, 400)


@given(COUNTS, st.integers(0, 400))
def test_wilson_is_scipys_and_holds_the_share(right: int, wrong: int) -> None:
    n = right + wrong
    if not n:
        return
    low, high = wilson(right, n)
    found = binomtest(right, n).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((found.low, found.high), abs=1e-6)
    assert 0 <= low <= round(right / n, 6) <= high <= 1


@given(COUNTS, COUNTS)
def test_the_mid_p_value_is_the_coins(first: int, second: int) -> None:
    n, fewer = first + second, min(first, second)
    below = sum(comb(n, k) for k in range(fewer))
    exact = min(Fraction(1), Fraction(2 * below + comb(n, fewer), 2**n))
    assert mid_p(first, second) == pytest.approx(float(exact), rel=1e-5)
    assert mid_p(first, second) == mid_p(second, first)


def test_no_difference_is_all_chance_and_a_huge_one_is_none() -> None:
    assert mid_p(0, 0) == mid_p(7000, 7000) == 1.0
    assert mid_p(25_000, 0) == 0.0
    assert 0 < mid_p(1300, 1100) < 0.001


@given(COUNTS, COUNTS, st.integers(1, 500))
def test_the_paired_interval_holds_the_difference_and_turns_with_it(
    first: int, second: int, others: int
) -> None:
    n = first + second + others
    low, high = paired(first, second, n)
    assert -1 <= low <= round((first - second) / n, 6) <= high <= 1
    assert paired(second, first, n) == pytest.approx([-high, -low], abs=1e-12)


def test_more_texts_make_intervals_narrower() -> None:
    assert paired(0, 0, 1) == pytest.approx([-0.653321, 0.653321], abs=1e-6)  # Z * 1 / 3
    widths = [paired(6 * n, 4 * n, 100 * n) for n in (1, 10, 100)]
    spans = [high - low for low, high in widths]
    assert spans == sorted(spans, reverse=True)
    assert widths[0][0] < 0 < widths[2][0]
