"""An HTTP API on this machine: requests become events for a function, its answers become responses.

It stands where API Gateway does, with the throttle, the limits and the words of API Gateway.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from marfa.rehearsal import events
from marfa.rehearsal.events import Place
from marfa.rehearsal.function import FunctionBusyError, FunctionError
from marfa.rehearsal.loopback import Answer, Asked

MOST_BYTES = 10 << 20
"""Of a body that API Gateway takes."""

MOST_EVENT_BYTES = 6 << 20
"""Of an event that Lambda takes, written as JSON."""

PING = "/ping"
"""The address that API Gateway answers by itself."""

_JSON = "application/json"
_WORDS = {
    400: "Bad Request",
    404: "Not Found",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_ITS_OWN = {"content-length", "transfer-encoding", "connection", "date"}

Invoke = Callable[[dict[str, Any], float], Any]
"""Hands an event to the function, with the seconds after which nobody waits any more."""


class Tokens:
    """The throttle of a stage: a bucket of requests that refills at a rate.

    Args:
        rate: requests a second.
        burst: how many the full bucket holds.
        clock: tells the seconds.

    >>> tokens = Tokens(1, 2, lambda: 0.0)
    >>> tokens.take(), tokens.take(), tokens.take()
    (True, True, False)
    """

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate, self.burst = rate, burst
        self._clock, self._lock = clock, threading.Lock()
        self._there, self._when = float(burst), clock()

    def take(self) -> bool:
        """Take one request out, if there is one."""
        with self._lock:
            now = self._clock()
            self._there = min(self.burst, self._there + (now - self._when) * self.rate)
            self._when = now
            if self._there < 1:
                return False
            self._there -= 1
            return True

    @property
    def full_after(self) -> float:
        """Return the seconds until the bucket is full again, if nobody asks meanwhile."""
        with self._lock:
            return (self.burst - self._there) / self.rate - (self._clock() - self._when)


@dataclass(frozen=True, kw_only=True)
class Cors:
    """Whose pages may ask, as an API's CorsConfiguration says."""

    origins: Sequence[str]
    methods: Sequence[str]
    headers: Sequence[str]
    seconds: int

    def allowed(self, origin: str) -> tuple[tuple[str, str], ...]:
        """Return the header that lets an origin's page read an answer; nothing where it may not."""
        if "*" in self.origins:
            return (("Access-Control-Allow-Origin", "*"),)
        if origin in self.origins:
            return (("Access-Control-Allow-Origin", origin), ("Vary", "Origin"))
        return ()


class Gateway:
    """Answers HTTP requests with what a function answers to their events.

    Args:
        invoke: hands an event to the function.
        tokens: the throttle.
        seconds: how long the function may take.
        place: the API, as events name it.
        cors: whose pages may ask; None for the API's own alone.

    Attributes:
        statuses: how many answers there were of each status.
    """

    def __init__(
        self,
        invoke: Invoke,
        tokens: Tokens,
        seconds: float,
        place: Place,
        cors: Cors | None = None,
    ) -> None:
        self._invoke, self.tokens, self._seconds = invoke, tokens, seconds
        self._place, self._cors = place, cors
        self.statuses: Counter[int] = Counter()

    def answer(self, asked: Asked) -> Answer:
        """Answer one request."""
        answer = self._answered(asked)
        self.statuses[answer.status] += 1
        return answer

    def _answered(self, asked: Asked) -> Answer:
        origin = asked.header("origin")
        if self._cors and asked.method == "OPTIONS" and origin:
            return _preflight(self._cors, origin)
        if asked.path == PING:
            return Answer(200, (("Content-Type", "text/plain"),), b"Healthy Connection")
        answer = self._asked(asked)
        if self._cors is None:
            return answer
        # the API's own headers take the place of the function's
        kept = [
            each for each in answer.headers if not each[0].lower().startswith("access-control-")
        ]
        return Answer(answer.status, (*kept, *self._cors.allowed(origin)), answer.body)

    def _asked(self, asked: Asked) -> Answer:
        if not self.tokens.take():
            return refuse(429)
        if asked.method not in _METHODS:
            return refuse(404)
        event = events.http(asked, self._place, datetime.now(UTC))
        if len(json.dumps(event)) > MOST_EVENT_BYTES:
            return refuse(413)
        try:
            found = self._invoke(event, self._seconds)
        except FunctionBusyError:
            return refuse(503)
        except FunctionError:
            return refuse(500)
        return answered(found, str(event["requestContext"]["requestId"]))


def refuse(status: int) -> Answer:
    """Return API Gateway's own answer of a status."""
    status = status if status in _WORDS else 400
    body = json.dumps({"message": _WORDS[status]}, separators=(",", ":")).encode()
    return Answer(status, (("Content-Type", _JSON),), body)


def answered(found: Any, request_id: str) -> Answer:
    """Turn what a function returned into a response.

    Args:
        found: what it returned.
        request_id: the name of the request.

    Returns:
        The response; 500 where it is nothing that API Gateway takes.

    >>> answered({"hello": "world"}, "a").status, answered({"statusCode": "ten"}, "a").status
    (200, 500)
    """
    named = ("Apigw-Requestid", request_id)
    if not isinstance(found, Mapping) or "statusCode" not in found:
        # a function may return what it likes: that is then the body
        body = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
        return Answer(200, (("Content-Type", _JSON), named), body)
    try:
        status = _status(found["statusCode"])
        headers = tuple(_headers(found))
        body = _body(found)
    except (TypeError, ValueError, binascii.Error):
        return refuse(500)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers = (("Content-Type", "text/plain; charset=utf-8"), *headers)
    return Answer(status, (*headers, named), body)


def _status(value: Any) -> int:
    status = HTTPStatus(int(value))
    if status < 200:
        raise ValueError(value)
    return int(status)


def _headers(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    given = found.get("headers") or {}
    if not isinstance(given, Mapping):
        raise TypeError(given)
    for name, value in given.items():
        text = "true" if value is True else "false" if value is False else str(value)
        if not (name.isascii() and name.isprintable() and text.isprintable()):
            raise ValueError(name)
        text.encode("latin-1")
        if name.lower() not in _ITS_OWN:
            made.append((name, text))
    made += [("Set-Cookie", str(each)) for each in found.get("cookies") or []]
    return made


def _body(found: Mapping[str, Any]) -> bytes:
    body = found.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError(body)
    if found.get("isBase64Encoded") is True:
        return base64.b64decode(body, validate=True)
    return body.encode("utf-8")


def _preflight(cors: Cors, origin: str) -> Answer:
    """Answer a browser that asks whether it may ask; the function never hears of it."""
    allowed = cors.allowed(origin)
    if not allowed:
        return Answer(204)
    return Answer(
        204,
        (
            *allowed,
            ("Access-Control-Allow-Methods", ",".join(cors.methods)),
            ("Access-Control-Allow-Headers", ",".join(cors.headers)),
            ("Access-Control-Max-Age", str(cors.seconds)),
        ),
    )
