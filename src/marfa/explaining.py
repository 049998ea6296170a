"""Why a label: what it loses without each word.

Each word that was read is taken out in turn, and its weight is by how much the label's probability falls
(occlusion: Zeiler and Fergus, 2014; "erasure": Li, Monroe and Jurafsky, 2016). It asks nothing of an
engine but probabilities, so it is the same with every engine. Decision 27 says what it was chosen from,
and by which test; `web/explaining.js` is its twin.

Legend: B texts without one stretch each, T words of the longest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from marfa.text.vocab import PADDING, RARE

Ints = npt.NDArray[np.int64]

if TYPE_CHECKING:
    from marfa.predictor import Judgement, Predictor

MOST_READ = 360_000
"""Words read for one explanation, about: up to 600 words are taken out one by one, as many as the
default preset reads; of more, stretches of equal length, so that no text takes longer."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was read, and what it adds to the label.

    Attributes:
        text: the piece of the text that it stands for, as it was sent.
        start: where that begins, in code points from 0.
        end: where it ends.
        weight: by how much the label's probability falls without the word, -1 to 1; below 0 the word
            speaks against the label.
    """

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text has its label.

    Attributes:
        label: the label.
        words: all words that were read, in order: those that are not dropped, nor cropped away.
    """

    label: str
    words: tuple[Word, ...]


def steps(model: Predictor, text: str, judgement: Judgement) -> Iterator[Explanation | None]:
    """Explain a judgement, in steps between which others may have the machine.

    Args:
        model: what has judged.
        text: the text.
        judgement: what it said of it; it has a label.

    Yields:
        None after each call of the engine, and at last the explanation.
    """
    assert judgement.label is not None
    ids, spans = model.codec.locate(text)
    label = model.labels.index(judgement.label)
    whole = judgement.probabilities[judgement.label]
    weights: list[float] = []
    pieces = stretches(len(ids))
    some = max(1, model.engine.at_once // len(ids))
    for first in range(0, len(pieces), some):
        tokens_BT, lengths_B = _without(ids, pieces[first : first + some])
        rows_BC = model.engine.probabilities(tokens_BT, lengths_B)
        for piece, row_C in zip(pieces[first : first + some], rows_BC, strict=True):
            weights += [(whole - float(row_C[label])) / len(piece)] * len(piece)
        yield None
    words = (
        Word(text[start:end], start, end, weight)
        for (start, end), weight in zip(spans, weights, strict=True)
    )
    yield Explanation(judgement.label, tuple(words))


def stretches(count: int) -> list[range]:
    """Cut so many words into stretches that are taken out together.

    >>> stretches(3), len(stretches(600)), len(stretches(601)), len(stretches(10_000))
    ([range(0, 1), range(1, 2), range(2, 3)], 600, 301, 36)
    """
    size = max(1, -(-count * count // MOST_READ))
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def _without(ids: Sequence[int], pieces: Sequence[range]) -> tuple[Ints, Ints]:
    """Return texts without one stretch each, and their lengths; where it is all, a rare word is left."""
    left = [[*ids[: piece.start], *ids[piece.stop :]] or [RARE] for piece in pieces]
    lengths_B = np.array([len(each) for each in left], dtype=np.int64)
    tokens_BT = np.full((len(left), int(lengths_B.max())), PADDING, dtype=np.int64)
    for line, each in zip(tokens_BT, left, strict=True):
        line[: len(each)] = each
    return tokens_BT, lengths_B
