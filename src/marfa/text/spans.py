"""Where in a text, as it was sent, the words stand that are read of it.

The steps are those of `clean` and `words.split`, which stay as fast as they are; here each character is
followed on its way. `codec.Codec.locate` is the only caller.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator

from marfa.text import clean, words

Edit = tuple[int, int, str]
"""From where to where, and what comes in its place."""

_LATIN = re.compile(r"[a-z0-9]+")
_EVERY = re.compile(r"[^ ']+(?:'+[^ ']+)*")


class _Traced:
    """A text on its way, and the piece of the text as sent that each of its characters stands for.

    Args:
        text: as it was sent.

    Attributes:
        text: as it is by now.
        starts, ends: of each of its characters, where its piece begins and ends.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts, self.ends = list(range(len(text))), list(range(1, len(text) + 1))

    def change(self, edits: Iterable[Edit]) -> None:
        """Put something else in the place of stretches, given in their order."""
        texts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        position = 0
        for first, last, made in edits:
            texts += (self.text[position:first], made)
            starts += self.starts[position:first]
            starts += [self.starts[first]] * len(made)
            ends += self.ends[position:first]
            ends += [self.ends[last - 1]] * len(made)
            position = last
        if position:
            self.text = "".join((*texts, self.text[position:]))
            self.starts = starts + self.starts[position:]
            self.ends = ends + self.ends[position:]


def split(text: str, alphabet: str) -> list[tuple[str, int, int]]:
    """Split a text into lower-case words as `words.split` splits what `clean` makes of it.

    Args:
        text: as it was sent.
        alphabet: "latin" or "every".

    Returns:
        The words, each with where it begins and ends in the text, in code points. What lies within a
        word is part of its piece: a soft hyphen, an entity.

    >>> split("<b>Caf&eacute;</b>, 'tis!", "every")
    [('café', 3, 14), ('tis', 21, 24)]
    """
    traced = _Traced(text)
    _clean(traced)
    lower = traced.text.lower()
    if len(lower) != len(traced.text):
        pairs = enumerate(traced.text)
        traced.change((at, at + 1, made) for at, c in pairs if len(made := c.lower()) > 1)
    traced.text = lower  # of the whole, since a sigma at the end of a word is another one
    if alphabet == "every":
        spaced = lower.translate(words.LETTERS)
        written = {each: each.translate(words.LETTERS) for each in set(lower)}
        odd = {each for each, made in written.items() if len(made) != 1}
        if odd:
            traced.change(
                (at, at + 1, written[each]) for at, each in enumerate(lower) if each in odd
            )
        traced.text = spaced
    found = (_LATIN if alphabet == "latin" else _EVERY).finditer(traced.text)
    return [(m.group(), traced.starts[m.start()], traced.ends[m.end() - 1]) for m in found]


def _clean(traced: _Traced) -> None:
    """Do to a text what `clean.clean` does."""
    if "<" in traced.text:
        for opening, closing in clean.HIDDEN:
            cut = clean.hidden(traced.text, opening, closing)
            traced.change([(start, end, " ") for start, end in cut])
        traced.change([(*tag.span(), " ") for tag in clean.TAG.finditer(traced.text)])
    if "&" in traced.text:
        traced.change([_resolved(entity) for entity in clean.ENTITY.finditer(traced.text)])
    if traced.text.isascii() or unicodedata.is_normalized("NFC", traced.text):
        return
    runs = clean.long_runs().finditer(traced.text)
    excess = [run.start() + at for run in runs for at in clean.too_many(run.group())]
    traced.change((at, at + 1, "") for at in excess)
    traced.change(list(_composed(traced.text)))


def _resolved(entity: re.Match[str]) -> Edit:
    """Return what stands for an entity; of `&notit` the last two letters stand for themselves."""
    sent = entity.group()
    made = html.unescape(sent)
    kept = 0
    if not sent.startswith("&#"):
        while kept < min(len(sent), len(made)) and sent[-1 - kept] == made[-1 - kept]:
            kept += 1
    return entity.start(), entity.end() - kept, made[: len(made) - kept]


def _composed(text: str) -> Iterator[Edit]:
    """Yield what has to change for a text to be in normal form C, letter by letter with its marks."""
    begin = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and _joins(text[end]):
            continue
        sent = text[begin:end]
        made = unicodedata.normalize("NFC", sent)
        if made != sent:
            # of letters and marks that change, each stands where it stood, and the last for the rest
            last = min(len(sent), len(made)) - 1
            yield from ((begin + at, begin + at + 1, made[at]) for at in range(last))
            yield begin + last, end, made[last:]
        begin = end


def _joins(character: str) -> bool:
    """Say whether a character may become one with what stands before it, or change places with it.

    Those are marks, the second and third letters of Hangul's syllables, and one vowel of Kirat Rai.
    """
    if character.isascii():
        return False
    return (
        unicodedata.category(character)[0] == "M"
        or "\u1160" <= character <= "\u11ff"
        or character == "\U00016d67"
    )
