"""Where words stand in a text: those that the codec reads, and the pieces that they are made of."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from tests.own import texts

from marfa.settings import TextSettings
from marfa.text.codec import Codec
from marfa.text.vocab import RARE, Vocab

CODECS = {
    name: Codec(chosen, Vocab((*texts.WORDS, "movi", "bore", "café", "\u03c3\u03b1\u03c2")))
    for name, chosen in {
        "default": TextSettings(),
        "tutorial": TextSettings(alphabet="latin", stop_words="english", stem="porter"),
        "ends": TextSettings(max_words=5),
        "head": TextSettings(alphabet="latin", stem="porter", max_words=3, crop="head"),
        "tail": TextSettings(max_words=1, crop="tail"),
    }.items()
}


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=400)
@given(texts.strategy(texts.WORDS))
@example("\u0130stanbul <!-- <b> --> film<script>not</script>&eacutex")
@example("\u597d\u0301\u0323\u0301 e\u0301\u0323 q\u0301\u0323, \u1100\u1161\u11a8&nbsp;\u1100")
@example("\u03a3\u0391\u03a3 \u0130 \u03a3\u0391\u03a3")
@example("a" + "\u0316\u0301" * 40 + " film")
@example("\u0958\u0958 \u0344 \u597d\u0344 \u212b\u0323")
def test_the_words_are_those_that_are_read_and_stand_one_after_the_other(name, text):
    codec = CODECS[name]
    read = codec.encode(text)
    ids, places = codec.locate(text)
    assert ids == read.ids
    assert len(places) == len(ids)
    edges = [edge for place in places for edge in place]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= len(text) for start, end in places)


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=400)
@given(texts.strategy(texts.WORDS))
def test_each_piece_by_itself_is_that_word(name, text):
    if not unicodedata.is_normalized("NFC", text) or "\u03a3" in text:
        return  # a mark out of order, or a sigma, is read by what stands beside it
    codec = CODECS[name]
    ids, places = codec.locate(text)
    for id_, (start, end) in zip(ids, places, strict=True):
        assert codec.encode(text[start:end]).ids == [id_]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("A <b>wonder</b>ful&nbsp;film.", ["A", "wonder", "ful", "film"]),
        ("Caf&eacute;s, cafe\u0301s", ["Caf&eacute;s", "cafe\u0301s"]),
        ("Don\u2019t 'quote' me", ["Don\u2019t", "quote", "me"]),
        ("co\u00adop &notit; a&amp;b", ["co\u00adop", "it", "a", "b"]),
        ("\U0001f3ac \u5f88\u597d film", ["\u5f88", "\u597d", "film"]),
        ("<!-- a --> b <script>c</script>d < e", ["b", "d", "e"]),
        (
            "\u0641\u064a\u0644\u0645 \u0631\u0627\u0626\u0639",
            ["\u0641\u064a\u0644\u0645", "\u0631\u0627\u0626\u0639"],
        ),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", ["\u1112\u1161\u11ab\u1100\u1173\u11af"]),
    ],
)
def test_pieces_are_cut_out_of_the_text_as_it_was_sent(text, pieces):
    _, places = CODECS["default"].locate(text)
    assert [text[start:end] for start, end in places] == pieces


def test_dropped_words_have_no_place_and_cropped_ones_neither():
    _, places = CODECS["tutorial"].locate("The movies were boring")
    assert places == [(4, 10), (16, 22)]
    _, places = CODECS["ends"].locate("a b c d e f g")
    assert places == [(0, 1), (2, 3), (8, 9), (10, 11), (12, 13)]


def test_words_that_come_too_late_to_be_stemmed_are_rare_here_too():
    text = " ".join(f"w{number}s" for number in range(10_010)) + " movies"
    codec = Codec(TextSettings(alphabet="latin", stem="porter", crop="tail"), Vocab(("movi",)))
    assert codec.locate(text)[0] == codec.encode(text).ids
    assert codec.locate(text)[0][-1] == RARE


def test_what_can_be_one_with_a_letter_before_it_is_known():
    """Of canonical decompositions every second half, and all that has a place in an order."""
    from marfa.text.spans import _joins

    for point in range(0x110000):
        character = chr(point)
        if unicodedata.combining(character):
            assert _joins(character)
        decomposed = unicodedata.decomposition(character)
        if decomposed and decomposed[0] != "<" and " " in decomposed:
            assert _joins(chr(int(decomposed.split()[1], 16)))
