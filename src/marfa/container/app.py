"""The HTTP application around the contract: its addresses, and the page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from marfa import errors
from marfa.bundle import Bundle
from marfa.container import contract, pages, routing
from marfa.container.answering import Answering
from marfa.container.asking import HELD_BYTES, Asking, State
from marfa.container.machine import Machine
from marfa.container.observing import Metrics, Observed
from marfa.container.room import Room
from marfa.predictor import Predictor
from marfa.settings import ServeSettings
from marfa.writer import Writer

HEARTBEAT_SECONDS = 15.0
_TEXTS = 8
"""As many texts may wait as would be so many for each request: with more in each, fewer requests may."""
_PING_SECONDS = 1.5
"""SageMaker waits two seconds for /ping."""
_HANGING_SECONDS = 30.0
_FRESH_SECONDS = 1.0
"""A machine that has computed something so long ago is healthy without being asked."""

Answer = Callable[[Request], Awaitable[Response]]


def limits_of(settings: ServeSettings) -> contract.Limits:
    """Return what one request may ask for."""
    return contract.Limits(settings.max_body_bytes, settings.max_texts, settings.max_length)


def pages_of(
    model: Predictor | Writer, settings: ServeSettings, bundle: Bundle | None = None
) -> dict[str, pages.Page]:
    """Make what is always answered alike.

    Args:
        model: the loaded model.
        settings: limits, which are told.
        bundle: what the model was loaded from; with it the page can answer by itself too.

    Returns:
        The pages, by address.
    """
    found = pages.files(model, limits_of(settings))
    return found | (pages.own(bundle, found) if bundle else pages.without())


class Application:
    """What answers every request of a process; an ASGI application.

    Args:
        model: the loaded model.
        settings: limits.
        heartbeat: seconds of silence in a stream until it is said that it goes on.
        found: what `pages_of` made; made here if not given.
        counters: where the server's other processes count, if there are any.

    Attributes:
        state: what it is doing.
        metrics: what it has counted.
    """

    def __init__(
        self,
        model: Predictor | Writer,
        settings: ServeSettings,
        heartbeat: float = HEARTBEAT_SECONDS,
        *,
        found: Mapping[str, pages.Page] | None = None,
        counters: str = "",
    ) -> None:
        self.state = State(Room(max(HELD_BYTES, 2 * settings.max_body_bytes)))
        self.metrics = Metrics(model, counters)
        self._model, self._limits, self._queue = model, limits_of(settings), settings.queue
        door = contract.door(model)
        self._machine = Machine(
            partial(door.compute, model), door.weigh, door.AT_ONCE, settings.answer_seconds
        )
        found = pages_of(model, settings) if found is None else found
        shown = {
            "/ping": self._ping,
            "/readyz": self._ping,
            "/metrics": self._count,
            **{path: _always(page) for path, page in found.items()},
        }
        answering = Answering(model, self._limits, self._machine, self.metrics, heartbeat)
        asking = Asking(answering, settings, self.state, self.full)
        known = (*routing.ASKED, *shown)
        self._asked = Observed(asking, self.metrics, known)
        self._others = Starlette(
            routes=[
                *(Route(path, asking, methods=["POST"]) for path in routing.ASKED),
                *(Route(path, answer, methods=["GET", "HEAD"]) for path, answer in shown.items()),
            ],
            middleware=[Middleware(Observed, metrics=self.metrics, paths=known)],
            exception_handlers={404: _not_found, 405: _not_allowed},
        )
        self._others.router.redirect_slashes = False  # /ping/ is none of our addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is asked of the model goes straight to it."""
        straight = scope.get("path") in routing.ASKED and scope.get("method") == "POST"
        await (self._asked if straight else self._others)(scope, receive, send)

    def drain(self, seconds: float) -> None:
        """Take note that the server is to stop, and how long what is under way may take."""
        self.state.draining = True
        self._machine.deadline = time.monotonic() + seconds

    def full(self) -> bool:
        """Return whether no further question can be taken."""
        return self.state.waiting >= self._queue or self._machine.weight >= _TEXTS * self._queue

    @property
    def hangs(self) -> bool:
        """Whether a turn takes so long that it will never end."""
        begun = self._machine.begun
        return begun is not None and time.monotonic() - begun > _HANGING_SECONDS

    def close(self) -> None:
        """Let go of the machine."""
        self._machine.close()

    async def _ping(self, request: Request) -> Response:
        """Answer 200 only when the model answers and the server is not about to stop."""
        if self.state.draining:
            message = "the server is stopping"
            return _http(contract.problem(errors.OverloadedError(message)))
        if time.monotonic() - self._machine.computed < _FRESH_SECONDS:
            return _http(contract.HEALTHY)
        check = partial(
            contract.respond, self._model, contract.Request("GET", "/ping"), self._limits
        )
        try:
            async with asyncio.timeout(_PING_SECONDS):
                response, _ = await self._machine.turn(check, next_one=True)
        except TimeoutError:
            message = "the model does not answer in time"
            return _http(contract.problem(errors.OverloadedError(message)))
        return _http(response)

    async def _count(self, request: Request) -> Response:
        return PlainTextResponse(self.metrics.text())


def _http(response: contract.Response) -> Response:
    headers = {"Content-Type": response.content_type, **response.headers}
    return Response(response.body, response.status, headers)


def _always(page: pages.Page) -> Answer:
    async def answer(request: Request) -> Response:
        if not isinstance(page.source, bytes):
            await run_in_threadpool(lambda: page.content)  # it may take a second to make
        return _http(page.answer(request.headers.get("accept-encoding", "")))

    return answer


async def _not_found(request: Request, error: Exception) -> Response:
    return _http(contract.problem(routing.no_such_address()))


async def _not_allowed(request: Request, error: Exception) -> Response:
    found = (getattr(error, "headers", None) or {}).get("Allow", "GET")
    allowed = ", ".join(sorted(found.split(", ")))
    return _http(contract.problem(routing.not_allowed(allowed)))
