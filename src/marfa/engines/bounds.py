"""A network whose numbers have bounds that are known: what makes eight bits answer alike in any company.

ONNX Runtime brings what an LSTM reads, and at each step its states, to eight bits by the least and the
greatest number of the whole batch, so an answer would depend on whose texts stand beside. Here those
bounds are the same whoever does. No cell can count faster than by one a step, so after t steps no state
is beyond tanh(t): two more units, whose gates are open whatever they read, count up and down and hold
both ends. And two more columns of the embeddings, which no weight reads, hold the ends of a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from marfa.engines import rounding
from marfa.engines.numpy_engine import directions
from marfa.engines.weights import Floats
from marfa.settings import ModelSettings
from marfa.text.vocab import PADDING

_OPEN = 30.0
"""A gate at this is open: its sigmoid is 1 in 32 bits, its hyperbolic tangent too."""
_NEW = 2
"""Which of the gates, as torch orders them, is what comes into a cell."""
_ENDS = (-128, 127)
"""What a byte holds: between these, the step from one of 256 numbers to the next is exactly 1."""


def unscaled(weights: Mapping[str, Floats], skip: bool) -> dict[str, Floats]:
    """Return weights of the same network whose embeddings are whole numbers, if they were rounded.

    Their scale is in what reads them.

    Args:
        weights: a classifier's tensors, by the names that training gives them.
        skip: whether the output layer reads the embeddings' mean.
    """
    found = dict(weights)
    small = rounding.whole(weights["embedding.weight"])
    if small is None:
        return found
    steps_VE, scale = small
    found["embedding.weight"] = steps_VE.astype(np.float32)
    for name in weights:
        if name.startswith("lstm.0.") and name.endswith("weight_ih_l0"):
            found[name] = weights[name] * scale
    if skip:
        output_CF = found["output.weight"] = weights["output.weight"].copy()
        output_CF[:, -steps_VE.shape[1] :] *= scale
    return found


def bounded(
    settings: ModelSettings, weights: Mapping[str, Floats]
) -> tuple[ModelSettings, dict[str, Floats]]:
    """Return a network that computes the same, and whose numbers always reach their bounds.

    Args:
        settings: the shape of a network.
        weights: its tensors, as `unscaled` returns them.

    Returns:
        The shape and the tensors of one with two more units a direction and two more columns of
        embeddings, whose results nothing reads. All of its embeddings but padding's have the ends.
    """
    count = directions(settings)
    found = dict(weights)
    table_VE = weights["embedding.weight"]
    largest = float(np.abs(table_VE).max())
    ends = (-largest, largest) if rounding.as_bytes(table_VE) is None else _ENDS
    more_V2 = np.tile(np.array(ends, np.float32), (len(table_VE), 1))
    more_V2[PADDING] = 0
    found["embedding.weight"] = np.concatenate([table_VE, more_V2], axis=1)
    reading = [settings.embedding]
    for layer in range(settings.layers):
        for direction in range(count):
            name = f"lstm.{layer}.{direction}."
            for kind, read in (("ih", reading), ("hh", [settings.hidden])):
                matrix_GK = _columns(weights[f"{name}weight_{kind}_l0"], read)
                found[f"{name}weight_{kind}_l0"] = _units(matrix_GK)
                found[f"{name}bias_{kind}_l0"] = _units(weights[f"{name}bias_{kind}_l0"])
            opened = found[f"{name}bias_ih_l0"].reshape(4, -1)
            opened[:, -2:] = _OPEN
            opened[_NEW, -1] = -_OPEN  # what comes into the last unit, which counts down
        reading = [settings.hidden] * count
    pooled = reading * (2 if settings.pooling == "mean+max" else 1)
    pooled += [settings.embedding] if settings.skip else []
    found["output.weight"] = _columns(weights["output.weight"], pooled)
    shape = replace(settings, hidden=settings.hidden + 2, embedding=settings.embedding + 2)
    return shape, found


def _columns(matrix: Floats, widths: list[int]) -> Floats:
    """Put two columns of zeros behind each group of columns."""
    pieces = np.split(matrix, np.cumsum(widths)[:-1], axis=1)
    nothing = np.zeros((len(matrix), 2), np.float32)
    return np.concatenate([each for piece in pieces for each in (piece, nothing)], axis=1)


def _units(array: Floats) -> Floats:
    """Put two rows of zeros behind those of each of the four gates."""
    gates = array.reshape(4, -1, *array.shape[1:])
    nothing = np.zeros((4, 2, *array.shape[1:]), np.float32)
    return np.concatenate([gates, nothing], axis=1).reshape(-1, *array.shape[1:])
