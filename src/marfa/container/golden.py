"""Golden requests: recorded when a model is packaged, replayed when it is loaded, on every host.

They are the proof that what answers here is what was packaged. Bytes must be equal; only numbers may
differ, by the tolerance in the manifest, since two machines add in another order. Texts that an engine
with eight-bit weights writes are compared by their length alone: its kernels round differently on
processors of different kinds, and a text that differs in one character differs in all that follow.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from marfa.container import questions
from marfa.container.contract import EVENTS, JSON, LINES, TEXT, Limits, Request, Response, respond
from marfa.container.messages import to_json
from marfa.errors import BundleError
from marfa.predictor import Predictor
from marfa.writer import Writer

_TOKEN = re.compile(rb"(id: [0-9]+)\.[0-9a-f]+")
_PIECE = re.compile(rb"(event: text\ndata: )(\{.*\})")


def record(model: Predictor | Writer) -> bytes:
    """Record every request with the model's response, one JSON document a line.

    Args:
        model: the model, on the reference engine.

    Returns:
        The content of golden.jsonl.
    """
    lines = []
    for request in questions.of(model):
        response = respond(model, request, Limits())
        lines.append(json.dumps({"request": _plain(request), "response": _plain(response)}))
    return "\n".join(lines).encode("ascii") + b"\n"


def replay(model: Predictor | Writer, recorded: bytes) -> int:
    """Ask every recorded request again.

    Args:
        model: the model, on any engine.
        recorded: the content of golden.jsonl.

    Returns:
        How many requests were asked.

    Raises:
        BundleError: if the file is no recording, or an answer is not the one recorded.
    """
    rounded = isinstance(model, Writer) and model.engine.precision == "int8"
    asked = pairs(recorded)
    number = differing(model, asked, partial(_answered, model), rounded)
    if number:
        message = (
            f"request {number} is answered differently here than where the model was packaged "
            f"(engine {model.engine.name})"
        )
        hint = "package it again, or use --engine numpy"
        raise BundleError(message, where="golden.jsonl", hint=hint)
    return len(asked)


def _answered(model: Predictor | Writer, request: Request) -> Response:
    try:
        return respond(model, request, Limits())
    except Exception as error:
        # the graph of another network, say, which an engine finds out when it computes
        message = f"the model cannot answer here (engine {model.engine.name})"
        hint = "package it again, or use --engine numpy"
        raise BundleError(message, where=model.name, hint=hint) from error


def differing(
    model: Predictor | Writer,
    asked: Sequence[tuple[Request, Response]],
    ask: Callable[[Request], Response],
    rounded: bool,
) -> int:
    """Ask recorded requests of somebody, and find the first that is not answered as recorded.

    Args:
        model: the model, which knows its tolerance and how its engine names places.
        asked: requests with their recorded responses.
        ask: answers a request.
        rounded: compare texts by their length alone, as written with eight-bit weights.

    Returns:
        The number of the request, from 1; 0 if all are answered as recorded.
    """
    for number, (request, expected) in enumerate(asked, 1):
        if rounded and isinstance(model, Writer) and expected.status == 200:
            request = questions.renamed(model, request)
        found = ask(request)
        if rounded:
            found, expected = _measured(found), _measured(expected)
        if not same(found, expected, model.tolerance):
            return number
    return 0


def pairs(recorded: bytes) -> list[tuple[Request, Response]]:
    """Return the recorded requests with their responses.

    Args:
        recorded: the content of golden.jsonl.

    Raises:
        BundleError: if the file is no recording.
    """
    where = "golden.jsonl"
    try:
        documents = [json.loads(line) for line in recorded.splitlines()]
        found = [
            (Request(**_bytes(each["request"])), Response(**_bytes(each["response"])))
            for each in documents
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = "not a recording of requests"
        raise BundleError(message, where=where) from error
    if not found:
        message = "no request is recorded"
        raise BundleError(message, where=where)
    return found


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


def _measured(response: Response) -> Response:
    """Put the lengths of texts in their place, in every form that a text is answered in."""
    if response.status != 200:
        return response
    kind, body = response.content_type.partition(";")[0], response.body
    try:
        if kind == TEXT:
            body = b"%d characters" % len(body.decode())
        elif kind == EVENTS:
            body = _PIECE.sub(lambda found: found[1] + _length_only(found[2]), body)
            body = _TOKEN.sub(rb"\1", body)
        elif kind == JSON:
            body = _length_only(body)
    except (ValueError, RecursionError):
        return response
    return replace(response, body=body)


def _length_only(body: bytes) -> bytes:
    document = json.loads(body)
    if isinstance(document, dict) and isinstance(document.get("text"), str):
        document["text"] = len(document["text"])
    return to_json(document)


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


def _plain(message: Request | Response) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(message, name) for name in message.__slots__}
    return {**fields, "body": base64.b64encode(message.body).decode("ascii")}


def _bytes(fields: Mapping[str, Any]) -> dict[str, Any]:
    texts = (fields.get(name, "") for name in ("method", "path", "content_type", "accept"))
    if not all(isinstance(text, str) for text in texts):
        message = "a header or an address that is no text"
        raise TypeError(message)
    return {**fields, "body": base64.b64decode(fields["body"], validate=True)}
