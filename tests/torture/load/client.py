"""One keep-alive connection that sends requests made beforehand and reads as little as will do.

It costs some tens of microseconds a request, so that one core drives more than a Python server answers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

NO_ANSWER, NO_CONNECTION, TIMED_OUT = 0, -1, -2
"""What stands in the place of a status: the line was cut, was not to be had, or nothing came in time."""
_HEAD_END = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
_CHUNK = re.compile(rb"0*([1-9a-fA-F][0-9a-fA-F]*)\r\n")


def fine(status: int, body: bytes) -> bool:
    """Take any answer for right that is no refusal and no failure."""
    return 200 <= status < 300


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, ready to be sent.

    Attributes:
        name: of its kind, for the table.
        data: all its bytes.
        right: whether an answer is the one that is due; not asked about 429 and 503.
    """

    name: str
    data: bytes = field(repr=False)
    right: Callable[[int, bytes], bool] = fine


def post(path: str, body: bytes, content_type: str, *more: str) -> bytes:
    """Return the bytes of a request with a body."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *more,
    ]
    return "\r\n".join(lines).encode() + _HEAD_END + body


def get(path: str) -> bytes:
    """Return the bytes of a request without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def joined(chunks: bytes) -> bytes:
    r"""Return what came in chunks, whole; what is no chunk ends it.

    >>> joined(b"2\r\nab\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n")
    b'ab0123456789abcdef'
    >>> joined(b"2\r\nab\r\n-6\r\n"), joined(b"zz\r\n")
    (b'ab', b'')
    """
    pieces, at = [], 0
    while found := _CHUNK.match(chunks, at):
        at = found.end() + int(found[1], 16) + 2
        pieces.append(chunks[found.end() : at - 2])
    return b"".join(pieces)


class Owner(Protocol):
    """Who is told what became of a request, and of a line."""

    def answered(self, line: Line, status: int, head: bytes, body: bytes) -> None:
        """Take an answer; the line may be asked again at once if it is open."""

    def lost(self, line: Line) -> None:
        """Take note that a line has ended; what it was asked is not answered."""


class Line(asyncio.Protocol):
    """A connection.

    Args:
        owner: who is told.

    Attributes:
        asked: what is under way, whatever the owner keeps of it; None if nothing is.
        open: whether it can be asked.
        since: when it was last free, by the owner's clock.
    """

    __slots__ = ("_body_at", "_body_end", "_data", "asked", "open", "owner", "since", "transport")

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.asked: Any = None
        self.open = False
        self.since = 0.0
        self.transport: Any = None
        self._data = b""
        self._body_at = self._body_end = 0

    def connection_made(self, transport: Any) -> None:
        self.transport, self.open = transport, True

    def ask(self, asked: Any, data: bytes) -> None:
        """Send a request."""
        self.asked = asked
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self._data:
            data = self._data + data
        if not self._body_at:
            end = data.find(_HEAD_END)
            if end < 0:
                self._data = data
                return
            self._body_at = end + 4
            self._body_end = self._length(data[: end + 2].lower())
        if self._body_end >= 0:
            whole = len(data) >= self._body_at + self._body_end
        else:
            whole = data.endswith(LAST_CHUNK)
        if not whole:
            self._data = data
            return
        head, body = data[: self._body_at], data[self._body_at :]
        if self._body_end < 0:
            body = joined(body)
        self._data, self._body_at = b"", 0
        if b"\r\nconnection: close" in head.lower():
            self.open = False
            self.transport.close()
        self.owner.answered(self, int(head[9:12]), head, body)

    def eof_received(self) -> None:
        self.open = False  # what is asked from here on would be lost, and seem to have been cut

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        self.owner.lost(self)

    def _length(self, head: bytes) -> int:
        at = head.find(b"\r\ncontent-length:")
        if at >= 0:
            return int(head[at + 17 : head.find(b"\r\n", at + 2)])
        return -1 if b"\r\ntransfer-encoding: chunked" in head else 0
