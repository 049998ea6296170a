"""What a request and a response are, without a transport, and how documents are read and written.

Nothing here knows a task, a socket, a framework or a log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from marfa import errors
from marfa.errors import MarfaError, RequestError
from marfa.settings import ServeSettings

TEXT, JSON, LINES = "text/plain", "application/json", "application/jsonlines"
EVENTS = "text/event-stream"
PROBLEM = "application/problem+json"
SAFETY: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
}
"""Headers of every answer, whatever is answered; a page's policy names its styles besides."""
_RETRY_SECONDS = "1"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends, without the transport.

    Attributes:
        method: "GET" or "POST".
        path: "/ping", "/invocations", "/v1/predict", "/v1/generate" or "/v1/model".
        content_type: as in the header, parameters included.
        accept: as in the header; empty means anything.
        body: the bytes.
    """

    method: str
    path: str
    content_type: str = ""
    accept: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What the client gets.

    Attributes:
        status: HTTP status.
        content_type: of the body.
        body: the bytes.
        headers: further headers.
    """

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for.

    Attributes:
        max_body_bytes: largest body.
        max_texts: most texts in one request.
        max_length: longest text made in one request, in characters.
    """

    max_body_bytes: int = ServeSettings.max_body_bytes
    max_texts: int = ServeSettings.max_texts
    max_length: int = ServeSettings.max_length


DEFAULT_LIMITS = Limits()
"""Those of a server that nobody has set otherwise."""

TOO_MANY = "too many requests are waiting"
"""What is said where no further question can be taken."""

HEALTHY = Response(200, JSON, b'{"status":"Healthy"}')
"""What /ping answers where the model does."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an answer: what one turn at the machine has made.

    Attributes:
        body: bytes that can be sent; none where there is nothing to show yet.
        characters: how many characters the model has written for it.
        last: nothing comes after it.
    """

    body: bytes = b""
    characters: int = 0
    last: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer that is made while it is read.

    Attributes:
        content_type: of the body.
        parts: the body, in pieces; each is computed when it is asked for.
    """

    content_type: str
    parts: Iterator[Part]


def from_json(text: str) -> Any:
    """Read a JSON document.

    Raises:
        RequestError: if it is none.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        message = "the body is not JSON"
        raise RequestError(message) from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are not JSON, whatever Python thinks


def to_json(document: Any) -> bytes:
    """Write an answer: one line, UTF-8, no NaN, keys in the order of the contract."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8"
    )


def check_coding(codings: Iterable[str]) -> None:
    """Refuse a body that was packed for the way.

    Args:
        codings: what the headers `Content-Encoding` say.

    Raises:
        UnsupportedCodingError: if it is in another form than its own.
    """
    if {coding.strip().lower() for coding in codings} - {"", "identity"}:
        message = "this content coding is not read; expected the body as it is"
        raise errors.UnsupportedCodingError(message)


def unexplained() -> MarfaError:
    """Return what a client may know of a failure that is ours; its kind belongs in the log."""
    return MarfaError("the answer could not be computed")


def too_large(limit: int) -> errors.TooLargeError:
    """Return the error for a body over its limit."""
    return errors.TooLargeError(f"the body is larger than {limit} bytes")


def problem(error: MarfaError) -> Response:
    """Turn an error into its response (RFC 9457); nothing of the request is repeated in it."""
    headers = come_back(error.http_status)
    if isinstance(error, errors.EndpointGoneError):
        headers = {}  # it is not back in a second
    if isinstance(error, errors.MethodNotAllowedError):
        headers["Allow"] = error.allow
    if isinstance(error, errors.UnsupportedCodingError):
        headers["Accept-Encoding"] = "identity"
    return Response(error.http_status, PROBLEM, to_json(problem_document(error)), headers)


def come_back(status: int) -> dict[str, str]:
    """Return the header that says when to ask again, for a status that says that one may."""
    return {"Retry-After": _RETRY_SECONDS} if status in {429, 503} else {}


def problem_document(error: MarfaError) -> dict[str, Any]:
    """Return the problem document of an error."""
    detail = error.what + (f"; {error.hint}" if error.hint else "")
    return {
        "type": "about:blank",
        "title": error.title,
        "status": error.http_status,
        "detail": detail,
    } | ({"refused": error.refused} if error.refused else {})


def event(name: str, document: Any, id_: str = "") -> bytes:
    r"""Write one server-sent event.

    >>> event("done", {"position": 5}, "5.a1")
    b'id: 5.a1\nevent: done\ndata: {"position":5}\n\n'
    """
    head = f"id: {id_}\nevent: {name}\n" if id_ else f"event: {name}\n"
    return head.encode("ascii") + b"data: " + to_json(document) + b"\n\n"
