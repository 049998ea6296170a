# ruff: noqa: E501
"""Texts that are made to be slow: each family grows with a size, and what is done to it must not grow faster."""

from __future__ import annotations

import gc
import math
import random
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from tests.torture.fuzz.served import Tally

from marfa.settings import AlphabetSettings, TextSettings
from marfa.text.alphabet import Alphabet
from marfa.text.codec import Codec
from marfa.text.vocab import Vocab

Family = Callable[[int], str]

LIMIT_BYTES = 256 << 10
"""The longest text for which a time is promised; a body may have four times as many, unless a server is
told otherwise."""
DOUBLED = 4
"""Times that a size is doubled, up to that."""
MOST_RATIO = 2.3
MOST_SECONDS = 0.05
PRESETS = {
    "default": TextSettings(),
    "tutorial": TextSettings(
        alphabet="latin", stop_words="english", stem="porter", max_words=500, crop="head"
    ),
}


def _upto(text: str, size: int) -> str:
    """Repeat a text to as many bytes of UTF-8 as fit into a size, whole characters only."""
    many = text * (size // max(1, len(text.encode("utf-8", "surrogatepass"))) + 1)
    data = many.encode("utf-8", "surrogatepass")[:size]
    return data.decode("utf-8", "ignore")


def repeated(piece: str) -> Family:
    """Return the family of one piece over and over."""
    return lambda size: _upto(piece, size)


def around(left: str, middle: str, right: str) -> Family:
    """Return the family of one long middle between two ends."""
    return lambda size: left + _upto(middle, max(0, size - len(left) - len(right))) + right


def nested(left: str, right: str) -> Family:
    """Return the family of brackets in brackets."""

    def text(size: int) -> str:
        count = size // len((left + right).encode())
        return left * count + right * count

    return text


def numbered(piece: str) -> Family:
    """Return the family of pieces that are all different."""

    def text(size: int) -> str:
        made, length, number = [], 0, 0
        while True:
            each = piece.format(number)
            length += len(each.encode())
            if length > size:
                return "".join(made)
            made.append(each)
            number += 1

    return text


def drawn(letters: str, seed: int = 1) -> Family:
    """Return the family of letters in no order."""

    def text(size: int) -> str:
        dice = random.Random(seed)
        widest = max(len(letter.encode()) for letter in letters)
        return "".join(dice.choices(letters, k=size // widest))

    return text


def _of_category(*names: str, below: int = 0x110000) -> str:
    return "".join(c for c in map(chr, range(below)) if unicodedata.category(c) in names)


_MARKS = _of_category("Mn", "Mc", below=0x3100)
_GROWING = "".join(
    c
    for c in map(chr, range(0x80, 0x30000))
    if unicodedata.category(c) != "Cs" and len(unicodedata.normalize("NFC", c)) > 1
)
_LOWER_GROWS = "".join(c for c in map(chr, range(0x80, 0x20000)) if len(c.lower()) > 1)

FAMILIES: Mapping[str, Family] = {
    "unfinished tags": repeated("<a "),
    "unfinished tags, closed once": around("", "<a ", ">"),
    "less than": repeated("<"),
    "less and greater": repeated("<>"),
    "closing marks": repeated("</"),
    "openings of comments": repeated("<!--"),
    "openings of comments, closed once": around("", "<!--", "-->"),
    "comments": repeated("<!---->"),
    "half comments": repeated("<!-- --"),
    "ends of comments": repeated("-->"),
    "declarations": repeated("<!D"),
    "sections": repeated("<![CDATA["),
    "instructions": repeated("<?"),
    "scripts": repeated("<script>"),
    "scripts with spaces": around("<script", " ", ">"),
    "unfinished scripts": repeated("<script "),
    "scripts, closed wrongly": repeated("<script></script"),
    "styles": repeated("<style>"),
    "scripts in styles": repeated("<style><script></style>"),
    "nested tags": nested("<b>", "</b>"),
    "nested divisions": nested("<div class='a'>", "</div>"),
    "one tag of attributes": around("<a", " b='c'", ">"),
    "one open quote": around('<a title="', "b", ""),
    "ampersands": repeated("&"),
    "numbers of characters, unfinished": repeated("&#"),
    "hexadecimal numbers, unfinished": repeated("&#x"),
    "one long number": around("&#", "9", ";"),
    "one long hexadecimal number": around("&#x", "f", ";"),
    "numbers of characters": repeated("&#39;"),
    "numbers that mean nothing": repeated("&#9999999;"),
    "surrogates by number": repeated("&#xD83D;&#xDE00;"),
    "entities": repeated("&amp;"),
    "entities in entities": repeated("&amp;amp;amp;"),
    "entities without an end": repeated("&amp"),
    "long names of entities": repeated("&CounterClockwiseContourIntegral;"),
    "names of no entity": repeated("&" + "a" * 31),
    "one long name": around("&", "a", ";"),
    "two-character entities": repeated("&NotEqualTilde;"),
    "tags out of entities": repeated("&lt;a "),
    "one word": repeated("a"),
    "one word that is stemmed": repeated("ational"),
    "one word of y": repeated("y"),
    "one word of vowels and consonants": repeated("iz"),
    "one word in capitals": repeated("MOTORING"),
    "words to stem": repeated("generalizations conditionally "),
    "words of 64 to stem": repeated("yz" * 29 + "ational "),
    "different words to stem": numbered("rationalizations{}ational "),
    "different short words": numbered("a{} "),
    "different long words": numbered("w{}" + "ational" * 8 + " "),
    "different words of s": numbered("{}s "),
    "different words of y": numbered("yz{}ying "),
    "letters, each a word": repeated("a "),
    "spaces": repeated(" "),
    "tabs": repeated("\t"),
    "line breaks": repeated("\n"),
    "carriage returns": repeated("\r"),
    "line breaks of Windows": repeated("\r\n"),
    "spaces of Unicode": repeated("\u2003\u00a0\u3000"),
    "NULs": repeated("\0"),
    "control characters": repeated("\x01\x7f\x1b[31m"),
    "apostrophes": repeated("'"),
    "apostrophes and letters": repeated("a'"),
    "apostrophes round a word": lambda size: "'" * (size // 2) + "a" + "'" * (size // 2),
    "typographic apostrophes": repeated("\u2019a\u02bc"),
    "digits": repeated("1234567890"),
    "digits of all scripts": repeated("1٢३৪৫６"),
    "numbers that are letters": repeated("½Ⅷ㊿"),
    "combining marks": repeated("\u0301"),
    "a letter and its marks": around("a", "\u0301\u0323", ""),
    "marks in a hostile order": lambda size: "a" + "\u0301" * (size // 4) + "\u0323" * (size // 4),
    "thirty marks a letter": repeated("a" + "\u0315\u0301\u0323" * 10),
    "marks in no order": drawn(_MARKS),
    "marks beyond the first plane": repeated("\U0001d165\U0001d16d"),
    "marks in a hostile order beyond the first plane": lambda size: (
        "a" + "\U0001d16d" * (size // 8) + "\U0001d165" * (size // 8)
    ),
    "Zalgo": lambda size: "".join(
        "z" + each for each in _runs(drawn(_MARKS[:100])(max(0, size - 20)), 20)
    ),
    "zero-width joiners": repeated("\u200d"),
    "zero-width in words": repeated("a\u200b\u200d"),
    "byte order marks": repeated("\ufeff"),
    "soft hyphens": repeated("a\u00ad"),
    "right-to-left overrides": repeated("\u202ea\u202c"),
    "isolates": nested("\u2067", "\u2069"),
    "tags of plane 14": repeated("\U000e0061"),
    "variation selectors": repeated("☝\ufe0f\U000e0100"),
    "Hangul jamo": repeated("\u1112\u1161\u11ab"),
    "leading jamo": repeated("\u1112"),
    "Hangul syllables": repeated("한글"),
    "Hangul syllables and a jamo": repeated("하\u11ab"),
    "letters that NFC makes longer": drawn(_GROWING),
    "ligatures": repeated("\ufb01\ufb03\ufdfa"),
    "letters that are longer in lower case": drawn(_LOWER_GROWS),
    "dotted capital I": repeated("\u0130"),
    "final sigmas": repeated("Σ"),
    "final sigmas of words": repeated("ΑΣ "),
    "final sigma after points": around("Α", "'", "Σ"),
    "sigmas and points": repeated("Σ'"),
    "sharp s": repeated("ẞß"),
    "Han": repeated("好电影"),
    "Han beyond the first plane": repeated("𠀀𠀁"),
    "kana": repeated("ひらがなカタカナ"),
    "halfwidth kana": repeated("ｶﾞ"),
    "Thai": repeated("ภาพยนตร์ที่ดี"),
    "Burmese": repeated("ရုပ်ရှင်ကောင်း"),
    "Khmer": repeated("ភាពយន្តល្អ"),
    "Arabic with marks": repeated("فِيلْمٌ رَائِعٌ "),
    "Hebrew with points": repeated("סֶרֶט "),
    "Devanagari": repeated("अच्छी फ़िल्म "),
    "Tibetan": repeated("གློག་བརྙན་"),
    "smileys": repeated("😀👩‍👩‍👧‍👦"),
    "flags": repeated("🇱🇧"),
    "lone surrogates": repeated("\ud800"),
    "lone surrogates in the wrong order": repeated("\udc00\ud800"),
    "not characters": repeated("\uffff\U0010ffff"),
    "private use": repeated("\ue000\U000f0000"),
    "every letter of the first plane": drawn("".join(map(chr, (*range(0x20, 0xD800), *range(0xE000, 0x10000))))),
    "every character": drawn("".join(map(chr, (*range(0x20, 0xD800), *range(0xE000, 0x110000))))),
    "precomposed and decomposed": repeated("é\u0065\u0301"),
    "alternations": repeated("aab" * 20 + " "),
    "a review": repeated("This is <b>not</b> a bad film &amp; I don't regret it.<br /><br />8/10! "),
    "a review in French": repeated("Très réussi : l'œuvre d'une équipe dévouée, à voir ! "),
    "escapes of JSON": repeated('\\"\\u0000'),
    "brackets": nested("[", "]"),
    "braces": nested('{"a":', "}"),
}  # fmt: skip


def _runs(text: str, length: int) -> Iterator[str]:
    for start in range(0, len(text), length):
        yield text[start : start + length]


@dataclass(frozen=True, slots=True)
class Growth:
    """What a family did.

    Attributes:
        name: of the family.
        ratio: times that twice the size takes, at worst; 0 where all times are too short to tell.
        seconds: for a whole body.
    """

    name: str
    ratio: float
    seconds: float


def least(work: Callable[[], object], *, repeats: int) -> float:
    """Return the least time of this process that something takes, which others' work cannot lessen."""
    best = float("inf")
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            began = time.process_time()
            work()
            best = min(best, time.process_time() - began)
    finally:
        gc.enable()
    return best


SHORT_SECONDS = 0.001
"""Below this a ratio of two times says nothing."""


def growths(
    read: Callable[[str], object],
    families: Mapping[str, Family] = FAMILIES,
    *,
    size: int = LIMIT_BYTES,
    repeats: int = 3,
    ratio: float = MOST_RATIO,
    seconds: float = MOST_SECONDS,
) -> Iterator[Growth]:
    """Measure what reads a text, at a size and at its halves, half of a half and so on.

    Args:
        read: what is done to a text; it must not remember anything of it.
        families: texts by name.
        size: bytes of the largest.
        repeats: how often each is measured; what looks bad is measured five times as often again.
        ratio: of twice the size to the size, above which that looks bad.
        seconds: for a whole body, above which it does.
    """
    for name, family in families.items():
        texts = [family(size >> halved) for halved in range(DOUBLED, -1, -1)]
        found = [least(partial(read, text), repeats=repeats) for text in texts]
        if _ratio(found) > ratio or found[-1] > seconds:
            more = [least(partial(read, text), repeats=5 * repeats) for text in texts]
            found = [min(pair) for pair in zip(found, more, strict=True)]
        yield Growth(name, _ratio(found), found[-1])


def _ratio(seconds: list[float]) -> float:
    """Return the worst growth a doubling, over two doublings: one alone may leave a cache behind it."""
    pairs = zip(seconds, seconds[2:], strict=False)
    return max((math.sqrt(four / one) for one, four in pairs if one >= SHORT_SECONDS), default=0.0)


def readers() -> dict[str, Callable[[str], object]]:
    """Return what reads texts: both presets' codecs, with nothing remembered, and an alphabet's."""
    found: dict[str, Callable[[str], object]] = {}
    vocab = Vocab(("a", "good", "film", "movi"))
    for name, settings in PRESETS.items():
        found[name] = partial(_fresh, settings, vocab)
    settings = AlphabetSettings(case="lower", speakers="drop", lines="join")
    letters = Alphabet(settings, tuple(sorted(" abcdefghijklmnopqrstuvwxyz")))
    found["letters"] = lambda text: letters.encode(letters.read(text))
    for read in found.values():
        read("é &amp; <b>" + "\u0301" * 40)  # what is made once, and known from then on
        read(" ".join(map(chr, (*range(0xD800), *range(0xE000, 0x12000)))))
    return found


def _fresh(settings: TextSettings, vocab: Vocab, text: str) -> object:
    return Codec(settings, vocab).encode(text)


def some(count: int) -> dict[str, Family]:
    """Return families from all over the list, or all of them."""
    names = list(FAMILIES)
    return {name: FAMILIES[name] for name in names[:: max(1, len(names) // count)]}


def in_time(
    families: Mapping[str, Family] = FAMILIES,
    ways: Mapping[str, Callable[[str], object]] | None = None,
    *,
    size: int = LIMIT_BYTES,
    repeats: int = 3,
    slack: float = 1.0,
) -> Tally:
    """Read every family in every way; return which are slow, with some slack where others share the cores."""
    tally, worst, slowest = Tally(), Growth("", 0, 0), Growth("", 0, 0)
    ratio, seconds = MOST_RATIO * slack ** (1 / 3), MOST_SECONDS * slack
    measured = partial(growths, size=size, repeats=repeats, ratio=ratio, seconds=seconds)
    for way, read in (ways or readers()).items():
        for found in measured(read, families):
            problem = ""
            if found.ratio > ratio:
                problem = f"{way}, {found.name}: {found.ratio:.2f} times for twice the size"
            elif found.seconds > seconds:
                problem = f"{way}, {found.name}: {found.seconds * 1000:.0f} ms"
            tally.add(problem)
            worst = max(worst, found, key=lambda each: each.ratio)
            slowest = max(slowest, found, key=lambda each: each.seconds)
    tally.told = (
        f"at most {worst.ratio:.2f} times ({worst.name}), "
        f"{slowest.seconds * 1000:.0f} ms for 256 kB ({slowest.name})"
    )
    return tally
