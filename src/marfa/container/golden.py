"""Golden requests: recorded when a model is packaged, replayed when it is loaded, on every host.

They are the proof that what answers here is what was packaged. Bytes must be equal; only numbers may
differ, by the tolerance in the manifest, since two machines add in another order.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from marfa.container.contract import JSON, LINES, TEXT, Limits, Request, Response, respond
from marfa.errors import BundleError
from marfa.predictor import Predictor

_GOOD = (
    "I laughed, I cried, and I told everyone about it. A wonderful evening, superbly acted.",
    "A waste of time: dull, badly made, and far too long. I want my money back.",
    "Not bad at all; I'd expected worse, and the ending surprised me.",
    "It was not good. Score < 5, and <b>never</b> again!<br /><br />Don't go.",
    "فيلم جميل",
    "Un film très réussi, que je recommande à tous.",
    "good",
)


def requests() -> Iterator[Request]:
    """Yield the requests: good ones in every form, and bad ones of every kind."""
    for text in _GOOD:
        yield Request("POST", "/invocations", TEXT, JSON, text.encode())
    yield Request("POST", "/invocations", TEXT, TEXT, _GOOD[0].encode())
    yield Request("POST", "/invocations", f"{TEXT}; charset=utf-8", "*/*", _GOOD[1].encode())
    yield Request("POST", "/invocations", JSON, "", _json({"text": _GOOD[0]}))
    yield Request("POST", "/invocations", JSON, JSON, _json({"texts": list(_GOOD)}))
    lines = b"\n".join([_json({"text": _GOOD[1]}), b"not json", _json({"text": ""})])
    yield Request("POST", "/invocations", LINES, LINES, lines)
    for body in (b"", b"   ", b"<br /><p></p>", b"\xff\xfe", b"qzxjv wvkqz"):
        yield Request("POST", "/invocations", TEXT, JSON, body)
    for body in (
        b"",
        b"{",
        b"[1]",
        b'{"text": 1}',
        b'{"text": NaN}',
        b"[" * 2000,
        b'{"texts": []}',
    ):
        yield Request("POST", "/invocations", JSON, JSON, body)
    yield Request("POST", "/invocations", JSON, JSON, b'{"text": "\\ud800 wonderful \\u0000 film"}')
    yield Request("POST", "/invocations", "text/csv", JSON, b"a,b")
    yield Request("POST", "/invocations", TEXT, "image/png", _GOOD[0].encode())
    yield Request("GET", "/invocations")
    yield Request("GET", "/ping")


def record(model: Predictor) -> bytes:
    """Record every request with the model's response, one JSON document a line.

    Args:
        model: the model, on the reference engine.

    Returns:
        The content of golden.jsonl.
    """
    lines = []
    for request in requests():
        response = respond(model, request, Limits())
        lines.append(json.dumps({"request": _plain(request), "response": _plain(response)}))
    return "\n".join(lines).encode("ascii") + b"\n"


def replay(model: Predictor, recorded: bytes) -> int:
    """Ask every recorded request again.

    Args:
        model: the model, on any engine.
        recorded: the content of golden.jsonl.

    Returns:
        How many requests were asked.

    Raises:
        BundleError: if the file is no recording, or an answer is not the one recorded.
    """
    where = "golden.jsonl"
    try:
        pairs = [json.loads(line) for line in recorded.splitlines()]
        asked = [
            (Request(**_bytes(p["request"])), Response(**_bytes(p["response"]))) for p in pairs
        ]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = "not a recording of requests"
        raise BundleError(message, where=where) from error
    if not asked:
        message = "no request is recorded"
        raise BundleError(message, where=where)
    for number, (request, expected) in enumerate(asked, 1):
        found = respond(model, request, Limits())
        if not same(found, expected, model.tolerance):
            message = (
                f"request {number} is answered differently here than where the model was packaged "
                f"(engine {model.engine.name})"
            )
            raise BundleError(message, where=where, hint="package it again, or use --engine numpy")
    return len(asked)


def same(found: Response, expected: Response, tolerance: float) -> bool:
    """Say whether two responses are equal, numbers within `tolerance`."""
    if (found.status, found.content_type) != (expected.status, expected.content_type):
        return False
    if found.body == expected.body:
        return True
    if found.content_type not in {JSON, LINES}:
        return False
    try:
        return _alike(_documents(found), _documents(expected), tolerance)
    except (ValueError, RecursionError):
        return False  # a body that is not what its type says is no answer of this model


def _documents(response: Response) -> list[Any]:
    if response.content_type == LINES:
        return [json.loads(line) for line in response.body.splitlines()]
    return [json.loads(response.body)]


def _alike(found: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, float) and isinstance(found, float):
        # both were rounded to four digits, which alone can part them by one in the last
        return abs(found - expected) <= tolerance + 1.01e-4
    if isinstance(expected, dict) and isinstance(found, dict):
        return list(found) == list(expected) and all(
            _alike(found[key], expected[key], tolerance) for key in expected
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(
            _alike(a, b, tolerance) for a, b in zip(found, expected, strict=True)
        )
    return bool(found == expected)


def _json(document: Any) -> bytes:
    return json.dumps(document).encode("ascii")


def _plain(message: Request | Response) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(message, name) for name in message.__slots__}
    return {**fields, "body": base64.b64encode(message.body).decode("ascii")}


def _bytes(fields: Mapping[str, Any]) -> dict[str, Any]:
    texts = (fields.get(name, "") for name in ("method", "path", "content_type", "accept"))
    if not all(isinstance(text, str) for text in texts):
        message = "a header or an address that is no text"
        raise TypeError(message)
    return {**fields, "body": base64.b64decode(fields["body"], validate=True)}
