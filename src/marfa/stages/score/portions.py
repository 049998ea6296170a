"""Some rows that are judged in one turn, and how they travel between processes."""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO

_ROWS = 256
_BYTES = 1 << 20
_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Portion:
    """Texts in UTF-8, half characters too, one after the other.

    Attributes:
        first: how many rows come before them.
        lengths: bytes of each text.
        joined: all of them.
        digest: SHA-256 of all texts up to the last of these, and of where each ends.
        share: of the whole file, read when these were; None where unknown.
    """

    first: int
    lengths: array[int]
    joined: bytes
    digest: str
    share: float | None = None

    @property
    def end(self) -> int:
        """Return how many rows there are up to the last of these."""
        return self.first + len(self.lengths)


def cut(texts: Iterable[str], look: Callable[[], float | None] = lambda: None) -> Iterator[Portion]:
    """Cut texts into portions, always in the same places.

    A portion ends with the 256th text, or with the one that brings it to 1 MiB.

    >>> [portion.end for portion in cut(["good"] * 300)]
    [256, 300]
    """
    digest = hashlib.sha256()
    first, size = 0, 0
    held: list[bytes] = []

    def made() -> Portion:
        lengths, joined = array("Q", map(len, held)), b"".join(held)
        digest.update(lengths.tobytes())
        digest.update(joined)
        return Portion(first, lengths, joined, digest.copy().hexdigest(), look())

    for text in texts:
        held.append(text.encode("utf-8", "surrogatepass"))
        size += len(held[-1])
        if len(held) == _ROWS or size >= _BYTES:
            portion = made()
            yield portion
            first, size = portion.end, 0
            held.clear()
    if held:
        yield made()


def texts(lengths: array[int], joined: bytes) -> list[str]:
    """Return the texts of a portion."""
    found, start = [], 0
    for length in lengths:
        found.append(joined[start : start + length].decode("utf-8", "surrogatepass"))
        start += length
    return found


def send(file: IO[bytes], *parts: bytes) -> None:
    """Send bytes to another process, each part with its length before it."""
    for part in parts:
        file.write(_LENGTH.pack(len(part)))
        file.write(part)
    file.flush()


def receive(file: IO[bytes], count: int) -> list[bytes]:
    """Receive so many parts.

    Raises:
        EOFError: if the other process has gone.
    """
    return [_exactly(file, *_LENGTH.unpack(_exactly(file, _LENGTH.size))) for _ in range(count)]


def _exactly(file: IO[bytes], size: int) -> bytes:
    found = file.read(size)
    if len(found) < size:
        raise EOFError
    return found
