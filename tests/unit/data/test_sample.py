"""The embedded reviews: enough, balanced, and each written on its own."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from importlib import resources

import pytest

from marfa.data import sample

LINES = resources.files("marfa").joinpath("data", "sample.jsonl").read_bytes()
ENTRIES: list[dict[str, str]] = [json.loads(line) for line in LINES.splitlines()]
TEXTS = [entry["text"] for entry in ENTRIES]
WORDS = [re.findall(r"\w+", text.lower()) for text in TEXTS]


def test_every_line_is_a_row_without_a_split() -> None:
    rows = list(sample.read())
    assert [(row.text, row.label) for row in rows] == [
        (entry["text"], entry["label"]) for entry in ENTRIES
    ]
    assert {row.split for row in rows} == {""}
    assert [row.origin for row in rows[:2]] == ["sample.jsonl:1", "sample.jsonl:2"]


def test_every_line_has_the_four_keys_and_nothing_else() -> None:
    assert {tuple(sorted(entry)) for entry in ENTRIES} == {("label", "language", "subject", "text")}


def test_there_are_at_least_six_hundred() -> None:
    assert len(ENTRIES) >= 600


@pytest.mark.parametrize("key", ["language", "subject"])
def test_half_of_each_language_and_of_each_subject_is_positive(key: str) -> None:
    counts = Counter((entry[key], entry["label"]) for entry in ENTRIES)
    for value in {entry[key] for entry in ENTRIES}:
        assert counts[value, "positive"] == counts[value, "negative"]
    assert {label for _, label in counts} == {"positive", "negative"}


def test_the_subjects_are_the_four_and_the_languages_the_three() -> None:
    assert {entry["subject"] for entry in ENTRIES} == {"film", "restaurant", "book", "gadget"}
    assert {entry["language"] for entry in ENTRIES} == {"en", "ar", "fr"}


def test_arabic_and_french_have_sixty_texts_at_least() -> None:
    counts = Counter(entry["language"] for entry in ENTRIES)
    assert counts["ar"] >= 60
    assert counts["fr"] >= 60


def test_each_language_is_written_in_its_own_script() -> None:
    for entry in ENTRIES:
        names = [unicodedata.name(letter, "") for letter in entry["text"] if letter.isalpha()]
        script = "ARABIC" if entry["language"] == "ar" else "LATIN"
        assert sum(name.startswith(script) for name in names) > 0.9 * len(names)


def test_every_text_is_plain_composed_and_of_a_readable_length() -> None:
    for text, words in zip(TEXTS, WORDS, strict=True):
        assert 12 <= len(words) <= 90
        assert text == unicodedata.normalize("NFC", text).strip()
        assert not re.search(r"[<>\x00-\x1f\ufffd]", text)


def test_no_two_are_alike_but_for_case_and_punctuation() -> None:
    assert len({" ".join(words) for words in WORDS}) == len(ENTRIES)


def test_no_two_begin_with_the_same_five_words() -> None:
    counts = Counter(tuple(words[:5]) for words in WORDS)
    assert [start for start, count in counts.items() if count > 1] == []


def test_no_six_words_in_a_row_stand_in_more_than_three_texts() -> None:
    counts: Counter[tuple[str, ...]] = Counter()
    for words in WORDS:
        counts.update({tuple(words[place : place + 6]) for place in range(len(words) - 5)})
    assert [run for run, count in counts.items() if count > 3] == []
