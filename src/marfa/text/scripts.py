"""Which script a text is written in, so that a model can say that it was trained on another.

A range of code points for each block of Unicode that a living language is written in, marks and digits
of the block included: no version of Unicode decides what is counted, so that every host counts alike,
the page's own engine too, which gets this table with its model.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterable

LATIN = "Latn"

NAMES = {
    LATIN: "Latin",
    "Grek": "Greek",
    "Cyrl": "Cyrillic",
    "Armn": "Armenian",
    "Hebr": "Hebrew",
    "Arab": "Arabic",
    "Syrc": "Syriac",
    "Thaa": "Thaana",
    "Nkoo": "N'Ko",
    "Deva": "Devanagari",
    "Beng": "Bengali",
    "Guru": "Gurmukhi",
    "Gujr": "Gujarati",
    "Orya": "Odia",
    "Taml": "Tamil",
    "Telu": "Telugu",
    "Knda": "Kannada",
    "Mlym": "Malayalam",
    "Sinh": "Sinhala",
    "Thai": "Thai",
    "Laoo": "Lao",
    "Tibt": "Tibetan",
    "Mymr": "Burmese",
    "Geor": "Georgian",
    "Hang": "Hangul",
    "Ethi": "Ethiopic",
    "Cher": "Cherokee",
    "Khmr": "Khmer",
    "Mong": "Mongolian",
    "Kana": "kana",
    "Hani": "Han characters",
}
"""Of scripts, by their codes in ISO 15924; hiragana and katakana are one here."""

RANGES = (
    *((0x41, 0x5A, LATIN), (0x61, 0x7A, LATIN), (0xC0, 0xD6, LATIN), (0xD8, 0xF6, LATIN)),
    *((0xF8, 0x2AF, LATIN), (0x370, 0x3FF, "Grek"), (0x400, 0x52F, "Cyrl")),
    *((0x531, 0x58F, "Armn"), (0x591, 0x5F4, "Hebr"), (0x600, 0x6FF, "Arab")),
    *((0x700, 0x74F, "Syrc"), (0x750, 0x77F, "Arab"), (0x780, 0x7BF, "Thaa")),
    *((0x7C0, 0x7FF, "Nkoo"), (0x860, 0x86F, "Syrc"), (0x870, 0x8FF, "Arab")),
    *((0x900, 0x97F, "Deva"), (0x980, 0x9FF, "Beng"), (0xA00, 0xA7F, "Guru")),
    *((0xA80, 0xAFF, "Gujr"), (0xB00, 0xB7F, "Orya"), (0xB80, 0xBFF, "Taml")),
    *((0xC00, 0xC7F, "Telu"), (0xC80, 0xCFF, "Knda"), (0xD00, 0xD7F, "Mlym")),
    *((0xD80, 0xDFF, "Sinh"), (0xE00, 0xE7F, "Thai"), (0xE80, 0xEFF, "Laoo")),
    *((0xF00, 0xFFF, "Tibt"), (0x1000, 0x109F, "Mymr"), (0x10A0, 0x10FF, "Geor")),
    *((0x1100, 0x11FF, "Hang"), (0x1200, 0x139F, "Ethi"), (0x13A0, 0x13FF, "Cher")),
    *((0x1780, 0x17FF, "Khmr"), (0x1800, 0x18AF, "Mong"), (0x1C80, 0x1C8F, "Cyrl")),
    *((0x1C90, 0x1CBF, "Geor"), (0x1E00, 0x1EFF, LATIN), (0x1F00, 0x1FFF, "Grek")),
    *((0x2C60, 0x2C7F, LATIN), (0x2D00, 0x2D2F, "Geor"), (0x2D80, 0x2DDF, "Ethi")),
    *((0x2DE0, 0x2DFF, "Cyrl"), (0x3005, 0x3007, "Hani"), (0x3041, 0x30FF, "Kana")),
    *((0x3131, 0x318F, "Hang"), (0x31F0, 0x31FF, "Kana"), (0x3400, 0x4DBF, "Hani")),
    *((0x4E00, 0x9FFF, "Hani"), (0xA640, 0xA69F, "Cyrl"), (0xA722, 0xA7FF, LATIN)),
    *((0xA960, 0xA97F, "Hang"), (0xA9E0, 0xA9FF, "Mymr"), (0xAA60, 0xAA7F, "Mymr")),
    *((0xAB00, 0xAB2F, "Ethi"), (0xAB30, 0xAB6F, LATIN), (0xAB70, 0xABBF, "Cher")),
    *((0xAC00, 0xD7FF, "Hang"), (0xF900, 0xFAFF, "Hani"), (0xFB00, 0xFB06, LATIN)),
    *((0xFB13, 0xFB17, "Armn"), (0xFB1D, 0xFB4F, "Hebr"), (0xFB50, 0xFDFF, "Arab")),
    *((0xFE70, 0xFEFE, "Arab"), (0xFF21, 0xFF3A, LATIN), (0xFF41, 0xFF5A, LATIN)),
    *((0xFF66, 0xFF9F, "Kana"), (0x20000, 0x323AF, "Hani")),
)
"""First and last code point and the script's code, in ascending order, none over another."""

SHARE = 0.01
"""Of the letters of the training texts, from which on these count as being in a script."""

_EDGES = [edge for first, last, _ in RANGES for edge in (first, last + 1)]
_BETWEEN = ["", *(each for _, _, code in RANGES for each in (code, ""))]


def count(text: str) -> Counter[str]:
    """Count a text's characters by the codes of their scripts; those of none are left out.

    >>> count("Déjà vu: فيلم, 1 film?")
    Counter({'Latn': 10, 'Arab': 4})
    """
    found: Counter[str] = Counter()
    for character, number in Counter(text).items():
        if code := _BETWEEN[bisect(_EDGES, ord(character))]:
            found[code] += number
    return found


def trained_on(texts: Iterable[str]) -> list[str]:
    """Return the scripts that texts are written in, by their codes, the commonest first.

    Args:
        texts: cleaned training texts.

    Returns:
        The scripts that make up at least `SHARE` of the letters.

    >>> trained_on(["un film", "très réussi", "好"] * 9)
    ['Latn', 'Hani']
    """
    total: Counter[str] = Counter()
    for text in texts:
        total += count(text)
    order = sorted(total, key=lambda code: (-total[code], code))
    return [code for code in order if total[code] >= SHARE * total.total()]


def foreign(text: str, known: Collection[str]) -> str:
    """Return the commonest script that is not known, where more than half of a text is in such scripts.

    Args:
        text: a cleaned text.
        known: codes of the scripts that a model was trained on.

    Returns:
        The code; "" where at least half of the letters are in a known script, or there are none.

    >>> foreign("فيلم جميل", ["Latn"]), foreign("فيلم or movie", ["Latn"])
    ('Arab', '')
    """
    counts = count(text)
    strange = {code: number for code, number in counts.items() if code not in known}
    if 2 * sum(strange.values()) <= counts.total():
        return ""
    return min(strange, key=lambda code: (-strange[code], code))
