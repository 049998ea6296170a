"""The figures of a classifier, and whether two classifiers differ by more than chance.

Shapes: N texts, C labels. Everything returned is plain Python, ready for JSON, and the same on each
run: sums are exact before they are rounded, so not even the order of the texts changes a figure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from marfa.errors import DataError
from marfa.evaluation.intervals import mid_p, paired, wilson

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.floating[Any]]

BINS = 15
"""Equal steps of confidence in which it is compared with accuracy."""
_SMALLEST = 1e-12
"""What a probability of 0 counts as in the log loss, which would be infinite."""
_SUM_TOLERANCE = 1e-3
"""How far a row's sum may be from 1: a softmax in half precision is this far off."""


def measure(
    truth_N: IntArray, probabilities_NC: FloatArray, labels: Sequence[str]
) -> dict[str, Any]:
    """Measure a classifier on texts whose labels are known.

    The answer to a text is its likeliest label, the first of them in a tie.

    Args:
        truth_N: index of the right label of each text, shape (N,), 0 to C - 1.
        probabilities_NC: probability of each label for each text, shape (N, C), rows that sum to 1.
        labels: the names of the labels, at least two; of two, the second is the positive one.

    Returns:
        `n`; `accuracy` and `accuracy_95`, its Wilson interval; `f1_macro`, and `f1`, which is of
        the positive label where there are two labels and else `f1_macro` again; `auroc`, one
        against the rest and averaged where C > 2, None if a label has no text; `log_loss` in nats;
        `brier`, 0 to 1 where C = 2 and else 0 to 2; `ece`, the expected calibration error of the
        answer in `BINS` bins; `calibration`, those bins that have texts; `confusion`, C x C counts
        whose rows are the truth; `classes`, precision, recall, F1 and support (number of texts).

    Raises:
        DataError: if the shapes do not fit, or a number is no probability or no label.

    >>> found = measure(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), "ab")
    >>> found["accuracy"], found["accuracy_95"], found["confusion"]
    (0.666667, [0.20766, 0.938508], [[1, 0], [1, 1]])
    >>> found["auroc"], found["calibration"][0]
    (1.0, {'confidence': 0.6, 'accuracy': 0.0, 'count': 1})
    """
    truth, found = _checked(truth_N, probabilities_NC, len(labels))
    n = len(truth)
    answers = found.argmax(1)
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (truth, answers), 1)
    right = int(confusion.trace())
    classes = [_class(confusion, index, label) for index, label in enumerate(labels)]
    macro = math.fsum(item["f1"] for item in classes) / len(classes)
    binary = len(labels) == 2
    bins = _calibration(found.max(1), answers == truth)
    surprise = -np.log(np.maximum(found[np.arange(n), truth], _SMALLEST))
    squares = ((found - np.eye(len(labels))[truth]) ** 2).sum(1)
    return {
        "n": n,
        "accuracy": _round(right / n),
        "accuracy_95": wilson(right, n),
        "f1": _round(classes[1]["f1"] if binary else macro),
        "f1_macro": _round(macro),
        "auroc": _auroc(truth, found),
        "log_loss": _round(math.fsum(surprise) / n),
        "brier": _round(math.fsum(squares) / n / (2 if binary else 1)),
        "ece": _round(
            math.fsum(abs(item["confidence"] - item["accuracy"]) * item["count"] for item in bins)
            / n
        ),
        "calibration": [_rounded(item) for item in bins],
        "confusion": confusion.tolist(),
        "classes": [_rounded(item) for item in classes],
    }


def compare(truth_N: IntArray, first_NC: FloatArray, second_NC: FloatArray) -> dict[str, Any]:
    """Say whether one classifier is better than another on the same texts.

    Args:
        truth_N: index of the right label of each text, shape (N,).
        first_NC: probabilities of the one, shape (N, C).
        second_NC: probabilities of the other, shape (N, C).

    Returns:
        `n`; `both_right`, `only_first`, `only_second` and `both_wrong`, counts of texts;
        `difference`, the first's accuracy less the second's, and `difference_95`, its interval
        after Agresti and Min; `p_value` of McNemar's test, exact, mid-p: how often chance alone
        would make a difference as large, if both were equally good.

    Raises:
        DataError: if the shapes do not fit, or a number is no probability or no label.

    >>> truth = np.zeros(10, int)
    >>> good, poor = np.tile([1.0, 0.0], (10, 1)), np.tile([0.0, 1.0], (10, 1))
    >>> poor[:4] = good[:4]
    >>> compare(truth, good, poor)["only_first"], compare(truth, good, poor)["p_value"]
    (6, 0.015625)
    """
    labels = np.shape(first_NC)[1] if np.ndim(first_NC) == 2 else 0
    truth, first = _checked(truth_N, first_NC, labels)
    _, second = _checked(truth_N, second_NC, labels)
    right_first, right_second = first.argmax(1) == truth, second.argmax(1) == truth
    only_first = int((right_first & ~right_second).sum())
    only_second = int((right_second & ~right_first).sum())
    n = len(truth)
    return {
        "n": n,
        "both_right": int((right_first & right_second).sum()),
        "only_first": only_first,
        "only_second": only_second,
        "both_wrong": int((~right_first & ~right_second).sum()),
        "difference": _round((only_first - only_second) / n),
        "difference_95": paired(only_first, only_second, n),
        "p_value": mid_p(only_first, only_second),
    }


def histogram(lengths_N: IntArray) -> dict[str, Any]:
    """Count texts by their length, in about 25 even steps that hold at least 99 % of them.

    Args:
        lengths_N: number of words of each text, shape (N,).

    Returns:
        `edges`, one more than bins; `counts`, the last with all longer texts; `median`; `longest`.

    Raises:
        DataError: if there is no text.

    >>> histogram(np.array([0, 3, 3, 9]))["counts"]
    [1, 0, 0, 2, 0, 0, 0, 0, 0, 1]
    """
    if not len(lengths_N):
        message = "found no text, expected at least one"
        raise DataError(message)
    most = max(1, int(np.quantile(lengths_N, 0.99, method="higher")))
    scale = 10 ** max(0, len(str(most)) - 3)
    step = next(s * scale for s in (1, 2, 4, 5, 10, 20, 40) if most < 25 * s * scale)
    edges = np.arange(0, most // step * step + step + 1, step)
    counts = np.bincount(np.minimum(lengths_N, most) // step, minlength=len(edges) - 1)
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "median": int(np.median(lengths_N)),
        "longest": int(np.max(lengths_N)),
    }


def _checked(
    truth_N: IntArray, probabilities_NC: FloatArray, labels: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    truth, found = np.asarray(truth_N), np.asarray(probabilities_NC)
    if found.ndim != 2 or found.shape[1] != labels or labels < 2 or found.dtype.kind not in "fiu":
        message = (
            f"found probabilities of shape {found.shape} and type {found.dtype}, "
            f"expected numbers of shape (N, {max(labels, 2)})"
        )
        raise DataError(message)
    if truth.shape != (len(found),) or truth.dtype.kind not in "iu":
        message = (
            f"found truth of shape {truth.shape} and type {truth.dtype}, "
            f"expected integers of shape ({len(found)},)"
        )
        raise DataError(message)
    if not len(truth):
        message = "found no texts, expected at least one to measure"
        raise DataError(message, hint="give the test split some texts")
    if truth.min() < 0 or truth.max() >= labels:
        message = f"found label {truth.min()} to {truth.max()}, expected 0 to {labels - 1}"
        raise DataError(message)
    found = found.astype(np.float64)
    # written so that a NaN, which compares false with everything, fails too
    fit = (found >= 0) & (found <= 1 + _SUM_TOLERANCE)
    good = fit.all(1) & (abs(np.where(fit, found, 0).sum(1) - 1) <= _SUM_TOLERANCE)
    if not good.all():
        row = int(good.argmin())
        message = f"row {row} is {found[row].tolist()}, expected probabilities that sum to 1"
        raise DataError(message)
    return truth.astype(np.int64), np.minimum(found, 1.0)


def _class(confusion: npt.NDArray[np.int64], index: int, label: str) -> dict[str, Any]:
    right = int(confusion[index, index])
    support, answered = int(confusion[index].sum()), int(confusion[:, index].sum())
    return {
        "label": str(label),
        "precision": right / answered if answered else 0.0,
        "recall": right / support if support else 0.0,
        "f1": 2 * right / (support + answered) if support + answered else 0.0,
        "support": support,
    }


def _auroc(truth: npt.NDArray[np.int64], found: npt.NDArray[np.float64]) -> float | None:
    """Return the area under the ROC curve from ranks (Mann and Whitney), ties counting half."""
    areas = []
    for label in range(1 if found.shape[1] == 2 else 0, found.shape[1]):
        positive = truth == label
        n_positive, n_negative = int(positive.sum()), int((~positive).sum())
        if not n_positive or not n_negative:
            return None
        _, place, count = np.unique(found[:, label], return_inverse=True, return_counts=True)
        twice_rank = 2 * np.cumsum(count) - count + 1
        above = int(twice_rank[place[positive]].sum()) - n_positive * (n_positive + 1)
        areas.append(above / (2 * n_positive * n_negative))
    return _round(math.fsum(areas) / len(areas))


def _calibration(
    confidence: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]
) -> list[dict[str, Any]]:
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    found = []
    for index in np.unique(place):
        inside = place == index
        count = int(inside.sum())
        found.append(
            {
                "confidence": math.fsum(confidence[inside]) / count,
                "accuracy": int(right[inside].sum()) / count,
                "count": count,
            }
        )
    return found


def _round(value: float) -> float:
    return round(float(value), 6)


def _rounded(item: dict[str, Any]) -> dict[str, Any]:
    return {key: _round(v) if isinstance(v, float) else v for key, v in item.items()}
