"""The longest copied passage: exact, wherever it stands, and read from a long source in pieces."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marfa.evaluation import copying
from marfa.evaluation.copying import agreement, longest_copy


def longest(sample: str, source: str) -> int:
    """Try every passage."""
    return max(
        (
            end - start
            for start in range(len(sample))
            for end in range(start + 1, len(sample) + 1)
            if sample[start:end] in source
        ),
        default=0,
    )


few = st.text(alphabet="ab\n\U0001f600\ud800", max_size=40)


@given(sample=few, source=few)
@settings(deadline=None, max_examples=100)
def test_it_finds_as_long_a_passage_as_trying_every_one(sample: str, source: str) -> None:
    start, length = longest_copy(sample, source)
    assert length == longest(sample, source)
    assert sample[start : start + length] in source


@pytest.mark.parametrize(
    ("sample", "source", "found"),
    [
        ("", "", (0, 0)),
        ("a", "", (0, 0)),
        ("", "a", (0, 0)),
        ("abc", "xyz", (0, 0)),
        ("abc", "abc", (0, 3)),
        ("abcd", "cd ab", (2, 2)),  # the one that the source has first
        ("ab ab", "xab", (0, 2)),  # where the sample has it first
        ("صباح الخير", "كل صباح وخير", (0, 5)),
    ],
)
def test_what_it_says_is_settled(sample: str, source: str, found: tuple[int, int]) -> None:
    assert longest_copy(sample, source) == found


@pytest.mark.parametrize("shift", [-700, -350, -1, 0, 1, 350])
def test_a_passage_is_found_whole_where_two_pieces_meet(shift: int) -> None:
    choose = random.Random(7)
    sample = "".join(choose.choices("abcdefgh", k=1000))
    place = copying._CHUNK + shift
    source = "-" * place + sample[200:900] + "-" * 1000
    assert longest_copy(sample, source) == (200, 700)


def test_a_long_source_is_read_quickly() -> None:
    choose = random.Random(8)
    words = ["".join(choose.choices("abcdefgh", k=choose.randint(1, 8))) for _ in range(4000)]
    source = " ".join(choose.choices(words, k=600_000))
    sample = " ".join(choose.choices(words, k=300)) + source[2_000_000:2_000_100]
    began = time.perf_counter()
    start, length = longest_copy(sample, source)
    assert time.perf_counter() - began < 20
    assert length >= 100
    assert sample[start : start + length] in source


def test_passages_whose_hashes_meet_are_told_apart() -> None:
    # polynomials modulo 2^64 of this word and of its opposite are the same, whatever the base
    word = "a"
    for _ in range(11):
        word += word.translate(str.maketrans("ab", "ba"))
    opposite = word.translate(str.maketrans("ab", "ba"))
    assert longest_copy(word, opposite)[1] == 1024
    # so the whole is what is asked for where its opposite stands
    gap = "-" * 2 * copying._CHUNK
    assert longest_copy(word, word[:2047] + gap + opposite) == (0, 2047)
    assert longest_copy(word, word[:2047] + gap + opposite + word) == (0, 2048)


@pytest.mark.parametrize(
    ("first", "second", "agreed"),
    [("", "", 0), ("a", "", 0), ("abc", "abd", 2), ("abc", "abcd", 3), ("x", "y", 0)],
)
def test_agreement_ends_with_the_first_difference(first: str, second: str, agreed: int) -> None:
    assert agreement(first, second) == agreement(second, first) == agreed
