"""Answers over HTTP: turns while computing, and events as they are made.

A turn is what the machine does for one request before it looks at the next: one classifier's answer, or
a few characters of one text. Turns are taken first come, first served, so that a long text does not
make another wait for its first character.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from starlette.types import Send

from marfa.container import contract
from marfa.container.contract import EVENTS, Part, Reply, Request, Response
from marfa.container.machine import Machine
from marfa.container.messages import event, problem_document
from marfa.container.observing import Metrics, internal, send_whole
from marfa.errors import MarfaError
from marfa.model import Model

_AT_ONCE = 4
"""Parts in one turn at most: handing the machine over for each would cost a tenth of the speed."""
_HEARTBEAT = b": still here\n\n"
_STREAMED = {
    b"content-type": f"{EVENTS}; charset=utf-8".encode("ascii"),
    b"cache-control": b"no-cache",
    b"x-accel-buffering": b"no",  # proxies that would collect the events before they pass them on
}

T = TypeVar("T")


class Answering:
    """Answers what the machine computes.

    Args:
        model: the loaded model.
        limits: what one request may ask for.
        machine: computes, for all requests in turns.
        metrics: where it is counted.
        heartbeat: seconds of silence in a stream until it is said that it goes on.
    """

    def __init__(
        self,
        model: Model,
        limits: contract.Limits,
        machine: Machine,
        metrics: Metrics,
        heartbeat: float,
    ) -> None:
        self.model, self.limits, self.metrics = model, limits, metrics
        self.machine, self.heartbeat = machine, heartbeat

    async def answer(self, asked: Request, send: Send, hold: Callable[[int], None]) -> None:
        """Answer one request.

        Args:
            asked: the request.
            send: where the answer goes.
            hold: told how many bytes of a whole answer wait for the client from here on.

        Raises:
            MarfaError: if there is no answer; nothing has been sent then.
        """
        exchange = _Exchange(self, send, hold)
        try:
            await exchange.answer(asked)
        finally:
            if exchange.spent:  # what was refused before took no time
                self.metrics.inference.observe(exchange.spent)


class _Exchange:
    """One request and its answer.

    Attributes:
        spent: seconds of computing so far.
    """

    def __init__(self, answering: Answering, send: Send, hold: Callable[[int], None]) -> None:
        self._answering, self._send, self._hold = answering, send, hold
        self._began = time.perf_counter()
        self._written = 0
        self._sent = 0
        self._sending = asyncio.Lock()
        self.spent = 0.0

    async def answer(self, asked: Request) -> None:
        model = self._answering.model
        query, form = contract.understand(model, asked, self._answering.limits)
        computed = [
            await self._spend(self._answering.machine.portion(portion))
            for portion in contract.door(model).portions(query)
        ]
        self._answering.metrics.drift.note(computed)
        if computed:  # all that takes time is done
            reply, part = self._begin(query, form, computed)
        else:
            reply, part = await self._turn(partial(self._begin, query, form, computed))
        self._count(part)
        if reply.content_type.startswith(EVENTS):
            await self._stream(reply, part)
            return
        bodies = [part.body]
        async for more in self._rest(reply, part):
            bodies.append(more.body)
        body = b"".join(bodies)
        self._hold(len(body))
        await send_whole(self._send, Response(200, reply.content_type, body))

    def _begin(self, query: Any, form: str, computed: Sequence[Any]) -> tuple[Reply, Part]:
        model = self._answering.model
        found = contract.door(model).begin(model, query, computed)
        reply = contract.reply(model, found, form)
        return reply, next(reply.parts)

    async def _stream(self, reply: Reply, part: Part) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": [*_STREAMED.items()]}
        await self._send(start)
        beat = asyncio.create_task(self._beat())
        try:
            await self._event(part.body)
            async for more in self._rest(reply, part):
                await self._event(more.body)
        except MarfaError as error:
            await self._event(event("error", problem_document(error)))
        except Exception as error:  # noqa: BLE001 - the status is sent: the stream must tell
            await self._event(event("error", problem_document(internal(error))))
        finally:
            beat.cancel()
        await self._send({"type": "http.response.body", "body": b""})

    async def _event(self, body: bytes) -> None:
        if body:
            self._sent += 1
            async with self._sending:  # one is waited for at a time, and counted once
                await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def _beat(self) -> None:
        """Say that the server is there whenever nothing else has been said for a while."""
        while True:
            before = self._sent
            await asyncio.sleep(self._answering.heartbeat)
            if self._sent == before:
                await self._event(_HEARTBEAT)

    async def _rest(self, reply: Reply, part: Part) -> AsyncIterator[Part]:
        """Yield the parts after the first one, turn by turn."""
        while not part.last:
            made, failure = await self._turn(partial(self._some, reply))
            for part in made:
                self._count(part)
                yield part
            if failure:
                raise failure

    def _some(self, reply: Reply) -> tuple[list[Part], Exception | None]:
        """Compute the next part, and a few more where that keeps nobody waiting.

        What has been made is returned even where the next part fails: it is in order, and sent.
        """
        made: list[Part] = []
        try:
            made.append(next(reply.parts))
            while (
                not made[-1].last and len(made) < _AT_ONCE and not self._answering.machine.awaited
            ):
                if made[-1].body and not self._written:
                    break  # the first character is sent at once
                made.append(next(reply.parts))
        except Exception as error:  # noqa: BLE001 - raised where the parts made have been sent
            return made, error
        return made, None

    async def _turn(self, work: Callable[[], T]) -> T:
        return await self._spend(self._answering.machine.turn(work))

    async def _spend(self, turn: Awaitable[tuple[T, float]]) -> T:
        done, seconds = await turn
        self.spent += seconds
        return done

    def _count(self, part: Part) -> None:
        if not part.characters:
            return
        if not self._written:
            waited = time.perf_counter() - self._began
            self._answering.metrics.first_character.observe(waited)
        self._written += part.characters
        self._answering.metrics.characters.inc(part.characters)
