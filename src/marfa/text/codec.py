"""The one path from text to numbers: clean, words, vocabulary, truncation, frozen in one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, TypeVar

from marfa.errors import DataError
from marfa.settings import TextSettings, from_mapping
from marfa.text import spans, words
from marfa.text.clean import clean
from marfa.text.vocab import RARE, Vocab

FORMAT = 1
_MAX_MEMO = 200_000
_MAX_REMEMBERED = 64
"""Words remembered, and their longest: a bound on memory against texts of endless new words."""
_MAX_UNKNOWN = 50
_DROPPED = 0
"""What stands for a word that is not read, until it is taken out."""

T = TypeVar("T")
Span = tuple[int, int]
"""From which code point of a text, counted from 0, up to which."""


class _Memo(dict[str, int]):
    """Ids of words, each found out once: to look up a list of them is then no loop of Python's."""

    def __init__(
        self, look_up: Callable[[str], int], known: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(known or {})
        self._look_up = look_up

    def __missing__(self, word: str) -> int:
        found = self._look_up(word)
        if len(word) <= _MAX_REMEMBERED:
            self[word] = found
        return found


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text in numbers, and how much of it the model knows.

    Attributes:
        ids: word ids, at most `max_words` of them.
        known: words of the whole text that have an id of their own.
        total: words of the whole text, dropped stop words not counted.
        unknown: the first distinct words without an id, as they stand in the text, at most 50.
    """

    ids: list[int]
    known: int
    total: int
    unknown: tuple[str, ...]


class Codec:
    """Text to word ids, the same in training, evaluation and serving.

    Args:
        settings: how text is read.
        vocab: which words have ids.

    >>> codec = Codec(TextSettings(max_words=3), Vocab(("a", "good", "film")))
    >>> codec.encode("A <b>good</b> film, zut!")
    Encoded(ids=[2, 4, 1], known=3, total=4, unknown=('zut',))
    """

    def __init__(self, settings: TextSettings, vocab: Vocab) -> None:
        self.settings = settings
        self.vocab = vocab
        self._normal = words.normaliser(settings)
        self._memo = _Memo(self._look_up)

    def encode(self, text: str) -> Encoded:
        """Encode one text.

        Args:
            text: text as a person wrote it.

        Returns:
            Its ids, empty when nothing is left of the text.
        """
        found = words.split(clean(text), self.settings.alphabet)
        ids = self._ids(found)
        rare = ids.count(RARE)
        unknown = _unknown(found, ids) if rare else ()
        if _DROPPED in ids:
            ids = [id_ for id_ in ids if id_ != _DROPPED]
        total = len(ids)
        ids = crop(ids, self.settings.max_words, self.settings.crop)
        return Encoded(ids, total - rare, total, unknown)

    def locate(self, text: str) -> tuple[list[int], list[Span]]:
        """Encode one text, and say where in it the words stand that are read.

        Args:
            text: text as a person wrote it.

        Returns:
            The ids that `encode` returns, and for each the piece of the text that it stands for; none
            begins before the one before it ends.

        >>> codec = Codec(TextSettings(max_words=3), Vocab(("a", "good", "film")))
        >>> codec.locate("A <b>good</b> film, zut!")
        ([2, 4, 1], [(0, 1), (14, 18), (20, 23)])
        """
        found = spans.split(text, self.settings.alphabet)
        ids = self._ids([word for word, _, _ in found])
        read = [
            (id_, (start, end))
            for id_, (_, start, end) in zip(ids, found, strict=True)
            if id_ != _DROPPED
        ]
        read = crop(read, self.settings.max_words, self.settings.crop)
        return [id_ for id_, _ in read], [span for _, span in read]

    def _ids(self, found: list[str]) -> list[int]:
        """Look words up, those that are dropped included."""
        memo = self._memo
        if len(memo) > _MAX_MEMO:
            memo.clear()
        if len(found) > words.MOST_STEMMED and self.settings.stem != "none":
            memo = self._memo_of_many(found)
        return list(map(memo.__getitem__, found))

    def _memo_of_many(self, found: list[str]) -> _Memo:
        """Return what to take for the memo of a long text, in which words that come late are rare."""
        late = list(dict.fromkeys(found))[words.MOST_STEMMED :]
        without = words.dropped(self.settings)
        rare = {word: RARE for word in late if word not in without}
        return _Memo(self._look_up, {**self._memo, **rare}) if rare else self._memo

    def _look_up(self, word: str) -> int:
        normal = self._normal(word)
        return self.vocab.ids.get(normal, RARE) if normal else _DROPPED

    def to_json(self) -> dict[str, Any]:
        """Return the document that `from_json` reads."""
        return {
            "format": FORMAT,
            "kind": "words",
            "text": asdict(self.settings),
            "vocabulary": list(self.vocab.words),
        }

    @classmethod
    def from_json(cls, document: Any) -> Codec:
        """Rebuild a codec from its document.

        Args:
            document: what `to_json` returned.

        Raises:
            DataError: if it is not such a document.
        """
        if not isinstance(document, dict) or document.get("kind") != "words":
            message = "not a word codec"
            raise DataError(message, where="codec.json")
        if document.get("format") != FORMAT:
            message = f"codec format {document.get('format')!r:.40}; this marfa reads {FORMAT}"
            raise DataError(message, where="codec.json", hint="install a newer marfa")
        listed = document.get("vocabulary")
        if not isinstance(listed, list):
            message = "no vocabulary"
            raise DataError(message, where="codec.json")
        settings = from_mapping(TextSettings, document.get("text"), where="codec.json")
        return cls(settings, Vocab.read(listed))


def _unknown(found: list[str], ids: list[int]) -> tuple[str, ...]:
    """Return the first distinct words without an id of their own."""
    rare = (word for word, id_ in zip(found, ids, strict=True) if id_ == RARE)
    return tuple(islice(dict.fromkeys(rare), _MAX_UNKNOWN))


def crop(ids: list[T], limit: int, side: str) -> list[T]:
    """Keep at most `limit` ids: the first, the last, or the first and last halves.

    >>> [crop([1, 2, 3, 4, 5], 3, side) for side in ("head", "tail", "ends")]
    [[1, 2, 3], [3, 4, 5], [1, 4, 5]]
    """
    if len(ids) <= limit:
        return ids
    if side == "head":
        return ids[:limit]
    if side == "tail":
        return ids[-limit:]
    return ids[: limit // 2] + ids[len(ids) - (limit - limit // 2) :]


def count_words(
    texts: Iterable[str], settings: TextSettings, seen: Callable[[int], None] = lambda done: None
) -> Counter[str]:
    """Count the words of texts, as the codec will read them.

    Args:
        texts: the training texts, and no others.
        settings: how text is read.
        seen: called with the number of texts counted, now and then.

    Returns:
        Words after stemming and dropping, with their counts.
    """
    raw: Counter[str] = Counter()
    for done, text in enumerate(texts, 1):
        raw.update(words.split(clean(text), settings.alphabet))
        if done % 1000 == 0:
            seen(done)
    normal = words.normaliser(settings)
    counts: Counter[str] = Counter()
    for word, count in raw.items():  # stem each distinct word once, not each occurrence
        if kept := normal(word):
            counts[kept] += count
    return counts
