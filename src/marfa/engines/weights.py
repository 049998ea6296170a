"""Reading safetensors with numpy alone, so that a bundle answers wherever Python and numpy are.

The format: eight bytes with the length of a JSON header, the header with type, shape and place of each
tensor, and the numbers (the safetensors project's README, "Format"). A header is believed in nothing.

A tensor `x` of whole numbers of eight bits stands for its products with the one number of `x.scale`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from marfa.errors import BundleError

Floats = npt.NDArray[np.float32]
SCALE = ".scale"
"""What the name of an eight-bit tensor's scale adds to its own."""

_HEADER_LIMIT = 1 << 20
_MAX_AXES = 4
_TYPES: dict[object, np.dtype[Any]] = {"F32": np.dtype("<f4"), "I8": np.dtype("i1")}


def read(data: bytes, where: str = "weights.safetensors") -> dict[str, Floats]:
    """Read tensors of 32 bits a number, and of eight bits with a scale.

    Args:
        data: a whole safetensors file.
        where: its name, for messages.

    Returns:
        Arrays of 32 bits a number by name, views into `data` where they stand there as such.

    Raises:
        BundleError: if it is no such file, or a tensor lies outside it, overlaps another, is of
            another type, has no fitting scale, or holds a number that is not finite.
    """
    arrays = _stored(data, where)
    scales = {name: arrays.pop(name + SCALE) for name in _small(arrays)}
    with np.errstate(all="ignore"):  # what comes of a scale that is too great is refused below
        arrays |= {name: arrays[name] * scale for name, scale in scales.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise _damaged(where, f"{name!r:.80} holds a number that is not finite")
    return arrays


def shapes(data: bytes, where: str = "weights.safetensors") -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors that `read` would return, without computing one of them.

    Args:
        data: a whole safetensors file.
        where: its name, for messages.

    Raises:
        BundleError: as `read`, but numbers are not looked at.
    """
    arrays = _stored(data, where)
    scales = {name + SCALE for name in _small(arrays)}
    return {name: array.shape for name, array in arrays.items() if name not in scales}


def _small(arrays: Mapping[str, npt.NDArray[Any]]) -> list[str]:
    return [name for name, array in arrays.items() if array.dtype == np.int8]


def _stored(data: bytes, where: str) -> dict[str, npt.NDArray[Any]]:
    """Return the tensors as they stand in a file, as views, each of eight bits with its scale."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 2 <= length <= min(_HEADER_LIMIT, len(data) - 8):
        raise _damaged(where, "no safetensors header")
    try:
        header = json.loads(data[8 : 8 + length].decode("utf-8"))
    except (ValueError, RecursionError):
        raise _damaged(where, "its header is not JSON") from None
    if not isinstance(header, dict):
        raise _damaged(where, "its header is not a table")
    header.pop("__metadata__", None)
    body = memoryview(data)[8 + length :]
    arrays: dict[str, Any] = {}
    position = 0
    for name, entry in sorted(header.items(), key=lambda item: _begin(item[1], where)):
        start, end, kind, shape = _entry(entry, where)
        if start != position or end > len(body):
            raise _damaged(where, "its tensors do not follow each other")
        arrays[name] = np.frombuffer(body[start:end], dtype=kind).reshape(shape)
        position = end
    if position != len(body):
        raise _damaged(where, "bytes are left over at its end")
    for name in _small(arrays):
        scale = arrays.get(name + SCALE)
        if scale is None or scale.dtype != np.float32 or scale.shape != (1,) or not scale[0] > 0:
            raise _damaged(where, f"{name!r:.80} has no scale, or none that fits it")
    return arrays


def _begin(entry: Any, where: str) -> int:
    return _entry(entry, where)[0]


def _entry(entry: Any, where: str) -> tuple[int, int, np.dtype[Any], tuple[int, ...]]:
    """Return begin, end, type and shape of one tensor, checked against each other."""
    match entry:
        case {
            "dtype": "F32" | "I8" as name,
            "shape": [*shape],
            "data_offsets": [int(start), int(end)],
        }:
            kind = _TYPES[name]
            whole = all(type(axis) is int and axis > 0 for axis in shape)
            fits = whole and 0 < len(shape) <= _MAX_AXES and start >= 0
            if fits and end - start == kind.itemsize * math.prod(shape):
                return start, end, kind, tuple(shape)
    raise _damaged(where, "a tensor's type, shape and place do not fit each other")


def _damaged(where: str, what: str) -> BundleError:
    return BundleError(what, where=where, hint="package the model again, or copy it again")
