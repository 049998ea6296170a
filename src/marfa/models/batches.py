"""Which texts make a batch, and how they become a rectangle of numbers.

The order of batches, the windows and the dropped words are a pure function of (seed, epoch, step): a
run that was killed asks for the same step again and gets the same numbers.

Legend: B texts in a batch, T words of the longest, N texts of a split.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from marfa.data.dataset import Split
from marfa.text.vocab import PADDING

Ints = npt.NDArray[np.int64]
_POOL = 32


def order(lengths_N: Ints, batch_size: int, seed: int, epoch: int) -> list[Ints]:
    """Return the texts of each batch of an epoch.

    Texts are shuffled, then sorted by length within pools of 32 batches, so that a batch holds
    texts of about one length and little padding, and the batches are shuffled again.

    Args:
        lengths_N: words of each text.
        batch_size: texts in a batch; the last one may be smaller.
        seed: the run's seed.
        epoch: counted from 0.

    Returns:
        Indices of each batch; every text stands in exactly one.

    >>> batches = order(np.array([5, 1, 4, 2]), 2, seed=1, epoch=0)
    >>> sorted(int(index) for batch in batches for index in batch)
    [0, 1, 2, 3]
    """
    random = np.random.default_rng([seed, epoch])
    shuffled = random.permutation(len(lengths_N))
    batches: list[Ints] = []
    for start in range(0, len(shuffled), pool := batch_size * _POOL):
        some = shuffled[start : start + pool]
        some = some[np.argsort(lengths_N[some], kind="stable")]
        batches += [some[at : at + batch_size] for at in range(0, len(some), batch_size)]
    return [batches[index] for index in random.permutation(len(batches))]


def by_length(lengths_N: Ints, batch_size: int) -> list[Ints]:
    """Return the texts of each batch in order of length, for reading without learning."""
    ordered = np.argsort(lengths_N, kind="stable")
    return [ordered[at : at + batch_size] for at in range(0, len(ordered), batch_size)]


def rectangle(split: Split, indices_B: Ints) -> tuple[Ints, Ints, Ints]:
    """Return whole texts as padded numbers.

    Args:
        split: the texts.
        indices_B: which of them.

    Returns:
        tokens_BT padded with 0, lengths_B and labels_B.
    """
    rows = [split.text_ids(int(index)) for index in indices_B]
    tokens_BT, lengths_B = pad(rows)
    return tokens_BT, lengths_B, split.labels_N[indices_B].astype(np.int64)


def augmented(
    split: Split, indices_B: Ints, *, window: int, word_dropout: float, key: tuple[int, int, int]
) -> tuple[Ints, Ints, Ints]:
    """Return texts for learning: a random window of each, and some words hidden.

    Args:
        split: the texts.
        indices_B: which of them.
        window: words of the window, 0 for whole texts.
        word_dropout: share of words hidden, that is read as padding within the text (Iyyer et al.,
            "Deep unordered composition rivals syntactic methods", 2015, section 3.1).
        key: (seed, epoch, step), from which all chance comes.

    Returns:
        tokens_BT padded with 0, lengths_B and labels_B.
    """
    random = np.random.default_rng([*key, 1])
    rows = []
    for index in indices_B:
        row = split.text_ids(int(index))
        if window and len(row) > window:
            # beyond both ends by a quarter, so that beginnings and endings are met more often
            room, beyond = len(row) - window, window // 4
            start = min(max(int(random.integers(-beyond, room + beyond + 1)), 0), room)
            row = row[start : start + window]
        rows.append(row)
    tokens_BT, lengths_B = pad(rows)
    if word_dropout:
        dropped_BT = random.random(tokens_BT.shape, dtype=np.float32) < word_dropout
        tokens_BT[dropped_BT] = PADDING
    return tokens_BT, lengths_B, split.labels_N[indices_B].astype(np.int64)


def pad(rows: list[npt.NDArray[np.integer[Any]]]) -> tuple[Ints, Ints]:
    """Fill texts up to the longest.

    >>> pad([np.array([5]), np.array([6, 7])])[0].tolist()
    [[5, 0], [6, 7]]
    """
    lengths_B = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    tokens_BT = np.full((len(rows), max(1, int(lengths_B.max()))), PADDING, dtype=np.int64)
    for line, row in zip(tokens_BT, rows, strict=True):
        line[: len(row)] = row
    return tokens_BT, lengths_B
