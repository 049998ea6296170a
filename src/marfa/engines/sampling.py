"""From the network's numbers to the next character, the same one for the same seed and position.

Chance comes from SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
2014) read by counter: the number for a position does not depend on what was drawn before, so that a
text that was cut goes on anywhere.

Legend: V ids of the alphabet, the unknown character's 0 included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from marfa.engines.weights import Floats
from marfa.errors import MarfaError, RequestError
from marfa.settings import DrawSettings

Doubles = npt.NDArray[np.float64]

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
MAX_SEED = (1 << 53) - 1  # whole numbers beyond it are not exact in JavaScript
_LARGEST_TEMPERATURE = 10
# Colder than this is no different for 32-bit numbers, and dividing by less could overflow.
_COLDEST = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How characters are drawn.

    Args:
        temperature: 0 to 10; below 1 likely characters are drawn still more often, 0 is always the
            likeliest.
        top_k: draw among this many likeliest only, 0 for all.
        top_p: draw among the fewest likeliest that share this much, above 0 to 1.
        seed: 0 to 2**53 - 1; the same seed draws the same characters.

    Raises:
        RequestError: naming the first field that is not as above.

    >>> Sampling(temperature=-1)
    Traceback (most recent call last):
    marfa.errors.RequestError: temperature: expected a number from 0 to 10, found -1
    """

    temperature: float = DrawSettings.temperature
    top_k: int = DrawSettings.top_k
    top_p: float = DrawSettings.top_p
    seed: int = 0

    def __post_init__(self) -> None:
        # Comparisons are false for what is not a number, and never overflow.
        temperature, share = self.temperature, self.top_p
        warm = _is_number(temperature) and 0 <= temperature <= _LARGEST_TEMPERATURE
        _demand(warm, f"a number from 0 to {_LARGEST_TEMPERATURE}", temperature, "temperature")
        whole = type(self.top_k) is int and self.top_k >= 0
        _demand(whole, "a whole number from 0", self.top_k, "top_k")
        part = _is_number(share) and 0 < share <= 1
        _demand(part, "a number above 0, up to 1", share, "top_p")
        fits = type(self.seed) is int and 0 <= self.seed <= MAX_SEED
        _demand(fits, f"a whole number from 0 to {MAX_SEED}", self.seed, "seed")


def uniform(seed: int, position: int) -> float:
    """Return the chance for one position of one seed.

    Args:
        seed: any whole number; its lowest 64 bits count.
        position: place in the seed's stream, from 0.

    Returns:
        A multiple of 2**-53, at least 0 and below 1.

    >>> uniform(1234567, 0) == (6457827717110365317 >> 11) / 2**53
    True
    """
    mixed = (seed + (position + 1) * _STEP) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return float((mixed ^ (mixed >> 31)) >> 11) * 2.0**-53


class Sampler:
    """Draws characters as asked; keeps nothing between draws.

    Args:
        sampling: how.

    >>> Sampler(Sampling(temperature=0)).draw(np.array([9, 1, 3, 3], np.float32), position=0)
    2
    """

    def __init__(self, sampling: Sampling) -> None:
        self._seed = sampling.seed
        self._greedy = sampling.temperature == 0
        self._temperature = max(float(sampling.temperature), _COLDEST)
        self._top_k = sampling.top_k
        self._top_p = float(sampling.top_p)

    def draw(self, logits_V: Floats, position: int) -> int:
        """Return the id of the next character.

        Args:
            logits_V: the network's numbers, at least two; those that are not finite have no chance.
            position: which character of the text this is; the same position draws with the same chance.

        Returns:
            1 to V - 1: the unknown character's 0 is never drawn.

        Raises:
            MarfaError: if no number is finite.
        """
        scores = logits_V[1:].astype(np.float64)
        likeliest = scores.argmax()  # the place of the first that is not a number, if there is one
        if not math.isfinite(scores[likeliest]):
            scores, likeliest = _finite(scores)
        if self._greedy:
            return int(likeliest) + 1
        few = 0 < self._top_k < len(scores) or self._top_p < 1
        # By the scores themselves: weights that become 0 no longer have an order.
        order = np.argsort(-scores, kind="stable") if few else None
        scores -= scores[likeliest]
        scores /= self._temperature
        weights = np.exp(scores, out=scores)
        if order is not None:
            weights = self._likeliest(weights, order)
        shares = weights.cumsum()
        # Never past the end: chance is 1 - 2**-53 at most, and so much of a sum, rounded, is below it.
        place = shares.searchsorted(uniform(self._seed, position) * shares[-1], side="right")
        return int(place) + 1

    def _likeliest(self, weights: Doubles, order: npt.NDArray[np.intp]) -> Doubles:
        """Return the weights with nothing for all that top-k and then top-p leave out."""
        if self._top_k:
            order = order[: self._top_k]
        if self._top_p < 1:
            shares = weights[order].cumsum()
            order = order[: shares.searchsorted(self._top_p * shares[-1]) + 1]
        kept = np.zeros_like(weights)
        kept[order] = weights[order]
        return kept


def _finite(scores: Doubles) -> tuple[Doubles, np.intp]:
    """Return the scores with no chance for what is not finite, and the place of the likeliest."""
    finite = np.isfinite(scores)
    if not finite.any():
        message = "the network's numbers are not finite, so no character can be drawn"
        raise MarfaError(message, hint="look at the training's history, or train again")
    scores = np.where(finite, scores, -np.inf)
    return scores, scores.argmax()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _demand(holds: bool, expected: str, value: Any, field: str) -> None:
    """Refuse a value; of what was sent the message repeats nothing but a number that is short."""
    if holds:
        return
    if not _is_number(value):
        found = f"a {type(value).__name__}"
    elif isinstance(value, int) and abs(value) > 1 << 64:
        found = "a number too long to repeat"
    else:
        found = repr(value)
    message = f"{field}: expected {expected}, found {found}"
    raise RequestError(message)
