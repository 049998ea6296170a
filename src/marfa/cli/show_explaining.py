"""Why a label, on a terminal: the words that weigh most, each on a line of its own.

A sign and a bar say what colour says, and the word comes last, so that neither a narrow window nor a
script from right to left moves them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:  # it needs numpy, which --help does without
    from marfa.explaining import Explanation

LEAST = 0.005
"""Of a weight that is worth a line."""
MOST = 20
_BAR = 8
_FOR, _AGAINST = "green", "red"
_TO_THE_RIGHT = "\u200e"


def lines(explanation: Explanation, plain: Callable[[str], Text]) -> Iterator[Text]:
    """Write an explanation, the strongest words first.

    Args:
        explanation: what each word adds to the label.
        plain: makes a text safe for a terminal.
    """
    words = sorted(explanation.words, key=lambda word: -abs(word.weight))
    shown = [word for word in words if abs(word.weight) >= LEAST][:MOST]
    yield plain(f"  + speaks for {explanation.label}, - against: what it loses without the word")
    for word in shown:
        sign = "+" if word.weight > 0 else "-"
        bar = sign * max(1, round(_BAR * abs(word.weight) / abs(shown[0].weight)))
        line = plain(f"  {word.weight:+.4f}  {bar:<{_BAR}}  ")
        line.stylize(_FOR if word.weight > 0 else _AGAINST)
        yield line.append_text(plain(_begun(word.text)))
    if left := len(words) - len(shown):
        less = "less" if shown else f"less than {LEAST}"
        yield plain(f"  {left} more word(s) move it by {less}")


def _begun(text: str) -> str:
    """Keep a word that is written from right to left from turning the whole line."""
    directions = {unicodedata.bidirectional(character) for character in text}
    return _TO_THE_RIGHT + text if directions & {"R", "AL"} else text
