"""From text as found to text as read: no markup, entities resolved, Unicode composed.

Every step is linear in the length of the text, whatever the text (a `<a ` repeated twenty thousand
times keeps a common HTML parser busy for half a minute), and `score < 5` is not a tag.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# A tag starts with "<" and a letter, "/" or "!", and holds no other "<": so a failed match is given up
# at the next "<", and all failures together read the text once.
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<![a-zA-Z\[][^<>]*>|<\?[^<>]*>")
HIDDEN = (
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<script\b[^<>]*>", re.I), re.compile(r"</script[^<>]*>", re.I)),
    (re.compile(r"<style\b[^<>]*>", re.I), re.compile(r"</style[^<>]*>", re.I)),
)
"""How what no reader sees begins and ends: comments, scripts, styles."""
# `html.unescape` alone would hand a million digits to int(), which refuses them with an exception.
ENTITY = re.compile(
    r"(&(?:#[0-9]{1,7}(?![0-9])|#[xX][0-9a-fA-F]{1,6}(?![0-9a-fA-F])|[a-zA-Z][a-zA-Z0-9]{1,31});?)"
)


def clean(text: str) -> str:
    """Strip markup and resolve entities; keep letters of every script.

    Tags become a space, so that words on both sides of `<br />` stay two words. A comment, script or
    style that is never closed is kept as text, as a reader would see it.

    Args:
        text: any text, including one with NULs or lone surrogates.

    Returns:
        The text without markup, in Unicode normal form C.

    >>> clean("It&#39;s <b>great</b>.<br /><br />Score < 5? No: 9 > 8!")
    "It's  great .  Score < 5? No: 9 > 8!"
    >>> clean("<!-- hidden -->فيلم رائع<script>alert(1)</script>").strip()
    'فيلم رائع'
    """
    if "<" in text:
        for opening, closing in HIDDEN:
            text = _cut(text, opening, closing)
        text = TAG.sub(" ", text)
    if "&" in text:
        pieces = ENTITY.split(text)  # what stands between entities, and at odd places these
        pieces[1::2] = map(_Entities().__getitem__, pieces[1::2])
        text = "".join(pieces)
    # Nearly every text is in normal form already. To find that out is quick, marks in a hostile order
    # included; only to put them in order is not, so only then are long runs of them cut.
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    return unicodedata.normalize("NFC", long_runs().sub(_cut_marks, text))


_MOST_MARKS = 30
"""Combining marks in a row; putting those of one letter in order takes the square of their number, and
thirty is the bound of Unicode's own Stream-Safe Text Format (UAX 15, section 13)."""


@lru_cache(maxsize=1)
def long_runs() -> re.Pattern[str]:
    """Return what matches runs that may hold too many marks.

    They are of marks, or of anything beyond the first plane. One range for the latter keeps the match a
    hundred times faster than naming the marks there.
    """
    marks = [c for c in map(chr, range(0x10000)) if unicodedata.category(c)[0] == "M"]
    return re.compile(f"[{''.join(marks)}\U00010000-\U0010ffff]{{{_MOST_MARKS + 1},}}")


def _cut_marks(run: re.Match[str]) -> str:
    excess = set(too_many(run.group()))
    return "".join(each for place, each in enumerate(run.group()) if place not in excess)


def too_many(run: str) -> Iterator[int]:
    """Yield where in a run that `long_runs` matches marks stand which are too many for their letter."""
    marks = 0
    for place, character in enumerate(run):
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if marks > _MOST_MARKS:
            yield place


class _Entities(dict[str, str]):
    """Maps the entities of one text to what they stand for, found out once each."""

    def __missing__(self, entity: str) -> str:
        self[entity] = found = html.unescape(entity)
        return found


def _cut(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Replace each hidden stretch by a space."""
    kept: list[str] = []
    position = 0
    for start, end in hidden(text, opening, closing):
        kept += (text[position:start], " ")
        position = end
    return "".join((*kept, text[position:]))


def hidden(
    text: str, opening: re.Pattern[str], closing: re.Pattern[str]
) -> Iterator[tuple[int, int]]:
    """Yield from where to where the stretches go that are closed, in one pass from left to right."""
    position = 0
    while start := opening.search(text, position):
        end = closing.search(text, start.end())
        if (
            end is None
        ):  # no closing after here: looking again for later openings would be quadratic
            return
        position = end.end()
        yield start.start(), position
