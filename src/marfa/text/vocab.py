"""Which words have a number, and which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from marfa.errors import DataError

PADDING = 0
"""The id of no word, which fills a batch up."""
RARE = 1
"""The id of every word without a number of its own."""
FIRST = 2
"""The id of the commonest word."""


@dataclass(frozen=True)
class Vocab:
    """Words in the order of their ids, starting at 2.

    Args:
        words: distinct words; a vocabulary of 5,000 ids holds 4,998.

    Raises:
        DataError: if there is no word, or one twice.

    >>> vocab = Vocab.build({"film": 3, "bad": 3, "once": 1}, size=4)
    >>> vocab.words, vocab.size, vocab.ids["film"]
    (('bad', 'film'), 4, 3)
    """

    words: tuple[str, ...]
    ids: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", {word: id_ for id_, word in enumerate(self.words, FIRST)})
        if not self.words:
            message = "the vocabulary holds no word: nothing is left of the training texts"
            raise DataError(message, hint="check the text column, --min-count and --stop-words")
        if len(self.ids) != len(self.words):
            message = "the vocabulary holds a word twice"
            raise DataError(message)

    @property
    def size(self) -> int:
        """Number of ids, the two special ones included: the rows of the embedding."""
        return len(self.words) + FIRST

    @classmethod
    def build(cls, counts: Mapping[str, int], *, size: int, min_count: int = 1) -> Vocab:
        """Choose the commonest words; equal counts are ordered by the word, so every run agrees.

        Args:
            counts: how often each word occurs in the training texts.
            size: number of ids at most, at least 3.
            min_count: words that occur less often stay rare.

        Returns:
            The vocabulary.
        """
        common = (item for item in counts.items() if item[1] >= min_count)
        ordered = sorted(common, key=lambda item: (-item[1], item[0]))
        return cls(tuple(word for word, _ in ordered[: size - FIRST]))

    @classmethod
    def read(cls, words: Iterable[object]) -> Vocab:
        """Make a vocabulary of a JSON list, checked.

        Raises:
            DataError: if an entry is not a word.
        """
        listed = list(words)
        if not all(isinstance(word, str) and word for word in listed):
            message = "the vocabulary must be a list of non-empty strings"
            raise DataError(message)
        return cls(tuple(str(word) for word in listed))
