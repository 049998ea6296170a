"""Chance that can be repeated, and the shares that were asked for."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chisquare

from marfa.engines.sampling import Sampler, Sampling, uniform
from marfa.errors import MarfaError, RequestError

DRAWS = 4000
RNG = np.random.default_rng(5)
LOGITS = (RNG.standard_normal(30) * 2).astype(np.float32)


def draws(logits, count=DRAWS, **options):
    sampler = Sampler(Sampling(**options))
    return np.array([sampler.draw(logits, position) for position in range(count)])


def softmax(logits, temperature):
    scores = logits.astype(np.float64) / temperature
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def wanted(logits, temperature, top_k, top_p):
    """The shares by the definition, id 0 among them, one symbol after the other."""
    shares = dict(enumerate(softmax(logits[1:], temperature), start=1))
    ranking = sorted(shares, key=lambda i: (-logits[i], i))
    if top_k:
        ranking = ranking[:top_k]
    whole, kept, reached = sum(shares[i] for i in ranking), [], 0.0
    for i in ranking:
        kept.append(i)
        reached += shares[i]
        if reached >= top_p * whole:
            break
    found = np.zeros(len(logits))
    found[kept] = [shares[i] for i in kept]
    return found / found.sum()


def test_chance_is_splitmix64_as_published():
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    found = [uniform(1234567, position) for position in range(5)]
    assert found == [(number >> 11) / 2**53 for number in published]


@given(st.integers(0, 2**53 - 1), st.integers(0, 2**40))
def test_chance_is_at_least_0_and_below_1(seed, position):
    assert 0 <= uniform(seed, position) < 1


@pytest.mark.parametrize("temperature", [0.3, 1, 2.5])
@pytest.mark.parametrize("seed", [0, 2**53 - 1])
@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1), (7, 1), (0, 0.8), (7, 0.8)])
def test_characters_come_as_often_as_their_shares_say(temperature, seed, top_k, top_p):
    shares = wanted(LOGITS, temperature, top_k, top_p)
    found = draws(LOGITS, temperature=temperature, seed=seed, top_k=top_k, top_p=top_p)
    counts = np.bincount(found, minlength=len(LOGITS))
    assert not counts[shares == 0].any()
    often = shares * DRAWS >= 5
    rest = [counts[~often].sum()], [shares[~often].sum() * DRAWS]
    seen, due = np.append(counts[often], rest[0]), np.append(shares[often] * DRAWS, rest[1])
    assert chisquare(seen[due > 0], due[due > 0]).pvalue > 1e-3


@given(
    logits=arrays(np.float32, st.integers(2, 40), elements=st.integers(-6, 6)),
    top_k=st.integers(0, 45),
    top_p=st.floats(0.01, 1),
    temperature=st.floats(0.1, 10),
    position=st.integers(0, 2**53),
)
@settings(max_examples=150)
def test_only_what_top_k_and_top_p_keep_is_drawn(logits, top_k, top_p, temperature, position):
    sampling = Sampling(top_k=top_k, top_p=top_p, temperature=temperature)
    found = Sampler(sampling).draw(logits, position)
    # a thousandth either way: sums of equal numbers may reach the share one earlier or later
    near = [wanted(logits, temperature, top_k, min(1, top_p * by)) for by in (0.999, 1, 1.001)]
    assert found != 0
    assert any(shares[found] > 0 for shares in near)


def test_equal_numbers_are_kept_by_the_lower_id():
    logits = np.array([9, 1, 2, 2, 2, 0], np.float32)
    assert set(draws(logits, 300, top_k=2)) == {2, 3}
    assert set(draws(logits, 300, top_p=0.5, temperature=1e-3)) == {2, 3}


def test_top_p_keeps_the_fewest_that_reach_the_share():
    logits = np.log(np.array([1, 50, 25, 15, 10], np.float32))
    for share, kept in [(0.49, 1), (0.51, 2), (0.74, 2), (0.76, 3), (0.89, 3), (0.91, 4)]:
        assert set(draws(logits, 400, temperature=1, top_p=share)) == set(range(1, kept + 1))


def test_top_p_is_a_share_of_what_top_k_has_kept():
    logits = np.log(np.array([1, 40, 30, 20, 10], np.float32))
    assert set(draws(logits, 400, temperature=1, top_k=2, top_p=0.55)) == {1}
    assert set(draws(logits, 400, temperature=1, top_k=2, top_p=0.6)) == {1, 2}


def test_temperature_0_is_the_likeliest_and_the_lower_id_of_equals():
    logits = np.array([9, 1, 3, 3], np.float32)
    assert set(draws(logits, 20, temperature=0)) == {2}


EXTREMES = [
    np.array([0, 5], np.float32),
    np.array([3e38, -3e38, 3e38, 3e38], np.float32),
    np.array([1, -np.inf, 0, -1e30], np.float32),
    np.array([np.nan, 0, np.nan, 1, np.inf, -np.inf], np.float32),
    np.zeros(2, np.float32),
]


@pytest.mark.parametrize("logits", EXTREMES, ids=str)
@pytest.mark.parametrize("temperature", [0, 5e-324, 1e-6, 1, 10])
@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1), (1, 1), (0, 5e-324), (2, 0.5)])
def test_extremes_draw_what_has_a_chance(logits, temperature, top_k, top_p):
    found = set(draws(logits, 50, temperature=temperature, top_k=top_k, top_p=top_p))
    possible = {i for i in range(1, len(logits)) if np.isfinite(logits[i])}
    assert found <= possible
    if temperature < 1e-3 or top_k == 1:
        best = max(logits[i] for i in possible)
        assert all(logits[i] == best for i in found)


def test_the_lowest_chance_does_not_draw_what_has_none():
    position = 2**64 - 1  # where the counter is 0, which SplitMix64 keeps
    assert uniform(0, position) == 0
    logits = np.array([0, -np.inf, 1, 1], np.float32)
    assert Sampler(Sampling(seed=0)).draw(logits, position) == 2


@given(st.floats(1, 70_000))
def test_the_highest_chance_does_not_leave_the_alphabet(whole):
    assert (1 - 2**-53) * whole < whole


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_none_of_which_is_finite_are_an_error(bad):
    for temperature in (0, 1):
        with pytest.raises(MarfaError, match="not finite"):
            draws(np.array([1, bad, bad], np.float32), 1, temperature=temperature)


def test_the_same_position_draws_the_same_and_the_logits_stay_as_they_are():
    before = LOGITS.copy()
    whole = draws(LOGITS, 50, seed=3, top_k=20)
    sampler = Sampler(Sampling(seed=3, top_k=20))
    assert [sampler.draw(LOGITS, position) for position in range(49, 19, -1)] == list(
        whole[49:19:-1]
    )
    assert list(whole) != list(draws(LOGITS, 50, seed=4, top_k=20))
    np.testing.assert_array_equal(LOGITS, before)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("temperature", [-0.1, 10.5, math.nan, math.inf, True, "1", None, 10**400, [0.5]]),
        ("top_k", [-1, 1.0, True, "3", None, -(10**5000)]),
        ("top_p", [0, -0.1, 1.1, math.nan, True, "1", None, 10**400]),
        ("seed", [-1, 2**53, 1.0, False, "0", None, 10**5000]),
    ],
)
def test_wrong_values_are_refused_by_name_and_not_repeated(field, values):
    for value in values:
        with pytest.raises(RequestError) as refused:
            Sampling(**{field: value})
        assert refused.value.what.startswith(f"{field}: ")
        assert refused.value.http_status == 400
        assert len(str(refused.value)) < 120
    with pytest.raises(RequestError) as refused:
        Sampling(**{field: "what a user wrote"})
    assert "wrote" not in str(refused.value)


def test_the_limits_themselves_are_allowed():
    Sampling(temperature=0, top_k=0, top_p=1, seed=0)
    Sampling(temperature=10, top_k=10**6, top_p=5e-324, seed=2**53 - 1)
