"""What a character is called where showing it would show nothing."""

from __future__ import annotations

import unicodedata

_NAMES = {
    "\t": "tab",
    "\n": "line feed",
    "\v": "vertical tab",
    "\f": "form feed",
    "\r": "carriage return",
    "\x1b": "escape",
    " ": "space",
}


def shown(symbol: str) -> tuple[str, bool]:
    r"""Return how to show a character, and whether that is its name instead of itself.

    A mark that joins the letter before it stands on a dotted circle. What is not one character is
    taken for a name already.

    >>> shown("e"), shown("\n"), shown("\u200f"), shown("\x07")
    (('e', False), ('line feed', True), ('right-to-left mark', True), ('U+0007', True))
    >>> shown("line feed"), shown("\u0301") == ("\u25cc\u0301", False)
    (('line feed', True), True)
    """
    if len(symbol) != 1:
        return symbol, True
    kind = unicodedata.category(symbol)
    if kind.startswith("M"):
        return f"\u25cc{symbol}", False
    if kind[0] not in "CZ":
        return symbol, False
    named = _NAMES.get(symbol) or unicodedata.name(symbol, "").lower()
    return named or f"U+{ord(symbol):04X}", True
