"""The figures, against scikit-learn's where it has them, and by their properties."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from marfa.errors import DataError
from marfa.evaluation.metrics import FloatArray, IntArray, compare, histogram, measure

Case = tuple[IntArray, FloatArray, list[str]]


@st.composite
def cases(draw: st.DrawFn, least: int = 1) -> Case:
    """Draw truth and probabilities, with ties, zeros and ones among them."""
    n, labels = draw(st.integers(least, 40)), draw(st.integers(2, 4))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    weights = random.integers(0, draw(st.sampled_from([2, 3, 1000])), (n, labels)).astype(float)
    weights[weights.sum(1) == 0, 0] = 1
    found = weights / weights.sum(1, keepdims=True)
    truth = random.integers(0, draw(st.integers(1, labels)), n)
    return truth, found, [f"label {index}" for index in range(labels)]


@given(cases())
def test_the_figures_agree_with_scikit_learn(case: Case) -> None:
    truth, found, labels = case
    every, answers = list(range(len(labels))), found.argmax(1)
    measured = measure(truth, found, labels)
    assert measured["confusion"] == oracle.confusion_matrix(truth, answers, labels=every).tolist()
    assert measured["accuracy"] == pytest.approx(oracle.accuracy_score(truth, answers), abs=1e-6)
    precision, recall, f1, support = oracle.precision_recall_fscore_support(
        truth, answers, labels=every, zero_division=0
    )
    for key, column in {"precision": precision, "recall": recall, "f1": f1}.items():
        assert [c[key] for c in measured["classes"]] == pytest.approx(column.tolist(), abs=1e-6)
    assert [c["support"] for c in measured["classes"]] == support.tolist()
    assert measured["f1_macro"] == pytest.approx(f1.mean(), abs=1e-6)
    assert measured["f1"] == pytest.approx(f1[1] if len(labels) == 2 else f1.mean(), abs=1e-6)
    chosen = np.clip(found[np.arange(len(truth)), truth], 1e-12, None)
    assert measured["log_loss"] == pytest.approx(-np.log(chosen).mean(), abs=1e-6)
    brier = oracle.brier_score_loss(np.eye(len(labels))[truth], found, scale_by_half=False)
    assert measured["brier"] == pytest.approx(brier / (2 if len(labels) == 2 else 1), abs=1e-6)


@given(cases(least=4))
def test_the_area_under_the_curve_is_scikit_learns_or_none(case: Case) -> None:
    truth, found, labels = case
    area = measure(truth, found, labels)["auroc"]
    if len(np.unique(truth)) < len(labels):
        assert area is None
    else:
        areas = [
            oracle.roc_auc_score(truth == index, found[:, index]) for index in range(len(labels))
        ]
        assert area == pytest.approx(np.mean(areas), abs=1e-6)


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_texts_changes_nothing(case: Case, random: Any) -> None:
    truth, found, labels = case
    order = list(range(len(truth)))
    random.shuffle(order)
    assert measure(truth[order], found[order], labels) == measure(truth, found, labels)


@given(cases())
def test_the_figures_are_json_and_within_their_limits(case: Case) -> None:
    truth, found, labels = case
    measured = measure(truth, found, labels)
    assert json.loads(json.dumps(measured, allow_nan=False)) == measured
    low, high = measured["accuracy_95"]
    assert 0 <= low <= measured["accuracy"] <= high <= 1
    assert sum(map(sum, measured["confusion"])) == measured["n"] == len(truth)
    assert sum(item["count"] for item in measured["calibration"]) == len(truth)
    assert 0 <= measured["ece"] <= 1
    assert 0 <= measured["brier"] <= (1 if len(labels) == 2 else 2)
    least = 1 / len(labels) - 1e-6
    assert all(item["confidence"] >= least for item in measured["calibration"])


def test_calibration_weighs_how_sure_against_how_right() -> None:
    truth = np.array([1] * 60 + [0] * 40)
    found = np.tile([0.1, 0.9], (100, 1))
    measured = measure(truth, found, ["bad", "good"])
    assert measured["calibration"] == [{"confidence": 0.9, "accuracy": 0.6, "count": 100}]
    assert measured["ece"] == 0.3


def test_certainty_that_is_wrong_costs_much_but_not_everything() -> None:
    measured = measure(np.array([0, 1]), np.array([[0.0, 1.0], [1.0, 0.0]]), "ab")
    assert measured["accuracy"] == measured["auroc"] == 0
    assert measured["log_loss"] == pytest.approx(27.631021)
    assert measured["brier"] == measured["ece"] == 1


def test_half_precision_is_precise_enough() -> None:
    logits = np.random.default_rng(1).normal(size=(200, 7)).astype(np.float16)
    powers = np.exp(logits)
    found = powers / powers.sum(1, keepdims=True)
    assert measure(np.zeros(200, np.int32), found, "abcdefg")["n"] == 200


NAN, HALVES = float("nan"), [[0.5, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("truth", "found", "said"),
    [
        ([0, 1], [[0.5, 0.5]], r"truth of shape \(2,\)"),
        ([[0], [1]], HALVES, r"truth of shape \(2, 1\)"),
        ([0.0, 1.0], HALVES, "expected integers"),
        ([0, 1], [0.5, 0.5], r"shape \(2,\)"),
        ([0, 1], [[0.2, 0.3, 0.5]] * 2, r"expected numbers of shape \(N, 2\)"),
        ([0, 1], [["a", "b"]] * 2, "expected numbers"),
        ([0, 2], HALVES, "label 0 to 2, expected 0 to 1"),
        ([-1, 0], HALVES, "label -1 to 0"),
        ([0, 1], [[0.5, 0.5], [NAN, 0.5]], "row 1 is"),
        ([0, 1], [[0.5, 0.5], [float("inf"), 0]], "row 1 is"),
        ([0, 1], [[1.5, -0.5], [0.5, 0.5]], "row 0 is"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.4]], "row 1 is"),
    ],
)
def test_what_cannot_be_measured_is_named(truth: Any, found: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        measure(np.array(truth), np.array(found), ["a", "b"])
    with pytest.raises(DataError):
        compare(np.array(truth), np.array(found), np.array(HALVES))


def test_no_text_no_second_label_and_less_than_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="no texts"):
        measure(np.zeros(0, int), np.zeros((0, 2)), ["a", "b"])
    with pytest.raises(DataError, match="row 0 is"):
        measure(np.array([0]), np.array([[-0.2, 0.6, 0.6]]), ["a", "b", "c"])
    with pytest.raises(DataError, match=r"shape \(N, 2\)"):
        measure(np.zeros(3, int), np.ones((3, 1)), ["a"])


@given(cases(), st.integers(0, 10**6))
def test_a_comparison_counts_every_text_and_turns_round(case: Case, seed: int) -> None:
    truth, first, labels = case
    second = np.random.default_rng(seed).permuted(first, axis=1)
    found, turned = compare(truth, first, second), compare(truth, second, first)
    cells = ("both_right", "only_first", "only_second", "both_wrong")
    assert sum(found[cell] for cell in cells) == found["n"] == len(truth)
    assert turned["difference"] == -found["difference"]
    assert turned["p_value"] == found["p_value"]
    accuracies = [measure(truth, each, labels)["accuracy"] for each in (first, second)]
    assert found["difference"] == pytest.approx(accuracies[0] - accuracies[1], abs=2e-6)


def test_a_classifier_does_not_differ_from_itself() -> None:
    truth, found = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    same = compare(truth, found, found)
    assert (same["difference"], same["p_value"]) == (0.0, 1.0)
    assert (same["both_right"], same["both_wrong"]) == (2, 1)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60))
def test_a_histogram_counts_every_text_once_in_few_bins(lengths: list[int]) -> None:
    found = histogram(np.array(lengths))
    assert sum(found["counts"]) == len(lengths)
    assert len(found["edges"]) == len(found["counts"]) + 1 <= 27
    assert found["edges"][0] == 0
    assert found["longest"] == max(lengths)
    assert len(set(np.diff(found["edges"]))) == 1
    assert json.loads(json.dumps(found)) == found


def test_one_giant_text_does_not_hide_the_others() -> None:
    found = histogram(np.array([50, 100, 150, 200] * 50 + [1_000_000]))
    assert found["edges"][-1] < 300
    assert len(found["counts"]) == len(found["edges"]) - 1
    assert (sum(found["counts"]), found["counts"][-1]) == (201, 51)
    assert (found["median"], found["longest"]) == (150, 1_000_000)
    with pytest.raises(DataError, match="no text"):
        histogram(np.zeros(0, int))
