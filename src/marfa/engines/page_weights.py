"""Weights for the page's own engine: a byte a number, coarse enough to be sent over a slow line.

What is sent is packed by how often each whole number occurs, so the width of a step decides how many
bits a weight costs. Each kind of model has a ladder of rungs, from fine to coarse; `container.own`
takes the first whose file is small enough. A classifier is nearly all embeddings, and there a word's
step doubles whenever its rank quadruples: what a word's rounding costs is its distance squared times how
often the word is read, which falls about as its rank grows. A generator is nearly all recurrent
weights, whose matrices share one step: of all ways to spend the bits that has the least squared error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from marfa.engines import rounding
from marfa.engines.weights import Floats

Run = tuple[int, float]
"""So many rows, and the scale of their whole numbers."""

_EMBEDDING = "embedding.weight"
_WHOLE = 127
_EXACT_WORDS = (4000, 1000, 250, 60)
"""Of the commonest words, those whose numbers stay as they are; by the rungs after the first."""
_FINER = 2**0.25
_RUNGS = 24


@dataclass(frozen=True)
class Tensor:
    """One tensor as the page gets it.

    Attributes:
        numbers: float32, or int8 with scales.
        runs: the scales of the rows, in order; none for float32.
    """

    numbers: npt.NDArray[Any]
    runs: tuple[Run, ...] = ()

    @property
    def floats(self) -> Floats:
        """The numbers that the page computes with."""
        if not self.runs:
            return np.asarray(self.numbers, np.float32)
        counts, scales = zip(*self.runs, strict=True)
        scale_R1 = np.repeat(np.array(scales, np.float32), counts)[:, None]
        return np.asarray(self.numbers * scale_R1, np.float32)


Tensors = Mapping[str, Tensor]


def exact(weights: Mapping[str, Floats]) -> Tensors:
    """Return all tensors as they are, to compare engines by.

    Args:
        weights: by the names that training gives them.
    """
    return {name: Tensor(array) for name, array in weights.items()}


Rung = Callable[[], Tensors]
"""Makes the tensors, as fine as it is."""


def ladder(task: str, weights: Mapping[str, Floats]) -> list[Rung]:
    """Return how the tensors can be put in eight bits, the finest way first, ever smaller when packed.

    Args:
        task: "classifier" or "generator".
        weights: by the names that training gives them.
    """
    return _judging(weights) if task == "classifier" else _writing(weights)


def _judging(weights: Mapping[str, Floats]) -> list[Rung]:
    rest = {name: _rounded(array) for name, array in weights.items() if name != _EMBEDDING}
    table = weights[_EMBEDDING]
    found = rounding.whole(table) or rounding.whole(rounding.rounded(table, 7))
    if found is None:  # zeros alone
        return [lambda: {**rest, _EMBEDDING: Tensor(table)}]
    scale = float(found[1])

    def rung(first: int) -> Tensors:
        return {**rest, _EMBEDDING: _by_rank(table, scale, first)}

    firsts = (len(table), *(first for first in _EXACT_WORDS if first < len(table)))
    return [partial(rung, first) for first in firsts]


def _by_rank(table: Floats, scale: float, first: int) -> Tensor:
    """Double the step from row `first` on, and again whenever the row's number is four times that."""
    runs: list[Run] = []
    numbers, begin, end = [], 0, first
    while begin < len(table):
        part = table[begin:end]
        numbers.append(np.rint(part / np.float32(scale)).astype(np.int8))
        runs.append((len(part), scale))
        begin, end, scale = end, end * 4, scale * 2
    return Tensor(np.concatenate(numbers), tuple(runs))


def _writing(weights: Mapping[str, Floats]) -> list[Rung]:
    big = [name for name in weights if name.startswith("lstm.") and weights[name].ndim == 2]
    rest = {name: _rounded(array) for name, array in weights.items() if name not in big}
    finest = max(_step(weights[name]) for name in big)

    def rung(number: int) -> Tensors:
        step = finest * _FINER**number
        return rest | {name: _stepped(weights[name], step) for name in big}

    return [partial(rung, number) for number in range(_RUNGS)]


def _rounded(array: Floats) -> Tensor:
    """Round a matrix to bytes; what is small and read by every text stays as it is."""
    return _stepped(array, _step(array)) if array.ndim == 2 else Tensor(array)


def _step(array: Floats) -> float:
    return float(np.abs(array).max()) / _WHOLE


def _stepped(array: Floats, step: float) -> Tensor:
    if not step:
        return Tensor(array)
    scale = np.float32(step)
    whole = np.clip(np.rint(array / scale), -_WHOLE, _WHOLE).astype(np.int8)
    return Tensor(whole, ((len(array), float(scale)),))
