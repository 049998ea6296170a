"""One path from text to numbers, which survives being written down."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.errors import MarfaError
from marfa.settings import TextSettings
from marfa.text import words
from marfa.text.codec import Codec, count_words, crop
from marfa.text.vocab import RARE, Vocab

PRESETS = {
    "default": TextSettings(),
    "tutorial": TextSettings(alphabet="latin", stop_words="english", stem="porter", max_words=500),
}
WORDS = Vocab(("movi", "film", "movie", "good", "don't", "ممتاز"))


@pytest.mark.parametrize("preset", PRESETS)
@given(text=st.text(st.characters()))
def test_what_is_written_down_reads_the_same(preset, text):
    codec = Codec(PRESETS[preset], WORDS)
    again = Codec.from_json(json.loads(json.dumps(codec.to_json())))
    assert again.encode(text) == codec.encode(text)


@given(st.lists(st.sampled_from([*WORDS.words, "zut", "the"])))
def test_known_and_unknown_words_are_counted(words):
    encoded = Codec(TextSettings(), WORDS).encode(" ".join(words))
    assert encoded.total == len(words)
    assert encoded.known == sum(word in WORDS.ids for word in words)
    assert set(encoded.unknown) == {word for word in words if word not in WORDS.ids}
    assert encoded.ids.count(RARE) == encoded.total - encoded.known


def test_stop_words_are_neither_known_nor_unknown():
    encoded = Codec(PRESETS["tutorial"], WORDS).encode("The movies and the zut")
    assert (encoded.ids, encoded.known, encoded.total, encoded.unknown) == (
        [2, RARE],
        1,
        2,
        ("zut",),
    )


@given(st.lists(st.integers(2, 9)), st.integers(1, 12), st.sampled_from(["head", "tail", "ends"]))
def test_a_crop_keeps_the_limit_and_the_order(ids, limit, side):
    kept = crop(ids, limit, side)
    assert len(kept) == min(len(ids), limit)
    remaining = iter(ids)
    assert all(any(each == one for one in remaining) for each in kept)


@given(st.lists(st.text(st.sampled_from("ab <&'é"), max_size=20)))
def test_words_are_counted_as_they_are_encoded(texts):
    counts = count_words(texts, TextSettings())
    if counts:
        codec = Codec(TextSettings(max_words=10_000), Vocab.build(counts, size=1000))
        assert sum(len(codec.encode(text).ids) for text in texts) == sum(counts.values())
        assert all(RARE not in codec.encode(text).ids for text in texts)


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"kind": "words", "format": 2},
        {"kind": "words", "format": 1},
        {"kind": "words", "format": 1, "vocabulary": ["a"], "text": {"colour": 1}},
        {"kind": "words", "format": 1, "vocabulary": ["a"], "text": {"max_words": 0}},
        {"kind": "words", "format": 1, "vocabulary": [], "text": {}},
    ],
)
def test_a_damaged_document_is_refused(document):
    with pytest.raises(MarfaError):
        Codec.from_json(document)


def test_texts_of_endless_new_words_cost_no_memory():
    codec = Codec(TextSettings(), WORDS)
    for number in range(50):
        codec.encode(f"{number}" * 10_000)
    assert sum(map(len, codec._memo)) < 10_000


def test_words_after_ten_thousand_different_ones_are_rare_where_words_are_stemmed():
    new = " ".join(f"w{number}s" for number in range(words.MOST_STEMMED))
    text = f"movies {new} films the movies"
    kinds = {"stem": "porter", "stop_words": "english", "crop": "tail", "max_words": 2}
    vocab = Vocab(("film", "movi", "films"))
    found = Codec(TextSettings(**kinds), vocab).encode(text)
    assert (found.known, found.total) == (2, words.MOST_STEMMED + 3)  # "the" is dropped, as ever
    assert found.ids == [RARE, vocab.ids["movi"]]
    again = Codec(TextSettings(**kinds), vocab)
    again.encode("films movies")  # what was read before decides nothing
    assert again.encode(text) == found
    assert again.encode("films").known == 1
    assert Codec(TextSettings(crop="tail", max_words=2), vocab).encode(text).known == 1
