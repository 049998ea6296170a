"""A byte a number and one scale for a whole table: a quarter of the bytes, and packed still less.

The scale has sixteen significant bits, so its product with a whole number up to 127 has no more than
the 24 that float32 holds: it is exact, whoever multiplies, and the products tell the scale again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from marfa.engines.weights import SCALE, Floats

Bytes = npt.NDArray[np.int8]
BITS = (6, 7, 8)
"""How many bits a rounded number may have; all are kept as a byte, but fewer of them pack to less."""

_SCALE_BITS = 16


def rounded(table: Floats, bits: int) -> Floats:
    """Return the nearest whole multiples of one scale; the last of them reaches the largest number.

    Args:
        table: finite numbers, not empty.
        bits: how many each has, the sign among them: with 8 the last multiple is the 127th.

    Returns:
        The same for the same table, and for its own result; zero stays zero. A table of nothing but
        zeros, or of numbers hardly above the least that float32 has, is returned as it is.

    >>> rounded(np.array([0.0, 0.3, -1.27], np.float32), bits=8)
    array([ 0.  ,  0.3..., -1.27...], dtype=float32)
    """
    scale = _scale(table, bits)
    return _steps(table, scale) * scale if scale else table


def whole(table: Floats) -> tuple[Bytes, np.float32] | None:
    """Return whole numbers and the scale whose products are exactly this table; None if it has none.

    Every table that `rounded` returns has them, but one of zeros.
    """
    for bits in BITS:
        scale = _scale(table, bits)
        if scale:
            steps = _steps(table, scale)
            if (steps * scale).tobytes() == table.tobytes():
                return steps, scale
    return None


def as_bytes(table: Floats) -> Bytes | None:
    """Return a table of whole numbers as bytes; None if it holds others, or numbers beyond a byte's.

    >>> as_bytes(np.array([3.0, -128.0], np.float32)), as_bytes(np.array([0.5], np.float32))
    (array([   3, -128], dtype=int8), None)
    """
    if table.min() < -128 or table.max() > 127 or (np.rint(table) != table).any():
        return None
    return table.astype(np.int8)


def fitted(matrix: Floats, bits: int) -> tuple[Bytes, np.float32]:
    """Return whole numbers and the one scale with which they come nearest to a matrix.

    The greatest numbers may be cut: with seven bits, a scale that lets go of few of them makes the mean
    square of all differences up to a fifth smaller.

    Args:
        matrix: finite numbers, not empty.
        bits: how many each may have, the sign among them.
    """
    most = 2 ** (bits - 1) - 1
    largest = float(np.abs(matrix).max())
    tried: list[tuple[float, Bytes, np.float32]] = []
    for share in np.linspace(0.5, 1, 51):
        scale = max(np.float32(largest * share / most), np.finfo(np.float32).tiny)
        steps = np.clip(np.rint(matrix / scale), -most, most).astype(np.int8)
        lost = float(np.square(steps * scale - matrix, dtype=np.float64).sum())
        tried.append((lost, steps, scale))
    _, steps, scale = min(tried, key=lambda each: each[0])
    return steps, scale


def stored(tensors: Mapping[str, Floats], name: str) -> dict[str, npt.NDArray[Any]]:
    """Return tensors as a file is to hold them, one of them a byte a number where that loses nothing.

    Args:
        tensors: arrays by name.
        name: the one that may have been rounded.

    Returns:
        All of them, with the one as whole numbers and its scale beside it if it has been rounded.
        `weights.read` gives the very same numbers back.
    """
    found: dict[str, npt.NDArray[Any]] = dict(tensors)
    small = whole(tensors[name])
    if small is not None:
        steps, scale = small
        found |= {name: steps, f"{name}{SCALE}": np.array([scale])}
    return found


def _scale(table: Floats, bits: int) -> np.float32:
    """Return the least scale of sixteen bits with which so many reach the largest number.

    Zero where there is none.
    """
    largest = float(np.abs(table).max())
    mantissa, exponent = math.frexp(largest / (2 ** (bits - 1) - 1))
    upwards = math.ceil(math.ldexp(mantissa, _SCALE_BITS))
    scale = np.float32(math.ldexp(upwards, exponent - _SCALE_BITS))
    return scale if scale >= np.finfo(np.float32).tiny else np.float32(0)


def _steps(table: Floats, scale: np.float32) -> Bytes:
    steps: Bytes = np.rint(table / scale).astype(np.int8)
    return steps
