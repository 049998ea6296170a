"""What is counted, and what every response carries: a plain ASGI layer that delays no stream."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Collection

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
    values,
)
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from marfa import environment
from marfa.container.drift import Drift
from marfa.container.messages import SAFETY, Response, problem, unexplained
from marfa.container.outgoing import made_name
from marfa.container.room import MADE_WAY
from marfa.errors import MarfaError, OverloadedError
from marfa.predictor import Predictor
from marfa.writer import Writer

_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SAFETY.items()]
_HUNG_UP = 499
GONE = "its client has gone"
"""Why an answer is cancelled, if not because it is time to stop."""
_LOG = logging.getLogger("marfa")


def share(folder: str, place: int) -> None:
    """Let the counters of several processes be one server's, from here on.

    Args:
        folder: where the processes keep what they count; files of some kilobytes.
        place: this process's number; one that takes another's place counts on from where that ended.
    """
    environment.share_counters(folder)
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]


class Metrics:
    """The counters of one server.

    Args:
        model: the model that it serves.
        folder: where other processes' counters are, if `share` was called.
    """

    def __init__(self, model: Predictor | Writer, folder: str = "") -> None:
        self._folder = folder
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests_total", "Requests answered.", ["path", "status"], registry=registry
        )
        # to look a counter up takes longer than to count
        self._refused = functools.cache(self.requests.labels)
        self.seconds = Histogram(
            "http_request_duration_seconds", "Time to answer.", ["path"], registry=registry
        )
        self.inference = Histogram(
            "marfa_inference_seconds", "Time to compute an answer.", registry=registry
        )
        info = Gauge(
            "marfa_model_info",
            "The model.",
            ["model", "engine"],
            registry=registry,
            multiprocess_mode="max",
        )
        info.labels(model.model_id, model.engine.name).set(1)
        self.characters = Counter(
            "marfa_generated_characters_total", "Characters written.", registry=registry
        )
        self.first_character = Histogram(
            "marfa_first_character_seconds",
            "Time from a request to its first character.",
            registry=registry,
        )

        self.drift = Drift(registry)

    def refuse(self, path: str, status: int) -> None:
        """Count a request that got no further than its connection."""
        self._refused(path, status).inc()

    def text(self) -> bytes:
        """Return all of it in Prometheus' form, of all processes of the server."""
        if not self._folder:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together, path=self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(together)


class Observed:
    """Counts, times and marks every response, and makes one of every failure.

    Args:
        app: the application inside.
        metrics: where it is counted.
        paths: the addresses that are counted by name.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Collection[str]) -> None:
        self._app, self._metrics, self._paths = app, metrics, frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        own = "" if given else made_name()  # a client's name for it may be anything
        marks = [(b"x-request-id", given[:64] or own.encode()), *_HEADERS]

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] != "http.response.start":
                await send(message)
                return
            said = message["headers"]
            names = {name for name, _ in said}  # a page's own policy among them
            missing = [mark for mark in marks if mark[0] not in names]
            await send({**message, "headers": [*said, *missing]})
            status = message["status"]  # not before: an earlier answer may have to be taken first

        try:
            await self._app(scope, receive, marked)
        except ClientDisconnect:
            status = _HUNG_UP  # only the metrics see this
        except asyncio.CancelledError as end:
            if GONE in end.args or (MADE_WAY in end.args and status):
                status = _HUNG_UP
            elif not status:
                why = MADE_WAY if MADE_WAY in end.args else "the server is stopping"
                await send_whole(marked, problem(OverloadedError(why)))
        except Exception as error:  # noqa: BLE001 - a traceback could carry what the client sent
            told = error if isinstance(error, MarfaError) else internal(error)
            if not status:  # else half an answer is on its way, and all that is left is to end it
                await send_whole(marked, problem(told))
        path = scope["path"] if scope["path"] in self._paths else "other"
        seconds = time.perf_counter() - began
        self._metrics.requests.labels(path, status).inc()
        self._metrics.seconds.labels(path).observe(seconds)
        if _LOG.isEnabledFor(logging.INFO):
            line = {
                "path": path,
                "status": status,
                "ms": round(seconds * 1000, 1),
                "id": own or "-",
            }
            _LOG.info("answered", extra={"told": line})


def internal(error: Exception) -> MarfaError:
    """Log a failure of ours by its kind alone, and return what the client may know of it."""
    _LOG.error("a request failed: %s", type(error).__name__)
    return unexplained()


async def send_whole(send: Send, response: Response) -> None:
    """Send a response that is ready."""
    headers = {
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        **response.headers,
    }
    listed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": listed})
    await send({"type": "http.response.body", "body": response.body})
