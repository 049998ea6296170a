"""The HTTP server around the contract: its addresses, and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from marfa import errors
from marfa.bundle import Bundle
from marfa.container import contract, pages, routing
from marfa.container.answering import Answering, State
from marfa.container.asking import Asking
from marfa.container.observing import Metrics, Observed
from marfa.predictor import Predictor
from marfa.settings import ServeSettings
from marfa.writer import Writer

HEARTBEAT_SECONDS = 15.0

Answer = Callable[[Request], Awaitable[Response]]


def create(
    model: Predictor | Writer,
    settings: ServeSettings,
    heartbeat: float = HEARTBEAT_SECONDS,
    *,
    bundle: Bundle | None = None,
) -> Starlette:
    """Make the application.

    Args:
        model: the loaded model.
        settings: limits.
        heartbeat: seconds of silence in a stream until it is said that it goes on.
        bundle: what the model was loaded from; with it the page can answer by itself too.

    Returns:
        An ASGI application; `app.state.marfa` is its `State`.
    """
    state = State()
    limits = contract.Limits(settings.max_body_bytes, settings.max_texts, settings.max_length)
    metrics = Metrics(model)
    found = pages.files(model, limits)
    found |= pages.own(bundle, found) if bundle else pages.without()
    fixed = {path: _always(page) for path, page in found.items()}
    shown = {**_states(model, limits, state, metrics), **fixed}
    asked = Asking(Answering(model, limits, state, metrics, heartbeat), settings, state)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        state.draining = True

    app = Starlette(
        routes=[
            *(Route(path, asked, methods=["POST"]) for path in routing.ASKED),
            *(Route(path, answer, methods=["GET", "HEAD"]) for path, answer in shown.items()),
        ],
        middleware=[Middleware(Observed, metrics=metrics, paths=(*routing.ASKED, *shown))],
        exception_handlers={404: _not_found, 405: _not_allowed},
        lifespan=lifespan,
    )
    app.state.marfa = state
    return app


def _states(
    model: Predictor | Writer, limits: contract.Limits, state: State, metrics: Metrics
) -> dict[str, Answer]:
    async def ping(request: Request) -> Response:
        """Answer 200 only when the model answers and the server is not about to stop."""
        if state.draining:
            message = "the server is stopping"
            return _http(contract.problem(errors.OverloadedError(message)))
        return _http(contract.respond(model, contract.Request("GET", "/ping"), limits))

    async def count(request: Request) -> Response:
        return PlainTextResponse(metrics.text())

    return {"/ping": ping, "/readyz": ping, "/metrics": count}


def _http(response: contract.Response) -> Response:
    headers = {"Content-Type": response.content_type, **response.headers}
    return Response(response.body, response.status, headers)


def _always(page: pages.Page) -> Answer:
    async def answer(request: Request) -> Response:
        return _http(await run_in_threadpool(lambda: page.response))  # some take a second to make

    return answer


async def _not_found(request: Request, error: Exception) -> Response:
    return _http(contract.problem(routing.no_such_address()))


async def _not_allowed(request: Request, error: Exception) -> Response:
    found = (getattr(error, "headers", None) or {}).get("Allow", "GET")
    allowed = ", ".join(sorted(found.split(", ")))
    return _http(contract.problem(routing.not_allowed(allowed)))
