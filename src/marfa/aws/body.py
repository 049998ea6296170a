"""Bytes on their way out: read no faster than allowed, and counted as they leave."""

from __future__ import annotations

import os
from collections.abc import Callable

_BURST_SECONDS = 0.25
"""How much of what was not used while waiting for an answer may be used afterwards."""

_PORTIONS = 10
"""A second's worth leaves in about so many portions, so that a slow line is never silent for long."""

_SENDING = 1 << 17
"""The line asks for 16 kB at a time; botocore, where it only hashes what it will sign, for 1 MB."""


class Throttle:
    """A bucket of tokens, one for each byte, that fills at the rate allowed.

    Args:
        kbps: kilobits (1,000 bits) a second; 0 for no limit.
        clock: seconds that only go forward.
        sleep: waits some seconds.
    """

    def __init__(
        self, kbps: int, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._rate = kbps * 1000 / 8
        self._clock, self._sleep = clock, sleep
        self._tokens, self._when = 0.0, clock()

    def portion(self, size: int) -> int:
        """Return how many of some bytes may go at once."""
        if not self._rate:
            return size
        return min(size, max(1, int(self._rate / _PORTIONS)))

    def wait(self, size: int) -> None:
        """Wait until so many bytes may go."""
        if not self._rate:
            return
        now = self._clock()
        filled = self._tokens + (now - self._when) * self._rate
        self._tokens = min(filled, self._rate * _BURST_SECONDS) - size
        self._when = now
        if self._tokens < 0:
            self._sleep(-self._tokens / self._rate)


class Body:
    """What botocore reads a request's body from; begins again by itself when a request is repeated.

    Args:
        content: the bytes.
        throttle: keeps the rate.
        told: told how many bytes of this body have left, from 0 again when it is sent again.

    >>> body = Body(b"harbour", Throttle(0, lambda: 0.0, print), print)
    >>> body.read(4)
    4
    b'harb'
    """

    def __init__(self, content: bytes, throttle: Throttle, told: Callable[[int], None]) -> None:
        self._content = content
        self._throttle, self._told = throttle, told
        self._at = 0

    def __len__(self) -> int:
        return len(self._content)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer than asked for where the rate wants it; empty at the end."""
        left = len(self._content) - self._at
        leaving = 0 <= size <= _SENDING
        size = min(size, left) if size >= 0 else left
        if leaving and size:
            size = self._throttle.portion(size)
            self._throttle.wait(size)
        found = self._content[self._at : self._at + size]
        self._at += size
        if leaving and size:
            self._told(self._at)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, as files do."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._content)}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at
