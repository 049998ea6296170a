"""From clean text to words.

Two alphabets. `latin` keeps unaccented letters and digits only, as the tutorial did. `every` keeps
letters, marks and digits of every script; an apostrophe inside a word stays ("don't" is one word),
and scripts that are written without spaces are split into characters.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from threading import Lock

from marfa.settings import TextSettings
from marfa.text import porter
from marfa.text.stopwords import ENGLISH

_NOT_LATIN = re.compile(r"[^a-z0-9]+")
_LATIN = [chr(code) if _NOT_LATIN.match(chr(code)) is None else " " for code in range(128)]
APOSTROPHES = "'\u2019\u02bc\uff07"
STEMMED = range(4, 65)
"""Lengths that are stemmed: Porter's rules make "on" of "one" and "us" of "use", as nobody wants (the
tutorial's stemmer, NLTK's, has an exception for this too); and what is longer is not a word."""
MOST_STEMMED = 10_000
"""Different words of one text that are stemmed, more than 256 kB of a real language hold; those that
come after them count as rare, so that a text of endless new words costs no more than that."""
_MAX_CACHED = 1 << 16
"""Characters remembered, about as many as the first plane has; a bound against hostile texts."""

# Written without spaces: each character is a word (Han and kana), or starts one (South-East Asia,
# where vowel signs follow their letter).
ALONE = (
    (0x3040, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)
STARTS = ((0x0E01, 0x0E30), (0x0E81, 0x0EB0), (0x1000, 0x102A), (0x1780, 0x17B3))
_SPACED = sorted([(*each, " x ") for each in ALONE] + [(*each, " x") for each in STARTS])
_EDGES = [edge for low, high, _ in _SPACED for edge in (low, high + 1)]
_WRITTEN = ["", *(each for _, _, form in _SPACED for each in (form, ""))]
"""How a character is written from each of the edges on; "" for as it is."""


class _Letters(dict[int, int | str]):
    """Maps a character to what stands for it among words, found out once each."""

    def __missing__(self, codepoint: int) -> int | str:
        character = chr(codepoint)
        found: int | str = codepoint
        if character in APOSTROPHES:
            found = "'"
        elif (
            not character.isalnum()
            and (category := unicodedata.category(character))[0] not in "LMN"
        ):
            # joiners, soft hyphens, direction marks: invisible, inside words
            found = "" if category == "Cf" else " "
        elif before := _WRITTEN[bisect(_EDGES, codepoint)]:
            found = before.replace("x", character)
        if len(self) < _MAX_CACHED:
            self[codepoint] = found
        return found


LETTERS = _Letters()
"""What stands for a character among words: one character, none, or one with blanks around it."""


def split(text: str, alphabet: str) -> list[str]:
    """Split clean text into lower-case words, in order.

    Args:
        text: text as `clean` returns it.
        alphabet: "latin" or "every".

    Returns:
        The words, none empty.

    >>> split("Don't miss it: 10/10, très réussi!", "every")
    ["don't", 'miss', 'it', '10', '10', 'très', 'réussi']
    >>> split("Don't miss it: 10/10, très réussi!", "latin")
    ['don', 't', 'miss', 'it', '10', '10', 'tr', 's', 'r', 'ussi']
    >>> split("好电影 ممتاز", "every")
    ['好', '电', '影', 'ممتاز']
    """
    lower = text.lower()
    if alphabet == "latin":
        if lower.isascii():  # to look each character up is twice as fast as to search
            return lower.translate(_LATIN).split()
        return _NOT_LATIN.sub(" ", lower).split()
    spaced = lower.translate(LETTERS)
    found = spaced.split()
    # Nearly all texts have apostrophes, few have one at the end of a word, and to look is quick.
    if "'" not in spaced or not (
        " '" in spaced or "' " in spaced or spaced.startswith("'") or spaced.endswith("'")
    ):
        return found
    stripped = (word.strip("'") if "'" in word else word for word in found)
    return [word for word in stripped if word]


def normaliser(settings: TextSettings) -> Callable[[str], str]:
    """Make the function from a split word to the word counted, "" for a word that is dropped.

    Args:
        settings: `stop_words` drops English function words, `stem` names the stemmer.

    Returns:
        A pure function.

    >>> normal = normaliser(TextSettings(stop_words="english", stem="porter"))
    >>> [normal(word) for word in ("the", "movies", "loved")]
    ['', 'movi', 'love']
    """
    without = dropped(settings)
    if settings.stem == "none":
        return lambda word: "" if word in without else word
    stem = _stemmer(settings.stem)

    def normal(word: str) -> str:
        if word in without:
            return ""
        return stem(word) if len(word) in STEMMED else word

    return normal


def dropped(settings: TextSettings) -> frozenset[str]:
    """Return the words that are dropped before a text is counted or read."""
    return ENGLISH if settings.stop_words == "english" else frozenset()


@lru_cache(maxsize=4)
def _stemmer(name: str) -> Callable[[str], str]:
    if name == "porter":
        return porter.stem
    # The class in pure Python, never the C twin that `snowballstemmer.stemmer()` would pick silently:
    # the bundle must read the same on every host.
    module = import_module(f"snowballstemmer.{name}_stemmer")
    stemmer = getattr(module, f"{name.title()}Stemmer")()
    lock = Lock()  # a Snowball stemmer keeps the word it works on in itself

    def stem(word: str) -> str:
        with lock:
            return str(stemmer.stemWord(word))

    return stem
