"""The one path from text to characters' numbers: what is stripped, and which have a number."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from marfa.errors import DataError
from marfa.settings import AlphabetSettings, from_mapping

FORMAT = 1
_PIECE = 1 << 20
UNKNOWN = 0
"""The id of every character that has none of its own."""
FIRST = 1
"""The id of the first symbol."""


@dataclass(frozen=True)
class Alphabet:
    r"""Text to ids and back, the same in training and for a prompt.

    Args:
        settings: what is stripped of a text.
        symbols: distinct characters, sorted; the first has the id 1.

    Raises:
        DataError: if there is no symbol, one twice, one that is no single character, or they are not
            sorted.

    >>> alphabet = Alphabet.build(AlphabetSettings(case="lower"), "To be, or not")
    >>> "".join(alphabet.symbols), alphabet.size
    (' ,benort', 9)
    >>> alphabet.encode(alphabet.read("Be bold"))
    [3, 4, 1, 3, 6, 0, 0]
    """

    settings: AlphabetSettings
    symbols: tuple[str, ...]
    ids: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.symbols:
            message = "the alphabet holds no symbol: nothing is left of the text"
            raise DataError(message, hint="check --data, --speakers and --lines")
        if any(len(symbol) != 1 for symbol in self.symbols):
            message = "a symbol of the alphabet is not one character"
            raise DataError(message, where="codec.json")
        if any(a >= b for a, b in zip(self.symbols, self.symbols[1:], strict=False)):
            message = "the symbols of the alphabet are not sorted"
            raise DataError(message, where="codec.json")
        ids = {symbol: id_ for id_, symbol in enumerate(self.symbols, FIRST)}
        object.__setattr__(self, "ids", ids)

    @property
    def size(self) -> int:
        """Number of ids, the unknown character's included."""
        return len(self.symbols) + FIRST

    @property
    def opening(self) -> str:
        """What an empty prompt is taken for: a line break, or else a blank, or the first symbol."""
        return next((mark for mark in "\n " if mark in self.ids), self.symbols[0])

    @classmethod
    def build(cls, settings: AlphabetSettings, text: str) -> Alphabet:
        """Collect the symbols of a training text.

        Args:
            settings: what is stripped; `symbols` says how many ids there are at most. Of more
                characters the commonest are taken, of equally common ones the first.
            text: the training text, as it was found.

        Returns:
            The alphabet; the same in every run, since it is sorted.
        """
        counts = Counter(strip(settings, text))
        common = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))
        return cls(settings, tuple(sorted(common[: settings.symbols - FIRST])))

    def read(self, text: str) -> str:
        """Return what is left of a text, or of a prompt, once it is stripped as the settings say."""
        return strip(self.settings, text)

    def encode(self, text: str) -> list[int]:
        """Return the id of each character of a text that `read` has returned."""
        look_up = self.ids.get
        return [look_up(character, UNKNOWN) for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids; the unknown character becomes U+FFFD."""
        shown = ("\N{REPLACEMENT CHARACTER}", *self.symbols)
        left, pieces = iter(ids), []
        while piece := [shown[id_] for id_ in itertools.islice(left, _PIECE)]:
            pieces.append("".join(piece))  # a list of all characters would be eight times the text
        return "".join(pieces)

    def to_json(self) -> dict[str, Any]:
        """Return the document that `from_json` reads."""
        return {
            "format": FORMAT,
            "kind": "characters",
            "text": asdict(self.settings),
            "symbols": list(self.symbols),
        }

    @classmethod
    def from_json(cls, document: Any) -> Alphabet:
        """Rebuild an alphabet from its document.

        Args:
            document: what `to_json` returned.

        Raises:
            DataError: if it is not such a document.
        """
        if not isinstance(document, dict) or document.get("kind") != "characters":
            message = "not an alphabet"
            raise DataError(message, where="codec.json")
        if document.get("format") != FORMAT:
            message = f"codec format {document.get('format')!r:.40}; this marfa reads {FORMAT}"
            raise DataError(message, where="codec.json", hint="install a newer marfa")
        listed = document.get("symbols")
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            message = "the symbols must be a list of characters"
            raise DataError(message, where="codec.json")
        settings = from_mapping(AlphabetSettings, document.get("text"), where="codec.json")
        return cls(settings, tuple(listed))


def strip(settings: AlphabetSettings, text: str) -> str:
    r"""Drop of a text what the settings say, in linear time.

    Line ends of every system become line feeds first.

    >>> play = "ROMEO:\r\nIs the day\nso young?\n\nBENVOLIO:\nBut new."
    >>> strip(AlphabetSettings(case="lower", speakers="drop", lines="join"), play)
    'is the day so young? but new.'
    >>> strip(AlphabetSettings(), "A\r\nB\n") == "A\nB\n"
    True
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if settings.case == "lower":
        text = text.lower()
    if settings.speakers == "drop" and ":" in text:
        text = "\n".join(line for line in text.split("\n") if ":" not in line)
    if settings.lines == "join" and "\n" in text:
        text = " ".join(line for line in text.split("\n") if line)
    return text
