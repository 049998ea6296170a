"""How many bits a character a model needs for a text that it has not seen.

Legend: T steps of time, B stretches of the text read side by side, V ids that a character can be.

A recurrent model reads a text once, from its beginning, and carries its state. One stretch read
alone would take a step per character; several side by side take a step for all of them, at the
price that each begins without what the one before has left in the state. So each is warmed on
the characters before it, which are read and not counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from marfa.errors import DataError, TrainingError

Read = Callable[[npt.NDArray[np.int64], Any], tuple[npt.NDArray[np.float32], Any]]
"""A model: tokens_TB and the state after what it has read (None at first) give logits_TBV, of the
character after each token, and the state after the last."""

WARM = 256
"""Characters that each stretch is warmed on, where nobody says otherwise."""
_BLOCK = 1 << 20
"""Logits that are looked at together, so that a large alphabet needs no more memory than a small."""


def bits(nats: float) -> float:
    """Turn nats into bits.

    >>> bits(math.log(2))
    1.0
    """
    return nats / math.log(2)


def steps_of(symbols: int) -> int:
    """Return how many steps to read in one call, so that a large alphabet's logits stay within 64 MB.

    Args:
        symbols: ids of the alphabet.
    """
    return max(1, min(256, (1 << 24) // (32 * symbols)))


def held_out(
    read: Read,
    ids: npt.ArrayLike,
    begin: int,
    *,
    streams: int = 32,
    warm: int = WARM,
    steps: int = 256,
    seen: Callable[[int], None] = lambda _: None,
) -> float:
    """Measure the mean cross-entropy of the end of a text under a model.

    Every character from `begin` on is predicted once from those before it, except the first of the
    whole text, which has none.

    Args:
        read: the model; called with at most `steps` x `streams` tokens, in the order of the text.
        ids: the whole text, N >= 2 ids.
        begin: where the part to predict begins, 0 to N - 1; what is before it only warms.
        streams: how many stretches the part is cut into, at least 1; fewer if it is shorter.
        warm: characters read before each stretch, at least 1; fewer where the text begins.
        steps: tokens of each stretch in one call, at least 1.
        seen: told after each call how many characters have been predicted.

    Returns:
        Nats per character.

    Raises:
        DataError: if there is nothing to predict.
        TrainingError: if the model's answer is not a number.

    >>> def guess(tokens_TB, state):
    ...     return np.zeros((*tokens_TB.shape, 8), np.float32), state
    >>> bits(held_out(guess, [1, 2, 3, 4, 5, 6, 7], 4))
    3.0
    """
    assert min(streams, warm, steps) >= 1
    text = np.asarray(ids)
    first = max(begin, 1)
    count = len(text) - first
    if begin < 0 or count < 1:
        message = f"found {len(text)} characters, expected some to predict after {begin}"
        raise DataError(message)
    cuts = first + np.arange(min(streams, count) + 1) * count // min(streams, count)
    low_B, high_B = cuts[:-1], cuts[1:]
    start_B = np.maximum(low_B - warm, 0)
    total, done, state = 0.0, 0, None
    for step in range(0, int((high_B - start_B).max()) - 1, steps):
        # all begin together; a stretch that has ended reads on, or the last token again, for nothing
        length = min(steps, int((high_B - start_B).max()) - 1 - step)
        place_TB = start_B + np.arange(step, step + length)[:, None]
        tokens_TB = text[np.minimum(place_TB, len(text) - 1)].astype(np.int64)
        logits_TBV, state = read(tokens_TB, state)
        counted_TB = (place_TB + 1 >= low_B) & (place_TB + 1 < high_B)
        targets = text[place_TB[counted_TB] + 1].astype(np.int64)
        total += _nats(logits_TBV, counted_TB, targets)
        done += len(targets)
        seen(done)
    assert done == count
    if math.isnan(total):
        message = "the model's answer is not a number, expected logits"
        raise TrainingError(message, hint="train again with a smaller --learning-rate")
    return total / count


def _nats(
    logits_TBV: npt.NDArray[np.float32],
    counted_TB: npt.NDArray[np.bool_],
    targets: npt.NDArray[np.int64],
) -> float:
    """Add up what the counted characters cost."""
    rows = np.flatnonzero(counted_TB)
    flat = logits_TBV.reshape(counted_TB.size, -1)
    size = max(1, _BLOCK // flat.shape[1])
    total = 0.0
    for start in range(0, len(rows), size):
        logits = flat[rows[start : start + size]].astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        chosen = logits[np.arange(len(logits)), targets[start : start + size]]
        total += float((np.log(np.exp(logits).sum(axis=1)) - chosen).sum())
    return total
