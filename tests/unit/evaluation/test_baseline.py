"""The baselines: they learn what a bag of words can learn, in any script, and never fall over."""

from __future__ import annotations

import numpy as np
import pytest

from marfa.errors import DataError
from marfa.evaluation.baseline import bag_of_words, majority

LABELS = ["bad", "good"]


def films(words: tuple[list[str], list[str]], n: int) -> tuple[list[str], np.ndarray]:
    random = np.random.default_rng(len(words[0][0]))
    truth = random.integers(0, 2, n)
    noise = [f"w{index}" for index in range(30)]
    texts = [" ".join([*random.choice(noise, 8), random.choice(words[label])]) for label in truth]
    return texts, truth


@pytest.mark.parametrize(
    "words",
    [
        (["awful", "boring"], ["lovely", "moving"]),
        (["ممل", "سيئ"], ["رائع", "جميل"]),
        (["难看", "无聊"], ["精彩", "感人"]),
        (["b"], ["g"]),
        (["उबाऊ"], ["सुंदर"]),
    ],
)
def test_it_learns_the_telling_words_of_any_script(words: tuple[list[str], list[str]]) -> None:
    texts, truth = films(words, 260)
    found = bag_of_words(texts[:200], truth[:200], texts[200:], LABELS)
    assert found.shape == (60, 2)
    assert (found.argmax(1) == truth[200:]).mean() > 0.95
    np.testing.assert_allclose(found.sum(1), 1)


def test_it_knows_not_good_from_good() -> None:
    truth = np.arange(400) % 2
    texts = ["one is not good and bad" if label else "one is not bad and good" for label in truth]
    found = bag_of_words(texts, truth, texts[:2], LABELS)
    assert found.argmax(1).tolist() == [0, 1]


def test_markup_is_not_a_word() -> None:
    texts, truth = ["fine <br />", "poor"] * 20, np.array([1, 0] * 20)
    found = bag_of_words(texts, truth, ["<br />", "br", "fine"], LABELS)
    np.testing.assert_allclose(found[0], found[1])
    assert found[2, 1] > found[0, 1]


def test_the_same_texts_give_the_same_bytes() -> None:
    texts, truth = films((["awful"], ["lovely"]), 60)
    first, second = (bag_of_words(texts, truth, texts, LABELS) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_with_many_texts_a_word_seen_once_is_left_out() -> None:
    truth = np.arange(1200) % 2
    texts = [f"{'lovely' if label else 'awful'} only{index}" for index, label in enumerate(truth)]
    found = bag_of_words(texts, truth, ["only7", "neverseen"], LABELS)
    np.testing.assert_allclose(found[0], found[1])


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["a good film"] * 3, [1, 1, 1]),
        (["", " ", "..."], [0, 1, 1]),
        ([f"alone{index}" for index in range(1200)], [0, 1, 1] * 400),
    ],
)
def test_where_nothing_can_be_learnt_it_answers_as_the_majority(
    texts: list[str], labels: list[int]
) -> None:
    truth = np.array(labels)
    found = bag_of_words(texts, truth, ["a good film", ""], LABELS)
    np.testing.assert_array_equal(found, majority(truth, 2, 2))


def test_a_label_that_training_lacks_is_never_given() -> None:
    texts, truth = ["red apple", "blue sea"] * 10, np.array([0, 3] * 10)
    found = bag_of_words(texts, truth, ["blue", "red"], ["a", "b", "c", "d"])
    assert found.argmax(1).tolist() == [3, 0]
    assert not found[:, 1:3].any()


def test_no_test_texts_are_answered_by_no_rows() -> None:
    assert bag_of_words(["a", "b"], np.array([0, 1]), [], LABELS).shape == (0, 2)


def test_hostile_texts_are_read_like_others() -> None:
    texts = ["\x00\ud800 bad", "good " * 5000, "<script>", "$ % {0} \\"] * 3
    found = bag_of_words(texts, np.array([0, 1, 0, 1] * 3), texts, LABELS)
    assert np.isfinite(found).all()


def test_the_majority_answers_with_the_shares_of_training() -> None:
    found = majority(np.array([2, 0, 2, 2]), 3, 4)
    assert found.tolist() == [[0.25, 0, 0.75, 0]] * 3


@pytest.mark.parametrize("labels", [[], [[0], [1]], [0.5, 1.0], [0, 2], [-1, 0]])
def test_labels_that_are_none_are_refused(labels: list[float]) -> None:
    with pytest.raises(DataError, match="found label"):
        majority(np.array(labels), 1, 2)


def test_a_text_without_a_label_is_refused() -> None:
    with pytest.raises(DataError, match="found 2 texts and 1 labels"):
        bag_of_words(["a", "b"], np.array([0]), ["a"], LABELS)
