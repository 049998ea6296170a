"""Words in every script."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snowballstemmer.porter_stemmer import PorterStemmer

from marfa.settings import TextSettings
from marfa.text import porter
from marfa.text.stopwords import ENGLISH
from marfa.text.words import normaliser, split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I DIDN'T like it.", ["i", "didn't", "like", "it"]),
        ("l\u2019été", ["l'été"]),
        ("'quoted' ''", ["quoted"]),
        ("rock 'n' roll", ["rock", "n", "roll"]),
        ("فيلمٌ رائعٌ", ["فيلمٌ", "رائعٌ"]),
        ("फ़िल्म अच्छी", ["फ़िल्म", "अच्छी"]),
        ("영화 좋아요", ["영화", "좋아요"]),
        ("Ελλάς ΚΌΣΜΟΣ", ["ελλάς", "κόσμος"]),
        ("soft\u00adhyphen zero\u200dwidth", ["softhyphen", "zerowidth"]),
        ("10/10 👍 a_b", ["10", "10", "a", "b"]),
        ("好看abc", ["好", "看", "abc"]),
        ("\x00 \ud800 \ufffe", []),
    ],
)
def test_every_script_has_words(text, words):
    assert split(text, "every") == words


@given(st.text(st.characters()))
def test_words_hold_letters_only_and_are_never_empty(text):
    for word in split(text, "every"):
        assert word
        assert all(
            c.isalnum() or c == "'" or __import__("unicodedata").category(c)[0] in "LMN"
            for c in word
        )
    for word in split(text, "latin"):
        assert word.isascii()
        assert word.isalnum()


@given(st.text(st.characters()), st.text(st.characters()))
def test_a_space_separates(left, right):
    assert split(f"{left} {right}", "latin") == split(left, "latin") + split(right, "latin")


def test_the_stop_list_is_lower_case_and_the_default_drops_nothing():
    assert all(word == word.lower() for word in ENGLISH)
    assert {"the", "not", "just", "t"} <= ENGLISH
    assert not {"good", "bad", "film", "like", "well"} & ENGLISH
    normal = normaliser(TextSettings())
    assert [normal(word) for word in ("not", "no", "never", "don't")] == [
        "not",
        "no",
        "never",
        "don't",
    ]


def test_short_words_and_monsters_are_not_stemmed():
    normal = normaliser(TextSettings(stem="porter"))
    assert [normal(w) for w in ("one", "use", "movies", "loved")] == ["one", "use", "movi", "love"]
    assert normal("s" * 100_000) == "s" * 100_000


_SUFFIXES = """
s es ies sses ss eed ed ing y ational tional enci anci izer bli alli entli eli ousli ization ation ator
alism iveness fulness ousness aliti iviti biliti icate ative alize iciti ical ful ness al ance ence er
ic able ible ant ement ment ent ion ou ism ate iti ous ive ize e ll at bl iz tt bb
"""
_WORDS = st.builds(
    lambda start, ends: start + "".join(ends),
    st.text("aeiouybcstlwxz1\u00e9\u0434", max_size=6),
    st.lists(st.sampled_from(_SUFFIXES.split()), max_size=4),
).filter(bool)


@settings(max_examples=2000)
@given(_WORDS)
def test_porters_stems_are_those_of_snowball(word):
    assert porter.stem(word) == PorterStemmer().stemWord(word)
