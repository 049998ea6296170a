"""The HTTP server around the contract: limits while reading, a bounded queue, metrics, the page."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources

import anyio
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import ClientDisconnect

from marfa import __version__, errors
from marfa.container import contract, openapi
from marfa.errors import MarfaError
from marfa.predictor import Predictor
from marfa.settings import ServeSettings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/docs.js": ("docs.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_LOG = logging.getLogger("marfa")


@dataclass
class State:
    """What the server is doing.

    Attributes:
        waiting: requests whose body is being read, or that are not answered yet.
        draining: it has been asked to stop.
    """

    waiting: int = 0
    draining: bool = False
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)


def create(model: Predictor, settings: ServeSettings) -> FastAPI:
    """Make the application.

    Args:
        model: the loaded model.
        settings: limits.

    Returns:
        An ASGI application; `app.state.marfa` is its `State`.
    """
    state = State()
    limits = contract.Limits(settings.max_body_bytes, settings.max_texts)
    server = _Server(model, settings, limits, state)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        state.draining = True

    app = FastAPI(
        title="marfa",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    app.state.marfa = state
    app.middleware("http")(server.observe)
    description = json.dumps(openapi.document(model, limits)).encode()

    for path in ("/invocations", "/v1/predict"):
        app.add_api_route(path, server.ask, methods=["POST"])
    shown: dict[str, Callable[..., Awaitable[Response]]] = {
        "/ping": server.ping,
        "/readyz": server.ping,
        "/healthz": server.health,
        "/v1/model": server.describe,
        "/metrics": server.metrics,
        "/openapi.json": _fixed(description, contract.JSON),
    }
    for path, (name, kind) in _FILES.items():
        shown[path] = _fixed(resources.files("marfa").joinpath("web", name).read_bytes(), kind)
    for path, endpoint in shown.items():
        app.add_api_route(path, endpoint, methods=["GET", "HEAD"])
    app.add_exception_handler(404, _not_found)
    app.add_exception_handler(405, _not_allowed)
    return app


class _Server:
    def __init__(
        self, model: Predictor, settings: ServeSettings, limits: contract.Limits, state: State
    ) -> None:
        self._model, self._settings, self._limits, self._state = model, settings, limits, state
        self._turn = anyio.CapacityLimiter(1)  # one text at a time is computed; others wait in line
        registry = state.registry
        self._requests = Counter(
            "http_requests_total", "Requests answered.", ["path", "status"], registry=registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds", "Time to answer.", ["path"], registry=registry
        )
        self._inference = Histogram(
            "marfa_inference_seconds", "Time to compute an answer.", registry=registry
        )
        info = Gauge("marfa_model_info", "The model.", ["model", "engine"], registry=registry)
        info.labels(model.model_id, model.engine.name).set(1)

    async def observe(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Count, time and mark every response, and make one of every failure."""
        began = time.perf_counter()
        try:
            response = await call_next(request)
        except MarfaError as error:
            response = _http(contract.problem(error))
        except ClientDisconnect:
            response = Response(status_code=499)  # it hung up: only the metrics see this
        except Exception as error:  # noqa: BLE001 - a traceback could carry what the client sent
            _LOG.error("a request failed: %s", type(error).__name__)
            message = "the answer could not be computed"
            response = _http(contract.problem(MarfaError(message)))
        path = request.scope["route"].path if "route" in request.scope else "other"
        self._requests.labels(path, response.status_code).inc()
        self._seconds.labels(path).observe(time.perf_counter() - began)
        name = request.headers.get("x-request-id", "")[:64]
        response.headers["X-Request-ID"] = name or secrets.token_hex(8)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Content-Security-Policy"] = POLICY
        return response

    async def ask(self, request: Request) -> Response:
        """Answer /invocations and /v1/predict."""
        codings = {coding.lower() for coding in request.headers.getlist("content-encoding")}
        if codings - {"", "identity"}:
            message = "this content coding is not read; expected the body as it is"
            refused = _http(contract.problem(errors.UnsupportedContentTypeError(message)))
            refused.headers["Accept-Encoding"] = "identity"
            return refused
        if self._state.waiting >= self._settings.queue:
            message = "too many requests are waiting"
            raise errors.OverloadedError(message)
        self._state.waiting += 1  # before its body is read: half a body takes memory too
        try:
            asked = contract.Request(
                request.method,
                request.url.path,
                request.headers.get("content-type", ""),
                request.headers.get("accept", ""),
                await self._read(request),
            )
            return _http(await self._compute(asked))
        finally:
            self._state.waiting -= 1

    async def _compute(self, asked: contract.Request) -> contract.Response:
        def work() -> contract.Response:
            with self._inference.time():
                return contract.respond(self._model, asked, self._limits)

        return await anyio.to_thread.run_sync(work, limiter=self._turn)

    async def _read(self, request: Request) -> bytes:
        """Read the body within its limits, and not a byte further."""
        limit = self._limits.max_body_bytes
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

    async def ping(self) -> Response:
        """Answer 200 only when the model answers and the server is not about to stop."""
        if self._state.draining:
            message = "the server is stopping"
            return _http(contract.problem(errors.OverloadedError(message)))
        return _http(contract.respond(self._model, contract.Request("GET", "/ping"), self._limits))

    async def describe(self) -> Response:
        """Answer /v1/model."""
        asked = contract.Request("GET", "/v1/model")
        return _http(contract.respond(self._model, asked, self._limits))

    async def health(self) -> Response:
        """Say that the process is alive, and what computes."""
        document = {
            "status": "alive",
            "version": __version__,
            "engine": self._model.engine.name,
            "model": self._model.model_id,
        }
        return Response(contract.to_json(document), media_type="application/json")

    async def metrics(self) -> Response:
        """Answer Prometheus."""
        return PlainTextResponse(generate_latest(self._state.registry))


def _http(response: contract.Response) -> Response:
    headers = {"Content-Type": response.content_type, **response.headers}
    return Response(response.body, response.status, headers)


def _fixed(content: bytes, kind: str) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
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
