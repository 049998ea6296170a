"""Text to characters and back, the same for a training text and for a prompt."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.errors import DataError, SettingsError
from marfa.settings import AlphabetSettings
from marfa.text.alphabet import UNKNOWN, Alphabet

TUTORIAL = AlphabetSettings(case="lower", speakers="drop", lines="join")


@given(st.text(min_size=1))
def test_what_was_learnt_from_comes_back(text):
    alphabet = Alphabet.build(AlphabetSettings(), text)
    read = alphabet.read(text)
    assert alphabet.decode(alphabet.encode(read)) == read
    assert UNKNOWN not in alphabet.encode(read)


@given(st.text(min_size=1), st.text())
def test_a_prompt_is_stripped_as_the_training_text_was_and_once_is_enough(text, prompt):
    try:
        alphabet = Alphabet.build(TUTORIAL, text)
    except DataError:
        return
    read = alphabet.read(prompt)
    assert alphabet.read(read) == read
    assert ":" not in read
    assert "\n" not in read


@given(st.text(min_size=1))
def test_the_order_of_a_text_does_not_change_its_alphabet(text):
    forwards = Alphabet.build(AlphabetSettings(), text.replace("\r", ""))
    if forwards.symbols:
        assert forwards == Alphabet.build(AlphabetSettings(), text.replace("\r", "")[::-1])


def test_an_unseen_character_is_the_unknown_one_everywhere():
    alphabet = Alphabet.build(AlphabetSettings(), "abc")
    assert alphabet.encode("aéb") == [1, UNKNOWN, 2]
    assert alphabet.decode([1, UNKNOWN, 2]) == "a\N{REPLACEMENT CHARACTER}b"


def test_of_too_many_symbols_the_commonest_are_kept_in_order():
    alphabet = Alphabet.build(AlphabetSettings(symbols=3), "zzzaab")
    assert alphabet.symbols == ("a", "z")
    assert alphabet.size == 3


def test_two_hundred_thousand_symbols_leave_the_commonest():
    everything = "".join(map(chr, range(0x20000, 0x20000 + 200_000))) + "ab" * 3
    alphabet = Alphabet.build(AlphabetSettings(), everything)
    assert alphabet.size == 8192
    assert {"a", "b"} <= set(alphabet.symbols)


@pytest.mark.parametrize(("text", "opening"), [("a\nb c", "\n"), ("a b", " "), ("ba", "a")])
def test_an_empty_prompt_is_a_line_break_or_the_next_best(text, opening):
    assert Alphabet.build(AlphabetSettings(), text).opening == opening


def test_line_ends_of_every_system_are_one():
    assert Alphabet.build(AlphabetSettings(), "a\r\nb\rc\nd").read("a\r\nb\rc") == "a\nb\nc"


def test_it_survives_its_document():
    alphabet = Alphabet.build(TUTORIAL, "Ein Text: weg\nيبقى\nthis stays")
    document = json.loads(json.dumps(alphabet.to_json()))
    assert Alphabet.from_json(document) == alphabet


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "words"},
        {"format": 2},
        {"symbols": None},
        {"symbols": []},
        {"symbols": ["b", "a"]},
        {"symbols": ["a", "a"]},
        {"symbols": ["ab"]},
        {"symbols": [1]},
        {"text": {"case": "upper"}},
        {"text": {"surprise": 1}},
    ],
)
def test_another_document_is_refused(change):
    document = Alphabet.build(AlphabetSettings(), "ab").to_json() | change
    with pytest.raises((DataError, SettingsError)):
        Alphabet.from_json(document)


def test_nothing_left_of_a_text_is_said():
    with pytest.raises(DataError, match="holds no symbol"):
        Alphabet.build(TUTORIAL, "ROMEO:\n\n")
