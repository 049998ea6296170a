"""Questions over HTTP: limits while reading, and an end to what nobody waits for any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from marfa import errors
from marfa.container import contract
from marfa.container.answering import Answering
from marfa.container.messages import TOO_MANY, check_coding
from marfa.container.room import MADE_WAY, Place, Room
from marfa.settings import ServeSettings

HELD_BYTES = 32 << 20
"""Of bodies and answers that a process holds at once: memory is bounded, however many come."""


@dataclass
class State:
    """What a process of the server is doing.

    Attributes:
        waiting: requests that have arrived and are not answered yet; not those whose client has to take
            something of the answer first.
        draining: it has been asked to stop.
        room: what they hold.
    """

    room: Room
    waiting: int = 0
    draining: bool = False


class Asking:
    """The ASGI application behind the addresses that are asked with a body.

    Args:
        answering: computes and sends the answers.
        settings: limits while reading.
        state: what the process is doing.
        full: whether no further question can be taken.
    """

    def __init__(
        self,
        answering: Answering,
        settings: ServeSettings,
        state: State,
        full: Callable[[], bool],
    ) -> None:
        self._answering, self._settings, self._state = answering, settings, state
        self._full = full

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that hangs up cancels it."""
        headers = _Headers(scope)
        check_coding(headers.codings)
        self._admit()
        place = Place(self._state.room)
        try:
            body = await self._read(place, headers, receive)
            self._admit()  # others may have come while it was on its way
            self._state.waiting += 1
            try:
                asked = contract.Request(
                    scope["method"], scope["path"], headers.content_type, headers.accept, body
                )
                await self._answering.answer(asked, self._aside(place, send), place.take)
            finally:
                self._state.waiting -= 1
        finally:
            place.leave()

    def _aside(self, place: Place, send: Send) -> Send:
        """Send so that who waits for its client keeps nobody else waiting."""

        async def sent(message: Message) -> None:
            self._state.waiting -= 1
            place.wait()
            try:
                await send(message)
            finally:
                place.go_on()
                self._state.waiting += 1

        return sent

    def _admit(self) -> None:
        if self._full():
            raise errors.OverloadedError(TOO_MANY)

    async def _read(self, place: Place, headers: _Headers, receive: Receive) -> bytes:
        """Read the body within its limits, and not a byte further."""
        most, seconds = self._settings.max_body_bytes, self._settings.body_seconds
        if headers.length > most:
            raise contract.too_large(most)
        pieces: list[bytes] = []
        place.wait()
        try:
            async with asyncio.timeout(seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    pieces.append(message.get("body", b""))
                    if place.size + len(pieces[-1]) > most:
                        raise contract.too_large(most)
                    place.take(len(pieces[-1]))
                    if not message.get("more_body"):
                        return b"".join(pieces)
        except TimeoutError:
            what = f"the body did not arrive within {seconds:g} s"
            raise errors.TimeLimitError(what) from None
        except asyncio.CancelledError as end:
            if MADE_WAY not in end.args:
                raise
            what = "others needed the room that this body took while it was on its way"
            raise errors.OverloadedError(what) from None
        finally:
            place.go_on()


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
