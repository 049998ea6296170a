"""The HTTP server around the contract: its addresses, and the page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import resources

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from marfa import __version__, errors
from marfa.container import contract, openapi
from marfa.container.answering import Answering, State
from marfa.container.asking import Asking
from marfa.container.observing import Metrics, Observed
from marfa.predictor import Predictor
from marfa.settings import ServeSettings
from marfa.writer import Writer

HEARTBEAT_SECONDS = 15.0
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PAGES: Mapping[str, str] = {Predictor.task: "index.html", Writer.task: "write.html"}
"""What stands at / by the task of the model."""

Answer = Callable[[Request], Awaitable[Response]]


def create(
    model: Predictor | Writer, settings: ServeSettings, heartbeat: float = HEARTBEAT_SECONDS
) -> Starlette:
    """Make the application.

    Args:
        model: the loaded model.
        settings: limits.
        heartbeat: seconds of silence in a stream until it is said that it goes on.

    Returns:
        An ASGI application; `app.state.marfa` is its `State`.
    """
    state = State()
    limits = contract.Limits(settings.max_body_bytes, settings.max_texts, settings.max_length)
    metrics = Metrics(model)
    shown = {**_states(model, limits, state, metrics), **_files(model, limits)}
    asked = Asking(Answering(model, limits, state, metrics, heartbeat), settings, state)
    paths = ("/invocations", *(door.PATH for door in contract.DOORS.values()))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        state.draining = True

    app = Starlette(
        routes=[
            *(Route(path, asked, methods=["POST"]) for path in paths),
            *(Route(path, answer, methods=["GET", "HEAD"]) for path, answer in shown.items()),
        ],
        middleware=[Middleware(Observed, metrics=metrics, paths=(*paths, *shown))],
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

    async def describe(request: Request) -> Response:
        return _http(contract.respond(model, contract.Request("GET", "/v1/model"), limits))

    async def health(request: Request) -> Response:
        """Say that the process is alive, and what computes."""
        document = {
            "status": "alive",
            "version": __version__,
            "engine": model.engine.name,
            "model": model.model_id,
        }
        return Response(contract.to_json(document), media_type=contract.JSON)

    async def count(request: Request) -> Response:
        return PlainTextResponse(metrics.text())

    return {
        "/ping": ping,
        "/readyz": ping,
        "/healthz": health,
        "/v1/model": describe,
        "/metrics": count,
    }


def _files(model: Predictor | Writer, limits: contract.Limits) -> dict[str, Answer]:
    web = resources.files("marfa").joinpath("web")
    names = {"/": _PAGES[model.task], "/docs": "docs.html"}
    names |= {f"/{file.name}": file.name for file in web.iterdir() if _has_address(file.name)}
    description = json.dumps(openapi.document(model, limits)).encode()
    answers = {"/openapi.json": _fixed(description, contract.JSON)}
    for path, name in sorted(names.items()):
        answers[path] = _fixed(web.joinpath(name).read_bytes(), _KINDS[_suffix(name)])
    return answers


def _has_address(name: str) -> bool:
    """Say whether a file of the page is served by its own name, as all but the pages are."""
    return _suffix(name) in _KINDS and _suffix(name) != ".html"


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]


def _http(response: contract.Response) -> Response:
    headers = {"Content-Type": response.content_type, **response.headers}
    return Response(response.body, response.status, headers)


def _fixed(content: bytes, kind: str) -> Answer:
    async def answer(request: Request) -> Response:
        return Response(content, headers={"Content-Type": kind, "Cache-Control": "no-cache"})

    return answer


async def _not_found(request: Request, error: Exception) -> Response:
    return _http(contract.problem(errors.NotFoundError("no such address", hint="see /docs")))


async def _not_allowed(request: Request, error: Exception) -> Response:
    found = (getattr(error, "headers", None) or {}).get("Allow", "GET")
    allowed = ", ".join(sorted(found.split(", ")))
    message = f"this address answers {allowed} only"
    response = _http(contract.problem(errors.MethodNotAllowedError(message)))
    response.headers["Allow"] = allowed
    return response
