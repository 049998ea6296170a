"""Answers over HTTP: turns while computing, and events as they are made.

A turn is what the machine does for one request before it looks at the next: one classifier's answer, or
a few characters of one text. Turns are taken first come, first served, so that a long text does not
make another wait for its first character.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from anyio import to_thread
from starlette.types import Send

from marfa.container import contract
from marfa.container.contract import EVENTS, Part, Reply, Request, Response
from marfa.container.messages import event, problem_document
from marfa.container.observing import Metrics, internal, send_whole
from marfa.errors import MarfaError, OverloadedError
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


@dataclass
class State:
    """What the server is doing.

    Attributes:
        waiting: requests whose body is being read, or that are not answered yet.
        draining: it has been asked to stop.
        deadline: when it stops, whatever is under way; by `time.monotonic`.
    """

    waiting: int = 0
    draining: bool = False
    deadline: float = float("inf")

    def drain(self, seconds: float) -> None:
        """Take note that the server is to stop, and how long what is under way may take."""
        self.draining = True
        self.deadline = time.monotonic() + seconds


class Answering:
    """The machine that all requests share.

    Args:
        model: the loaded model.
        limits: what one request may ask for.
        state: what the server is doing.
        metrics: where it is counted.
        heartbeat: seconds of silence in a stream until it is said that it goes on.
    """

    def __init__(
        self,
        model: Model,
        limits: contract.Limits,
        state: State,
        metrics: Metrics,
        heartbeat: float,
    ) -> None:
        self.model, self.limits, self.metrics = model, limits, metrics
        self.heartbeat = heartbeat
        self._state = state
        self._machine = asyncio.Lock()  # whoever has waited longest is next
        self._turns = 0

    async def answer(self, asked: Request, send: Send) -> None:
        """Answer one request.

        Raises:
            MarfaError: if there is no answer; nothing has been sent then.
        """
        exchange = _Exchange(self, send)
        try:
            await exchange.answer(asked)
        finally:
            self.metrics.inference.observe(exchange.spent)

    async def turn(self, work: Callable[[], T]) -> tuple[T, float]:
        """Do some work when it is this request's turn; return also how long it took.

        Raises:
            OverloadedError: if the time to stop has come.
        """
        self._turns += 1
        try:
            return await self._taken(work)
        finally:
            self._turns -= 1

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for the turn under way to end."""
        return self._turns > 1

    async def _taken(self, work: Callable[[], T]) -> tuple[T, float]:
        async with self._machine:
            if time.monotonic() > self._state.deadline:
                message = "the server is stopping"
                raise OverloadedError(message)
            began = time.perf_counter()
            # what is being computed ends before its request does, so that nobody computes beside it
            done = await to_thread.run_sync(work)
            return done, time.perf_counter() - began


class _Exchange:
    """One request and its answer.

    Attributes:
        spent: seconds of computing so far.
    """

    def __init__(self, answering: Answering, send: Send) -> None:
        self._answering, self._send = answering, send
        self._began = time.perf_counter()
        self._written = 0
        self._sent = 0
        self.spent = 0.0

    async def answer(self, asked: Request) -> None:
        reply, part = await self._turn(partial(self._begin, asked))
        self._count(part)
        if reply.content_type.startswith(EVENTS):
            await self._stream(reply, part)
            return
        bodies = [part.body]
        async for more in self._rest(reply, part):
            bodies.append(more.body)
        await send_whole(self._send, Response(200, reply.content_type, b"".join(bodies)))

    def _begin(self, asked: Request) -> tuple[Reply, Part]:
        reply = contract.ask(self._answering.model, asked, self._answering.limits)
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
            while not made[-1].last and len(made) < _AT_ONCE and not self._answering.awaited:
                if made[-1].body and not self._written:
                    break  # the first character is sent at once
                made.append(next(reply.parts))
        except Exception as error:  # noqa: BLE001 - raised where the parts made have been sent
            return made, error
        return made, None

    async def _turn(self, work: Callable[[], T]) -> T:
        done, seconds = await self._answering.turn(work)
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
