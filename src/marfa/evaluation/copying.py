"""What a sample owes to the text that its writer was trained on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_CHUNK = 1 << 20
"""Characters of the source that are looked at together; some 60 bytes are needed for each."""
_BASE = 0x9E3779B97F4A7C15
"""Base of the polynomial whose value, modulo 2^64, is a passage's hash; odd, so it has an inverse."""
_INVERSE = pow(_BASE, -1, 1 << 64)
_TABLE_BITS = 20

_Words = npt.NDArray[np.uint64]


def agreement(first: str, second: str) -> int:
    """Count how many characters of two texts agree before they part.

    >>> agreement("to be, or not", "to be, and not"), agreement("", "a")
    (7, 0)
    """
    shorter = min(len(first), len(second))
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (one, other) in pairs if one != other), shorter)


def longest_copy(sample: str, source: str) -> tuple[int, int]:
    """Find the longest passage of a sample that stands in a source word for word.

    The source is read once, in pieces: only a piece that holds a passage longer than the longest
    so far is looked at more closely. Hashes only choose what is compared, so the answer is exact.

    Args:
        sample: some thousands of characters.
        source: any number of characters.

    Returns:
        Where the passage begins in the sample, and its length in characters; of several as long,
        the one that the source has first. (0, 0) if there is none.

    >>> longest_copy("and so to bed, he said", "Up betimes. And so to bed.")
    (1, 12)
    """
    best = (0, 0)
    if not sample or not source:
        return best
    overlap = len(sample)
    powers = _powers(_BASE, _CHUNK + overlap + 1)
    inverses = _powers(_INVERSE, _CHUNK + overlap + 1)
    sample_sums = _sums(sample, powers)
    for start in range(0, len(source), _CHUNK):
        piece = source[start : start + _CHUNK + overlap]
        sums = _sums(piece, powers)
        # a passage of `low` characters is had, one of `high` cannot be had from this piece
        low, high = best[1], min(len(sample), len(piece)) + 1
        length = low + 1
        while low + 1 < high:
            found = _copy(sample, sample_sums, piece, sums, inverses, length)
            if found is None:
                high = length
            else:
                best, low = (found, length), length
            length = (low + high) // 2
    return best


def _copy(
    sample: str,
    sample_sums: _Words,
    piece: str,
    sums: _Words,
    inverses: _Words,
    length: int,
) -> int | None:
    """Find where in the sample a passage of this length begins that the piece has, if any."""
    wanted = _hashes(sample_sums, inverses, length)
    hashes = _hashes(sums, inverses, length)
    # the high bits are those that depend on all characters
    shift = np.uint64(64 - _TABLE_BITS)
    table = np.zeros(1 << _TABLE_BITS, np.bool_)
    table[wanted >> shift] = True
    likely = np.flatnonzero(table[hashes >> shift])
    likely = likely[np.isin(hashes[likely], wanted)]
    starts: dict[int, int] = {}
    for start, value in enumerate(wanted.tolist()):
        starts.setdefault(value, start)
    for place in likely.tolist():
        start = starts[int(hashes[place])]
        if sample[start : start + length] == piece[place : place + length]:
            return start
    return None


def _powers(base: int, count: int) -> _Words:
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors)


def _sums(text: str, powers: _Words) -> _Words:
    """Return the polynomial of the text's first 0, 1, 2 … characters, N + 1 values."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(codes * powers[: len(codes)], out=sums[1:])
    return sums


def _hashes(sums: _Words, inverses: _Words, length: int) -> _Words:
    """Return the hash of every passage of this length, the same wherever it stands."""
    count = len(sums) - length
    return (sums[length:] - sums[:count]) * inverses[:count]
