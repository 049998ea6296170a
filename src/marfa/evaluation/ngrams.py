"""What counting gives: the n-gram models that a character network has to beat.

The strong one is interpolated modified Kneser-Ney (Chen and Goodman 1998, section 3): every count
is discounted, what the discount frees goes to the next shorter context, and shorter contexts count
after how many different characters a character stands, not how often it stands there.

An n-gram is known by its rank among those of its order, and one of the next order by the rank of
its beginning and its last character: so a number of 64 bits is enough for any order and alphabet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marfa.errors import DataError

_Ids = npt.NDArray[np.int64]
_Shares = npt.NDArray[np.float64]
_SCARCE = np.array([0.0, 0.5, 1.0, 1.5])
"""Discounts of counts 0, 1, 2 and more where there is too little text to estimate them."""


def unigram(train_ids: npt.ArrayLike, held_ids: npt.ArrayLike, symbols: int) -> float:
    """Measure how far the frequency of each character alone predicts a text.

    Args:
        train_ids: the text to count in, ids of 0 to `symbols` - 1.
        held_ids: the text to predict, at least one id.
        symbols: how many different ids there can be, 0 (unknown) among them; one is added to the
            count of each.

    Returns:
        Nats per character.

    Raises:
        DataError: if there is nothing to predict, or an id is outside the range.

    >>> round(unigram([1, 1, 2], [1, 2], symbols=3), 4)
    0.8959
    """
    train, held = _checked(train_ids, symbols), _checked(held_ids, symbols, needed=1)
    counts = np.bincount(train, minlength=symbols) + 1.0
    return float(-np.log(counts / counts.sum())[held].mean())


def kneser_ney(
    train_ids: npt.ArrayLike, held_ids: npt.ArrayLike, symbols: int, order: int = 5
) -> float:
    """Measure how far counted n-grams predict the text that follows the counted one.

    Args:
        train_ids: the text to count in, ids of 0 to `symbols` - 1.
        held_ids: the text that follows it, at least one id; nothing is learnt from it.
        symbols: how many different ids there can be, 0 (unknown) among them.
        order: length of the longest n-gram, at least 1.

    Returns:
        Nats per character.

    Raises:
        DataError: if there is nothing to predict, or an id is outside the range.

    >>> kneser_ney([1, 2] * 50, [1, 2] * 5, symbols=3, order=2) < 0.1
    True
    """
    held = _checked(held_ids, symbols, needed=1)
    train = _checked(train_ids, symbols)
    model = KneserNey(train, symbols, order)
    before = train[max(0, len(train) - order + 1) :]
    shares = model.shares(np.concatenate([before, held]))[len(before) :]
    return float(-np.log(shares).mean())


@dataclass(frozen=True)
class _Level:
    """What is known of the n-grams of one order.

    Attributes:
        grams: the codes of those that occur, ascending; an n-gram's rank is its place here.
        kept: of each, its discounted share among the continuations of its context.
        freed: by the rank of the context, the share that goes to the next shorter one.
    """

    grams: _Ids
    kept: _Shares
    freed: _Shares


class KneserNey:
    """Counted n-grams that give every symbol a probability after any context.

    Args:
        train_ids: the text to count in, ids of 0 to `symbols` - 1; may be empty.
        symbols: how many different ids there can be.
        order: length of the longest n-gram, at least 1.

    Raises:
        DataError: if an id is outside the range.

    >>> model = KneserNey([1, 2, 1, 2, 1, 3], symbols=4, order=3)
    >>> [round(float(share), 3) for share in model.after([2, 1])]
    [0.031, 0.094, 0.479, 0.396]
    """

    def __init__(self, train_ids: npt.ArrayLike, symbols: int, order: int = 5) -> None:
        assert order >= 1
        assert symbols >= 1
        self.symbols = symbols
        self._levels: list[_Level] = []
        text = _checked(train_ids, symbols)
        # ranks[i] is that of the n-gram, one shorter, that ends in front of text[level - 1 + i]
        ranks, contexts = np.zeros(len(text) + 1, np.int64), 1
        grams = counts = np.empty(0, np.int64)
        for level in range(1, min(order, len(text)) + 1):
            codes = ranks[:-1] * symbols + text[level - 1 :]
            longer, longer_ranks, longer_counts = _ranked(codes, max(1, len(grams)) * symbols)
            if level > 1:
                counts = _continuations(ranks, len(grams), longer_ranks, len(longer))
                self._levels.append(_level(grams, counts, symbols, contexts))
                contexts = len(grams)
            grams, counts, ranks = longer, longer_counts, longer_ranks
        if len(text):
            self._levels.append(_level(grams, counts, symbols, contexts))

    def shares(self, ids: npt.ArrayLike) -> _Shares:
        """Return the probability of each id of a text after those before it, N of them.

        >>> KneserNey([], symbols=4).shares([1, 2])
        array([0.25, 0.25])
        """
        text = _checked(ids, self.symbols)
        found = np.full(len(text), 1 / self.symbols)
        context = np.zeros(len(text), np.int64)
        for level in self._levels:
            known = context >= 0
            found[known] *= level.freed[context[known]]
            codes = context * self.symbols + text
            ranks = np.minimum(np.searchsorted(level.grams, codes), len(level.grams) - 1)
            ranks[(level.grams[ranks] != codes) | ~known] = -1
            there = ranks >= 0
            found[there] += level.kept[ranks[there]]
            context = np.full(len(text), -1)
            context[1:] = ranks[:-1]
        return found

    def after(self, context: npt.ArrayLike) -> _Shares:
        """Return the probability of each symbol after a context, all of them; they add up to 1."""
        before = _checked(context, self.symbols)[-len(self._levels) :]
        rows = [self.shares([*before, symbol])[-1] for symbol in range(self.symbols)]
        return np.array(rows)


def _ranked(codes: _Ids, limit: int) -> tuple[_Ids, _Ids, _Ids]:
    """Return the different codes, ascending, the rank of each code among them, and their counts."""
    if limit > 4 * len(codes):
        return np.unique(codes, return_inverse=True, return_counts=True)
    # so few can be had that counting all is ten times as fast as sorting
    counts = np.bincount(codes, minlength=limit)
    different = np.flatnonzero(counts)
    ranks = np.empty(limit, np.int64)
    ranks[different] = np.arange(len(different))
    return different, ranks[codes], counts[different]


def _continuations(ranks: _Ids, size: int, longer_ranks: _Ids, longer_size: int) -> _Ids:
    """Count before each n-gram the different characters; the text's beginning counts as one."""
    ending = np.empty(longer_size, np.int64)
    ending[longer_ranks] = ranks[1:]
    counts = np.bincount(ending, minlength=size)
    counts[ranks[0]] += 1
    return counts


def _level(grams: _Ids, counts: _Ids, symbols: int, contexts: int) -> _Level:
    discounts = _discounts(counts)[np.minimum(counts, 3)]
    context = grams // symbols
    total = np.bincount(context, weights=counts, minlength=contexts)
    spared = np.bincount(context, weights=discounts, minlength=contexts)
    # the very last characters of the text have never been a context: all goes to a shorter one
    freed = np.divide(spared, total, out=np.ones(contexts), where=total > 0)
    return _Level(grams, (counts - discounts) / total[context], freed)


def _discounts(counts: _Ids) -> _Shares:
    """Estimate what to take from counts of 0, 1, 2 and more, by how many counts are 1, 2, 3 and 4."""
    numbers = np.bincount(np.minimum(counts, 5), minlength=6)
    if not numbers[1:5].all():
        return _SCARCE
    once, twice, thrice, more = (float(number) for number in numbers[1:5])
    part = once / (once + 2 * twice)
    found = np.array(
        [
            0.0,
            1 - 2 * part * twice / once,
            2 - 3 * part * thrice / twice,
            3 - 4 * part * more / thrice,
        ]
    )
    return found if bool((found[1:] > 0).all()) else _SCARCE


def _checked(ids: npt.ArrayLike, symbols: int, needed: int = 0) -> _Ids:
    text = np.asarray(ids)
    if len(text) < needed:
        message = f"found {len(text)} characters, expected at least {needed}"
        raise DataError(message)
    if len(text) and not 0 <= int(text.min()) <= int(text.max()) < symbols:
        message = f"found ids {text.min()} to {text.max()}, expected 0 to {symbols - 1}"
        raise DataError(message)
    return text.astype(np.int64)
