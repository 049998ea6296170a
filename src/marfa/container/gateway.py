"""API Gateway's events: what was asked by one, and the answer in the form that the gateway takes.

HTTP APIs and function URLs send the payload format 2.0, REST APIs 1.0. Needs the standard library alone.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from marfa.container.messages import (
    EVENTS,
    JSON,
    LINES,
    PROBLEM,
    SAFETY,
    Request,
    Response,
    check_coding,
    problem,
)
from marfa.errors import RequestError, TooLargeError

MOST_BYTES = 6 << 20
"""Of an answer, written as JSON, that Lambda hands over in one piece."""

_DEFAULT_STAGE = "$default"
_TEXTS = {JSON, LINES, PROBLEM, EVENTS, "image/svg+xml"}


def asked(event: Any) -> Request:
    """Read what a client asked.

    Args:
        event: what Lambda hands over.

    Returns:
        The request, without the stage in front of its path.

    Raises:
        RequestError: if it is no event of API Gateway, or its body is not the base64 that it should be.
        UnsupportedCodingError: if the body of a question was packed for the way.

    >>> asked({"version": "1.0", "httpMethod": "GET", "path": "/ping"}).path
    '/ping'
    """
    method, path = _line(event)
    headers = _headers(event)
    if method == "POST":
        check_coding(headers.get("content-encoding", "").split(","))
    return Request(
        method,
        path,
        headers.get("content-type", ""),
        headers.get("accept", ""),
        _body(event),
    )


def accept_encoding(event: Any) -> str:
    """Return in what codings an answer may be packed; none where the gateway would not hand on bytes.

    HTTP APIs and function URLs do; REST APIs only those of media types that somebody has listed.
    """
    is_plain = isinstance(event, Mapping) and event.get("version") == "2.0"
    return _headers(event).get("accept-encoding", "") if is_plain else ""


def _line(event: Any) -> tuple[str, str]:
    """Return method and path, in either format."""
    match event:
        case {
            "version": "2.0",
            "rawPath": str(path),
            "requestContext": {"http": {"method": str(method)}} as context,
        }:
            return method.upper(), _without_stage(path, context)
        case {"version": "2.0"}:
            pass
        case {"httpMethod": str(method), "path": str(path)}:
            context = event.get("requestContext")
            return method.upper(), _without_stage(path, context)
    message = "this is no event of API Gateway"
    raise RequestError(message, hint="expected the payload format 2.0 or 1.0")


def _without_stage(path: str, context: Any) -> str:
    """Return the path as the client's page sees it: REST APIs have cut off the stage, HTTP APIs not."""
    stage, whole = (_text(context, name) for name in ("stage", "path"))
    prefix = f"/{stage}"
    if (
        stage not in {"", _DEFAULT_STAGE}
        and whole != prefix + path
        and f"{path}/".startswith(f"{prefix}/")
    ):
        path = path.removeprefix(prefix)
    return unquote(path) or "/"


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers by their names in lower case, several of one name joined by commas."""
    found: dict[str, str] = {}
    for name, value in _pairs(event.get("headers")):
        found[name.lower()] = value
    many: dict[str, list[str]] = {}
    for name, value in _pairs(event.get("multiValueHeaders")):
        many.setdefault(name.lower(), []).append(value)
    return found | {name: ", ".join(values) for name, values in many.items()}


def _pairs(headers: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(headers, Mapping):  # a test in the console sends none
        return
    for name, value in headers.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str):
                yield str(name), each


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        message = "the body of this event is no text"
        raise RequestError(message)
    if event.get("isBase64Encoded") is not True:
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        message = "the body is not the base64 that the event says it is"
        raise RequestError(message) from None


def answered(response: Response, event: Any) -> dict[str, Any]:
    """Write a response in the form that API Gateway takes.

    Args:
        response: the answer.
        event: what it is the answer to; anything at all where that was no event.

    Returns:
        A document of either payload format. It holds a problem with status 413 where the answer is
        larger than Lambda hands over.

    >>> answer = answered(Response(200, "text/plain", b"1"), {})
    >>> answer["statusCode"], answer["body"], answer["isBase64Encoded"]
    (200, '1', False)
    """
    written = _written(response, event)
    if len(json.dumps(written, ensure_ascii=False).encode()) > MOST_BYTES:
        message = f"the answer would be larger than {MOST_BYTES} bytes"
        refused = problem(TooLargeError(message, hint="ask for less in one request"))
        return _written(refused, event)
    return written


def _written(response: Response, event: Any) -> dict[str, Any]:
    kind = response.content_type.partition(";")[0]
    body, packed = _as_text(response.body) if _is_text(kind) else None, False
    if body is None:
        body, packed = base64.b64encode(response.body).decode("ascii"), True
    caching = {"Cache-Control": "no-cache"} if kind == EVENTS else {}
    headers = {
        "Content-Type": response.content_type,
        **caching,
        **SAFETY,
        **response.headers,  # a page's own policy among them
        **_name(event),
    }
    return {
        "statusCode": response.status,
        "headers": headers,
        "body": body,
        "isBase64Encoded": packed,
    }


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in _TEXTS


def _as_text(body: bytes) -> str | None:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _name(event: Any) -> dict[str, str]:
    """Return the request's name: the client's own, otherwise the gateway's."""
    if not isinstance(event, Mapping):
        return {}
    own, gateways = _headers(event).get("x-request-id", ""), event.get("requestContext")
    for name in (own, _text(gateways, "requestId")):
        if name and name.isascii() and name.isprintable():
            return {"X-Request-Id": name[:64]}
    return {}


def _text(document: Any, name: str) -> str:
    """Return an entry that should be a text; none where it is none, or there is no document."""
    value = document.get(name) if isinstance(document, Mapping) else None
    return value if isinstance(value, str) else ""
