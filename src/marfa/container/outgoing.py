"""What goes out on a connection: answers piece by piece, and refusals that pass no application."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from marfa.container.messages import SAFETY, problem
from marfa.errors import MarfaError

PIECE_BYTES = 16_384
"""Of an answer, handed on before the client has taken those before: who does not read costs no more."""


class Outgoing:
    """What one answer takes for its connection's transport.

    Args:
        transport: the connection's.
        close: ends the connection, once everything has been handed to the transport.
    """

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport, self._close = transport, close
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send something, the head of an answer together with what follows it."""
        self._held.append(data)
        if len(self._held) == 1:
            asyncio.get_running_loop().call_soon(self.flush)
        else:
            self.flush()

    def is_closing(self) -> bool:
        """Say whether nothing more can be sent."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Close, once what there is to say has been sent."""
        self.flush()
        self._close()

    def flush(self) -> None:
        """Hand over what is held back."""
        if self._held and not self._transport.is_closing():
            self._transport.write(b"".join(self._held))
        self._held.clear()


async def in_pieces(send: Callable[[Any], Awaitable[None]], message: Any) -> None:
    """Send an ASGI message, one with a long body as several.

    Args:
        send: waits while the client has not taken what was sent before.
        message: what is to be sent.
    """
    body = memoryview(message.get("body", b""))
    while len(body) > PIECE_BYTES:
        piece, body = body[:PIECE_BYTES], body[PIECE_BYTES:]
        await send({"type": message["type"], "body": piece, "more_body": True})
        message = {**message, "body": body}
    await send(message)


def made_name() -> str:
    """Return a name for a request that brings none.

    It is no secret: to ask the system for it would take a tenth of the time of those that are refused.
    """
    return f"{random.getrandbits(64):016x}"


def refusal(error: MarfaError, name: str = "", connection: str = "close") -> bytes:
    """Return what refuses a request, whole, as it stands on the line.

    Args:
        error: why.
        name: the request's, which is told with it; one is made if not given.
        connection: what becomes of the connection.

    >>> from marfa.errors import RequestError
    >>> refusal(RequestError("no")).split()[:3]
    [b'HTTP/1.1', b'400', b'Bad']
    """
    response = problem(error)
    headers = {
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        "Connection": connection,
        "X-Request-ID": name or made_name(),
        **response.headers,
        **SAFETY,
    }
    status = HTTPStatus(response.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name.lower()}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + response.body
