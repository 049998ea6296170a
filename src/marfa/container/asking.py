"""Questions over HTTP: limits while reading, and an end to what nobody waits for any more."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from marfa import errors
from marfa.container import contract
from marfa.container.answering import Answering
from marfa.container.messages import TOO_MANY, check_coding
from marfa.settings import ServeSettings

_HELD_BYTES = 32 << 20
"""Of bodies that a process holds at once, whole or in part: memory is bounded, however many come."""


@dataclass
class State:
    """What a process of the server is doing.

    Attributes:
        waiting: requests that have arrived and are not answered yet.
        held: bytes of their bodies, and of those still on their way.
        draining: it has been asked to stop.
    """

    waiting: int = 0
    held: int = 0
    draining: bool = False


class Asking:
    """The ASGI application behind the addresses that are asked with a body.

    Args:
        answering: computes and sends the answers.
        settings: limits while reading.
        state: what the process is doing.
    """

    def __init__(self, answering: Answering, settings: ServeSettings, state: State) -> None:
        self._answering, self._settings, self._state = answering, settings, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that hangs up cancels it."""
        headers = _Headers(scope)
        check_coding(headers.codings)
        self._admit()
        body = _Body(self._settings.max_body_bytes, self._state)
        try:
            await self._read(body, headers, receive)
            self._admit()  # others may have come while it was on its way
            self._state.waiting += 1
            try:
                asked = contract.Request(
                    scope["method"],
                    scope["path"],
                    headers.content_type,
                    headers.accept,
                    body.take(),
                )
                await self._answering.answer(asked, send)
            finally:
                self._state.waiting -= 1
        finally:
            body.let_go()

    def _admit(self) -> None:
        if self._state.waiting >= self._settings.queue:
            raise errors.OverloadedError(TOO_MANY)

    async def _read(self, body: _Body, headers: _Headers, receive: Receive) -> None:
        """Read the body within its limits, and not a byte further."""
        body.announce(headers.length)
        seconds = self._settings.body_seconds
        try:
            async with asyncio.timeout(seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    body.add(message.get("body", b""))
                    if not message.get("more_body"):
                        return
        except TimeoutError:
            what = f"the body did not arrive within {seconds:g} s"
            raise errors.TimeLimitError(what) from None


class _Headers:
    """What is read of a request's headers; of several of one name the first counts, as ever.

    Attributes:
        content_type: of the body.
        accept: forms that the client takes.
        codings: what was done to the body for the way.
        length: bytes of the body, as far as that is told; 0 where it is not.
    """

    def __init__(self, scope: Scope) -> None:
        first: dict[bytes, str] = {}
        self.codings: list[str] = []
        for name, value in scope["headers"]:
            text = value.decode("latin-1")
            first.setdefault(name, text)
            if name == b"content-encoding":
                self.codings.append(text)
        self.content_type = first.get(b"content-type", "")
        self.accept = first.get(b"accept", "")
        told = first.get(b"content-length", "")
        self.length = int(told[:20]) if told.isdigit() else 0


class _Body:
    """A body while it arrives, and the memory that it takes."""

    def __init__(self, limit: int, state: State) -> None:
        self._limit, self._state = limit, state
        self._pieces: list[bytes] = []
        self._size = 0

    def announce(self, length: int) -> None:
        if length > self._limit:
            raise contract.too_large(self._limit)

    def add(self, piece: bytes) -> None:
        self._size += len(piece)
        self._state.held += len(piece)
        if self._size > self._limit:
            raise contract.too_large(self._limit)
        if self._state.held > max(_HELD_BYTES, 2 * self._limit):
            message = "too many large requests at once"
            raise errors.OverloadedError(message)
        self._pieces.append(piece)

    def take(self) -> bytes:
        whole, self._pieces = b"".join(self._pieces), []
        return whole

    def let_go(self) -> None:
        self._state.held -= self._size
        self._pieces = []
