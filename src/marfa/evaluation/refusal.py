"""Below what a classifier had better not judge, found out on texts that it has not learnt from.

Selective prediction (El-Yaniv and Wiener, JMLR 2010; Geifman and El-Yaniv, NeurIPS 2017): texts are made
worse step by step, and what is declined lies below the first step from which on the network keeps its
promise. Of the validation part only: on the test part the figures of the report are taken. Nothing
is chosen for short texts: a stretch of a long text need not speak for its label, so it says nothing of
how a whole text of so few words is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

DECLARED = 0.5
"""What is taken where there are too few texts to choose by."""
LEAST = 200
"""Texts below which nothing is chosen: an accuracy would be known to more than 4 points only."""
_MOST = 1000
KEPT = 0.9
"""Of what the accuracy on whole texts is above that of the commonest label."""
FREE = 0.01
_STRETCH = 8
"""Words in stretches of which at most the share `FREE` is declined for its unknown words."""
SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9)
_SEED = 1

Ids = npt.NDArray[np.integer[Any]]
Judge = Callable[[Sequence[Ids]], npt.NDArray[np.float64]]
"""Returns probabilities_NC of texts."""


@dataclass(frozen=True)
class _Point:
    at: float
    accuracy: float
    score: float

    @property
    def document(self) -> dict[str, float]:
        return {"at": self.at, "accuracy": round(self.accuracy, 4), "score": round(self.score, 4)}


def choose(
    texts: Sequence[Ids], labels_N: npt.NDArray[np.int64], judge: Judge, rare: int
) -> dict[str, Any]:
    """Choose the share of known words below which a text is declined, and say what was seen.

    Args:
        texts: word ids of texts that the network has not learnt from, at least one each.
        labels_N: the label's index of each.
        judge: the network.
        rare: the id of every unknown word, and the highest of those that are no known word's.

    Returns:
        `min_known_share`, whether it was `chosen` on data, and the curve that it was chosen by.
    """
    texts, labels_N = texts[:_MOST], labels_N[:_MOST]
    if len(texts) < LEAST:
        return {
            "chosen": False,
            "texts": len(texts),
            "min_known_share": DECLARED,
        }
    random = np.random.default_rng(_SEED)
    before = _measure(1.0, texts, labels_N, judge)
    chance = float(np.bincount(labels_N).max() / len(labels_N))
    least = chance + KEPT * (before.accuracy - chance)
    by_share = [
        _measure(share, [_thinned(ids, share, rare, random) for ids in texts], labels_N, judge)
        for share in SHARES
    ]
    needed = _first([*by_share, before], lambda point: point.accuracy >= least)
    free = _free([_stretch(ids, _STRETCH, random) for ids in texts if len(ids) >= _STRETCH], rare)
    return {
        "chosen": True,
        "texts": len(texts),
        "min_known_share": max(min(needed, SHARES[-1]), free),
        "needed_share": needed,
        "free_share": free,
        "accuracy": round(before.accuracy, 4),
        "kept_accuracy": round(least, 4),
        "by_share": [point.document for point in by_share],
    }


def _first(points: list[_Point], holds: Callable[[_Point], bool]) -> float:
    """Return from where on a promise is kept at every point; the last point where at none."""
    found = points[-1].at
    for point in reversed(points):
        if not holds(point):
            break
        found = point.at
    return found


def _free(stretches: list[Ids], rare: int) -> float:
    """Return the highest share of known words that hardly a stretch of these texts is below."""
    if len(stretches) < LEAST:
        return 0.0
    known_N = np.sort([int((ids > rare).sum()) for ids in stretches])
    return float(min(known_N[int(FREE * len(known_N))] / _STRETCH, SHARES[-1]))


def _measure(
    at: float,
    texts: Sequence[Ids],
    labels_N: npt.NDArray[np.int64],
    judge: Judge,
) -> _Point:
    found_NC = judge(texts)
    right = float((found_NC.argmax(axis=1) == labels_N).mean())
    return _Point(at, right, float(found_NC.max(axis=1).mean()))


def _thinned(ids: Ids, share: float, rare: int, random: np.random.Generator) -> Ids:
    """Make words of a text unknown until no more than a share is known; at least one stays."""
    made = np.array(ids)
    known = np.flatnonzero(made > rare)
    excess = len(known) - max(1, int(share * len(made)))
    if excess > 0:
        made[random.choice(known, excess, replace=False)] = rare
    return made


def _stretch(ids: Ids, length: int, random: np.random.Generator) -> Ids:
    """Cut so many words out of a text, from anywhere; a shorter text stays whole."""
    start = int(random.integers(0, max(1, len(ids) - length + 1)))
    return np.array(ids[start : start + length])
