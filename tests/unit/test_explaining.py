"""Why a label: faithful to the model, the same with every engine, bounded whatever the text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa import explaining
from marfa.data import dataset
from marfa.errors import RequestError
from marfa.loading import load
from marfa.predictor import Judgement
from marfa.settings import TextSettings
from marfa.text import spans
from marfa.text.codec import Codec
from marfa.text.vocab import Vocab

VALUES = {"good": 1.0, "dull": -2.0, "film": 0.0}


class Adding:
    """A model whose words add up, so that what each is worth is known; it remembers what it read."""

    labels = ("negative", "positive")
    name = "adding"
    at_once = 50

    def __init__(self, most=600):
        self.codec = Codec(TextSettings(max_words=most), Vocab(tuple(VALUES)))
        self.engine = self
        self.calls = []

    def probabilities(self, tokens_BT, lengths_B):
        self.calls.append(int(lengths_B.sum()))
        values = np.array([9.0, 0.0, *VALUES.values()])
        sums = [values[line[:size]].sum() for line, size in zip(tokens_BT, lengths_B, strict=True)]
        positive = 1 / (1 + np.exp(-np.array(sums)))
        return np.stack([1 - positive, positive], axis=1)

    def explain(self, text):
        (row,) = self.probabilities(
            np.array([self.codec.encode(text).ids]), np.array([len(self.codec.encode(text).ids)])
        )
        best = int(row.argmax())
        shares = dict(zip(self.labels, map(float, row), strict=True))
        judged = Judgement(self.labels[best], shares[self.labels[best]], shares, 1, 1, ())
        self.calls.clear()
        *steps, found = explaining.steps(self, text, judged)
        assert steps == [None] * len(self.calls)
        return found


def share(total):
    return 1 / (1 + np.exp(-total))


def test_a_weight_is_what_the_label_loses_without_the_word():
    found = Adding().explain("A good, <b>good</b> dull zut")
    whole = share(-2.0 + 2.0)
    assert [word.text for word in found.words] == ["A", "good", "good", "dull", "zut"]
    sign = 1 if found.label == "positive" else -1
    lost = [sign * (whole - share(without)) for without in (0, -1, -1, 2, 0)]
    assert [word.weight for word in found.words] == pytest.approx(lost)
    assert [(word.start, word.end) for word in found.words][1:3] == [(2, 6), (11, 15)]


def test_of_one_word_alone_a_rare_one_is_left():
    (word,) = Adding().explain("good!").words
    assert word.weight == pytest.approx(share(1.0) - share(0.0))


@given(st.integers(1, 10_000))
def test_stretches_cover_the_words_and_cost_no_more_than_is_told(count):
    pieces = explaining.stretches(count)
    assert [place for piece in pieces for place in piece] == list(range(count))
    assert count * len(pieces) <= explaining.MOST_READ + count
    assert (len(pieces) == count) == (count <= 600)


def test_a_very_long_text_is_read_a_bounded_number_of_times():
    model = Adding(most=10_000)
    found = model.explain("good film " * 6_000)
    assert len(found.words) == 10_000
    assert sum(model.calls) <= explaining.MOST_READ
    assert max(model.calls) <= 10_000


def test_engines_agree(model_path):
    texts = [
        "A wonderful film, I loved it!",
        "Caf&eacute; dull, boring; a waste of time",
        "فيلم رائع جدا",
    ]
    judged = [load(model_path, engine=engine).explain(texts) for engine in ("numpy", "onnx")]
    for one, other in zip(*judged, strict=True):
        assert one.label == other.label
        assert one.explanation.words
        for word, its in zip(one.explanation.words, other.explanation.words, strict=True):
            assert (word.text, word.start, word.end) == (its.text, its.start, its.end)
            assert word.weight == pytest.approx(its.weight, abs=1e-5)


def test_what_is_not_judged_is_not_explained(model_path):
    model = load(model_path, engine="numpy")
    assert [each.explanation for each in model.explain(["", "qzxv wvqk"])] == [None, None]
    assert model.explain([]) == []
    with pytest.raises(RequestError, match="a list of texts"):
        model.explain("good")


def fallen(model, text, order):
    """By how much the label's probability falls without a fifth of the words, the first of an order."""
    (judged,) = model.judge([text])
    words, label = text.split(), judged.label
    gone = set(order[: max(1, len(words) // 5)].tolist())
    left = " ".join(word for at, word in enumerate(words) if at not in gone)
    (without,) = model.judge([left])
    return judged.score - without.probabilities.get(label, 0.5)


def assert_is_faithful(model, texts, weigh):
    """Without the words that are said to weigh most the label loses more than without others."""
    chance = np.random.default_rng(3)
    top, others = [], []
    for text in texts:
        weights = weigh(text)
        top.append(fallen(model, text, np.argsort(-np.array(weights))))
        others += [fallen(model, text, chance.permutation(len(weights))) for _ in range(3)]
    assert np.mean(top) > np.mean(others) + 0.01  # of what the small model is sure of, 0.03 in all


def test_without_the_strongest_words_the_label_loses_more_than_without_others(trained, model_path):
    """Comprehensiveness (DeYoung et al., ERASER, 2020); with shuffled weights this test fails."""
    model = load(model_path, engine="numpy")
    texts = []
    for text in dataset.read_texts(trained.folder / "dataset", "validation"):
        read = " ".join(word for word, *_ in spans.split(text, "every"))
        (judged,) = model.judge([read])
        if judged.label and judged.total >= 8:
            texts.append(read)
    assert len(texts) >= 20

    def weights(text):
        (judged,) = model.explain([text])
        return [word.weight for word in judged.explanation.words]

    chance = np.random.default_rng(4)
    assert_is_faithful(model, texts[:40], weights)
    with pytest.raises(AssertionError):
        assert_is_faithful(model, texts[:40], lambda text: chance.permutation(weights(text)))
