"""Questions over HTTP: limits while reading, and an end to what nobody waits for any more."""

from __future__ import annotations

import asyncio

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from marfa import errors
from marfa.container import contract
from marfa.container.answering import Answering, State
from marfa.container.messages import check_coding
from marfa.settings import ServeSettings


class Asking:
    """The ASGI application behind the addresses that are asked with a body.

    Args:
        answering: computes and sends the answers.
        settings: limits while reading.
        state: what the server is doing.
    """

    def __init__(self, answering: Answering, settings: ServeSettings, state: State) -> None:
        self._answering, self._settings, self._state = answering, settings, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        check_coding(request.headers.getlist("content-encoding"))
        if self._state.waiting >= self._settings.queue:
            message = "too many requests are waiting"
            raise errors.OverloadedError(message)
        self._state.waiting += 1  # before its body is read: half a body takes memory too
        try:
            asked = contract.Request(
                request.method,
                scope["path"],
                request.headers.get("content-type", ""),
                request.headers.get("accept", ""),
                await self._read(request),
            )
            await self._answer(asked, receive, send)
        finally:
            self._state.waiting -= 1

    async def _answer(self, asked: contract.Request, receive: Receive, send: Send) -> None:
        with anyio.CancelScope() as there:
            line = asyncio.create_task(_watch(receive, there))
            try:
                await self._answering.answer(asked, send)
            finally:
                line.cancel()
        if there.cancelled_caught:
            raise ClientDisconnect

    async def _read(self, request: Request) -> bytes:
        """Read the body within its limits, and not a byte further."""
        limit = self._settings.max_body_bytes
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced[:20]) > limit:
            raise contract.too_large(limit)
        body = bytearray()
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise contract.too_large(limit)
        except TimeoutError:
            message = f"the body did not arrive within {self._settings.body_seconds:g} s"
            raise errors.TimeLimitError(message) from None
        return bytes(body)


async def _watch(receive: Receive, there: anyio.CancelScope) -> None:
    """End what goes on for a client when it hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    there.cancel()
