"""The model card: what a hub reads, and what a person must know, for both tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from marfa.evaluation import card

CLASSIFIER: dict[str, Any] = {
    "name": "films",
    "labels": ["bad", 'go"od'],
    "model": {"bidirectional": True, "hidden": 128},
    "data": {"data": "imdb"},
    "min_known_share": 0.25,
}
SORTED = {
    "summary": {
        "n": 12500,
        "accuracy": 0.9,
        "accuracy_95": [0.894, 0.905],
        "baseline_accuracy": 0.91,
        "majority_accuracy": 0.5,
    }
}
GENERATOR: dict[str, Any] = {
    "task": "generator",
    "name": 'plays: "a"',
    "preset": "default",
    "vocabulary": 66,
    "model": {"input": "embedding", "embedding": 64, "hidden": 512, "layers": 2, "dropout": 0.3},
    "train": {"epochs": 12},
    "data": {"data": "shakespeare"},
}
WRITTEN: dict[str, Any] = {
    "summary": {
        "bits_per_character": 2.0712,
        "loss": 1.4356,
        "perplexity": 4.2022,
        "n": 111540,
        "baseline": "7-gram",
        "baseline_bits_per_character": 2.2522,
        "unigram_bits_per_character": 4.8292,
        "median_memory": 9,
        "longest_copy": 64,
    }
}


def parts(written: str) -> tuple[dict[str, Any], str]:
    """Return the front matter, whose every line is a key and JSON, and the text."""
    _, front, body = written.split("---\n", 2)
    lines = (line.partition(": ") for line in front.splitlines())
    return {key: json.loads(value) for key, _, value in lines}, body


def test_a_generators_card_is_one_of_text_generation() -> None:
    front, _ = parts(card.write(GENERATOR, WRITTEN))
    assert front["pipeline_tag"] == "text-generation"
    assert "text-generation" in front["tags"]
    assert front["datasets"] == ["shakespeare"]
    [index] = front["model-index"]
    assert index["name"] == 'plays: "a"'
    [result] = index["results"]
    assert result["task"] == {"type": "text-generation"}
    assert {"type": "bits_per_character", "value": 2.0712} in result["metrics"]


def test_a_generators_card_says_how_good_it_is_how_to_use_it_and_what_it_has_by_heart() -> None:
    _, body = parts(card.write(GENERATOR, WRITTEN))
    said = " ".join(body.split())
    for words in (
        "A character-level LSTM (2 layers of 512 units) that continues a text.",
        "on 111,540 characters",
        "| this network | 2.0712 (perplexity 4.202) |",
        "| 7-gram, interpolated modified Kneser-Ney | 2.2522 |",
        "| the frequency of each character alone | 4.8292 |",
        "marfa serve model.tar.gz",
        "marfa generate model.tar.gz --prompt",
        "agree with that text for 9 characters or fewer",
        "word for word has 64 characters",
        "not a source of facts",
        "bundle.json",
    ):
        assert words in said


def test_one_is_written_as_one() -> None:
    config = GENERATOR | {"model": GENERATOR["model"] | {"layers": 1}}
    summary = WRITTEN["summary"] | {"median_memory": 1, "longest_copy": 1}
    said = " ".join(card.write(config, {"summary": summary}).split())
    assert "LSTM (one layer of 512 units)" in said
    assert "for 1 character or fewer" in said
    assert "word has 1 character." in said


@pytest.mark.parametrize("task", [{}, {"task": "classifier"}, {"task": "sentiment"}])
def test_any_other_task_has_a_classifiers_card(task: dict[str, str]) -> None:
    front, body = parts(card.write(CLASSIFIER | task, SORTED))
    assert front["pipeline_tag"] == "text-classification"
    assert front["datasets"] == ["imdb"]
    assert front["model-index"][0]["results"][0]["metrics"] == [{"type": "accuracy", "value": 0.9}]
    assert 'sorts a text into: bad, go"od.' in body
    assert "| this network | 0.9000 (95 % interval 0.8940 to 0.9050) |" in body
    assert "marfa predict model.tar.gz" in body


@pytest.mark.parametrize(("config", "metrics"), [(CLASSIFIER, SORTED), (GENERATOR, WRITTEN)])
def test_data_of_ones_own_is_not_taken_for_a_public_data_set(
    config: dict[str, Any], metrics: dict[str, Any]
) -> None:
    front, _ = parts(card.write(config | {"data": {"data": "letters.txt"}}, metrics))
    assert front["datasets"] == ["own data"]
