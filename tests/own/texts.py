"""Texts of every script, markup and nonsense among them, the same in every run.

Their characters are those that this Python's Unicode knows. Of others, which came with later versions,
a browser knows some, and so does another Python: what is a letter among them depends on who reads.
"""

import unicodedata
from functools import cache

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

_KNOWN = """
a about film movie movies the was it not good bad never wonderful loved boring dull ending story acting
plot characters waste time best worst great terrible hopping relational conditionally happiness evening
running amazingly فيلم رائع très réussi mauvais
"""
WORDS = tuple(_KNOWN.split())
"""What the models of the tests know, among others."""

_RANGES = (
    *((0x20, 0x7E), (0xA0, 0x24F), (0x250, 0x36F), (0x370, 0x52F), (0x530, 0x5FF), (0x600, 0x77F)),
    *((0x900, 0xDFF), (0xE00, 0xFFF), (0x1000, 0x17FF), (0x1E00, 0x22FF), (0x2C00, 0x30FF)),
    *((0x3100, 0x33FF), (0x4E00, 0x9FFF), (0xA000, 0xD7FF), (0xF900, 0xFFFF)),
    *((0x10000, 0x1FFFF), (0x20000, 0x323AF), (0, 0x10FFFF)),
)
"""By script, roughly: Latin, Greek and Cyrillic, Hebrew, Arabic, the Indian ones, Thai to Tibetan,
Burmese to Mongolian, symbols, kana, Han, Hangul, and what lies beyond the first plane."""

_TAGS = """
<b> </b> <br/> <br < > & ; <!-- --> <script> </script> <style type='a'> </style> <scrıpt> <ſtyle>
<?php ?> <![CDATA[ &amp; &amp &eacute; &eacutex &notit; &#39; &#x27; &#150; &#0; &#xD800; &#1114112;
&#99999999; &lt;̸ &shy; &AElig &zwj; &ffilig; &NotEqualTilde;
"""
_MARKUP = tuple(_TAGS.split())
_PIECES = (
    *(
        "don't",
        "'tis",
        "rock\u2019n\u2019roll",
        "na\u0131ve",
        "I\u0307",
        "\u0130stanbul",
        "\u03a3\u0391\u03a3",
    ),
    *(
        "stra\u00dfe",
        "co\u00adoperate",
        "\u0645\u0645\u062a\u0627\u0632",
        "\u5f88\u597d",
        "\u0e14\u0e35",
        "\u1019\u1004\u103a",
    ),
    *(
        "e\u0301",
        "\u1100\u1161\u11a8",
        "q\u0323\u0307" + "\u0301" * 3,
        "a" + "\u0316\u0301" * 40,
        "\ud800",
        "\x00",
    ),
    *(
        "\U0001f600\u200d\U0001f468",
        "\u212aelvin",
        "\ufb01lm",
        "12\u00bd",
        "\u0661\u0662",
        "x" * 70,
    ),
)


def strategy(words: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Make texts, some of them of the words that a model knows."""
    scripts = [
        st.text(st.characters(min_codepoint=low, max_codepoint=high), max_size=24)
        for low, high in _RANGES
    ]
    known = st.lists(st.sampled_from(words), max_size=12).map(" ".join)
    piece = st.one_of(known, known.map(str.title), *scripts, st.sampled_from((*_MARKUP, *_PIECES)))
    return st.lists(piece, max_size=6).flatmap(
        lambda pieces: st.sampled_from(("", " ", ", ")).map(lambda mark: mark.join(pieces))
    )


@cache
def some(count: int, words: tuple[str, ...]) -> list[str]:
    """Return so many texts, no two alike."""
    found: dict[str, None] = {}

    @seed(7)
    @settings(
        max_examples=count * 2,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(strategy(words))
    def collect(text: str) -> None:
        # two halves of a character side by side are one to JavaScript, and never reach a server apart
        text = "".join(each for each in text if unicodedata.category(each) != "Cn")
        found.setdefault(text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass"))

    collect()
    return list(found)[:count]
