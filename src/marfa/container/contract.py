"""One pure function, bytes in and bytes out, behind every door.

`respond` is `parse`, `answer` and `render` with errors turned into problem documents (RFC 9457). The
SageMaker handler calls the three one by one. Nothing here knows a socket, a framework or a log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from marfa import errors
from marfa.errors import MarfaError, RequestError
from marfa.predictor import Judgement, Predictor
from marfa.settings import ServeSettings

TEXT, JSON, LINES = "text/plain", "application/json", "application/jsonlines"
PROBLEM = "application/problem+json"
READ = (TEXT, JSON, LINES)
_ALIASES = {
    "application/x-jsonlines": LINES,
    "application/jsonl": LINES,
    "application/x-ndjson": LINES,
}
_RETRY_SECONDS = "1"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends, without the transport.

    Attributes:
        method: "GET" or "POST".
        path: "/ping", "/invocations", "/v1/predict" or "/v1/model".
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
    """

    max_body_bytes: int = ServeSettings.max_body_bytes
    max_texts: int = ServeSettings.max_texts


@dataclass(frozen=True, slots=True)
class Query:
    """A request that has been understood.

    Attributes:
        texts: the texts; for JSON Lines an error stands where a line is not understood.
        form: "one", "many" or "lines".
    """

    texts: Sequence[str | RequestError]
    form: str


def respond(model: Predictor, request: Request, limits: Limits = Limits()) -> Response:
    """Answer one request.

    Args:
        model: the loaded model.
        request: what the client sent.
        limits: what a request may ask for.

    Returns:
        The response; a problem document with the right 4xx for anything that cannot be answered.
    """
    try:
        return _route(model, request, limits)
    except MarfaError as error:
        return problem(error)


def _route(model: Predictor, request: Request, limits: Limits) -> Response:
    methods = {"/ping": "GET", "/v1/model": "GET", "/invocations": "POST", "/v1/predict": "POST"}
    wanted = methods.get(request.path)
    if wanted is None:
        message = "no such address"
        raise errors.NotFoundError(message, hint="see /docs")
    if request.method != wanted:
        message = f"this address answers {wanted} only"
        refused = problem(errors.MethodNotAllowedError(message))
        return replace(refused, headers={"Allow": wanted})
    if request.path == "/ping":
        model.judge([model.codec.vocab.words[0]])  # healthy means that it answers, not that it runs
        return Response(200, JSON, b'{"status":"Healthy"}')
    if request.path == "/v1/model":
        return Response(200, JSON, to_json(describe(model, limits)))
    query = parse(request.body, request.content_type, limits)
    content_type = negotiate(request.accept, query.form)
    body, content_type = render(model, answer(model, query), query.form, content_type)
    return Response(200, content_type, body)


def describe(model: Predictor, limits: Limits) -> dict[str, Any]:
    """Return what a client may want to know of the model before it asks."""
    return {
        "task": model.task,
        "name": model.name,
        "labels": list(model.labels),
        "model": model.model_id,
        "engine": model.engine.name,
        "metrics": dict(model.metrics.get("summary", {})),
        "limits": {"body_bytes": limits.max_body_bytes, "texts": limits.max_texts},
    }


def parse(body: bytes, content_type: str, limits: Limits = Limits()) -> Query:
    """Understand a body.

    Args:
        body: the bytes.
        content_type: as in the header.
        limits: what a request may ask for.

    Returns:
        The texts asked about.

    Raises:
        RequestError: with the status that says why not: 400, 413 or 415.
    """
    kind, charset = _media_type(content_type)
    if kind not in READ:
        message = f"this content type is not read; expected one of {', '.join(READ)}"
        raise errors.UnsupportedContentTypeError(message)
    if charset not in {"", "utf-8", "utf8", "us-ascii"}:
        message = "this character set is not read; expected utf-8"
        raise errors.UnsupportedContentTypeError(message)
    if len(body) > limits.max_body_bytes:
        raise too_large(limits.max_body_bytes)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8 (byte {error.start})"
        raise RequestError(message) from None
    if kind == TEXT:
        return Query([text], "one")
    if kind == JSON:
        return _parse_json(text, limits)
    lines = text.split("\n")
    if lines[-1].strip() == "":
        lines.pop()
    _check_count(len(lines), limits)
    return Query([_parse_line(line) for line in lines], "lines")


def _parse_json(text: str, limits: Limits) -> Query:
    match _load(text):
        case {"text": str(one), **rest} if not rest:
            return Query([one], "one")
        case {"texts": [*many], **rest} if not rest and all(isinstance(t, str) for t in many):
            _check_count(len(many), limits)
            return Query([str(each) for each in many], "many")
    message = 'expected {"text": "..."} or {"texts": ["...", "..."]} and nothing else'
    raise RequestError(message)


def _parse_line(line: str) -> str | RequestError:
    try:
        match _load(line):
            case {"text": str(one), **rest} if not rest:
                return one
    except RequestError as error:
        return error
    return RequestError('expected {"text": "..."} on each line and nothing else')


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        message = "the body is not JSON"
        raise RequestError(message) from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are not JSON, whatever Python thinks


def _check_count(count: int, limits: Limits) -> None:
    if count == 0:
        message = "no text in the request"
        raise RequestError(message)
    if count > limits.max_texts:
        message = f"{count} texts; at most {limits.max_texts} in one request"
        raise errors.TooLargeError(
            message, hint="send them in several requests, or use marfa score"
        )


def answer(model: Predictor, query: Query) -> list[Judgement | RequestError]:
    """Judge what a query asks about.

    Args:
        model: the loaded model.
        query: what `parse` returned.

    Returns:
        A judgement for each text, or the error that stood in its place.

    Raises:
        EmptyTextError: if the one text asked about has no word.
        UnknownTextError: if the model knows none of its words.
    """
    texts = [text for text in query.texts if isinstance(text, str)]
    judged = iter(model.judge(texts))
    answers = [next(judged) if isinstance(text, str) else text for text in query.texts]
    first = answers[0]
    if query.form == "one" and isinstance(first, Judgement) and not first.known:
        kind = errors.UnknownTextError if first.total else errors.EmptyTextError
        raise kind(first.reason, hint="send a text of words that the model can know")
    return answers


def render(
    model: Predictor, answers: Sequence[Judgement | RequestError], form: str, content_type: str
) -> tuple[bytes, str]:
    """Write answers in the negotiated form.

    Args:
        model: the loaded model.
        answers: what `answer` returned.
        form: the query's form.
        content_type: what `negotiate` returned.

    Returns:
        The body and its content type.

    Raises:
        UnknownTextError: if the one answer has no label and only a bare value was accepted.
    """
    if content_type == TEXT:
        (one,) = answers
        if not isinstance(one, Judgement) or one.label is None:
            reason = one.reason if isinstance(one, Judgement) else one.what
            raise errors.UnknownTextError(reason, hint=f"accept {JSON} to see the probabilities")
        return str(model.labels.index(one.label)).encode(), f"{TEXT}; charset=utf-8"
    documents = [_document(model, item) for item in answers]
    if content_type == LINES:
        return b"".join(to_json(document) + b"\n" for document in documents), LINES
    return to_json(documents[0] if form == "one" else {"results": documents}), JSON


def _document(model: Predictor, item: Judgement | RequestError) -> dict[str, Any]:
    if isinstance(item, RequestError):
        return {"error": problem_document(item)}
    document: dict[str, Any] = {
        "label": item.label,
        "score": None if item.score is None else round(item.score, 4),
        "probabilities": {label: round(p, 4) for label, p in item.probabilities.items()},
        "known_words": {"known": item.known, "total": item.total, "unknown": list(item.unknown)},
        "model": model.model_id,
    }
    return document | ({"reason": item.reason} if item.reason else {})


def negotiate(accept: str, form: str) -> str:
    """Choose the content type of an answer (RFC 9110, section 12.5.1).

    The most specific range that matches a type says how welcome it is, wherever it stands.

    Args:
        accept: the header; empty means anything.
        form: the query's form, "one", "many" or "lines".

    Returns:
        One of the content types that this form can be written in.

    Raises:
        NotAcceptableError: if the client accepts none of them.

    >>> negotiate("text/html, text/plain;q=0.5", "one"), negotiate("", "one"), negotiate("*/*", "lines")
    ('text/plain', 'application/json', 'application/jsonlines')
    >>> negotiate("application/json;q=0, */*", "one")
    'text/plain'
    """
    offered = {"one": (JSON, TEXT, LINES), "many": (JSON, LINES), "lines": (LINES,)}[form]
    welcome: dict[str, float] = {}
    for pattern, quality in _accepted(accept or "*/*"):
        welcome[pattern] = max(quality, welcome.get(pattern, 0.0))

    def quality_of(kind: str) -> float:
        ranges = (kind, kind.split("/")[0] + "/*", "*/*")
        return next((welcome[pattern] for pattern in ranges if pattern in welcome), 0.0)

    best = max(offered, key=quality_of)  # the first of equals
    if quality_of(best) > 0:
        return best
    message = f"nothing that you accept can be produced; available: {', '.join(offered)}"
    raise errors.NotAcceptableError(message)


def _accepted(accept: str) -> Iterable[tuple[str, float]]:
    for item in accept.split(",")[:32]:
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        yield _ALIASES.get(name, name), quality if 0 <= quality <= 1 else 0.0


def _media_type(header: str) -> tuple[str, str]:
    name, *parameters = (part.strip().lower() for part in header.split(";"))
    charset = ""
    for parameter in parameters:
        if parameter.startswith("charset="):
            charset = parameter.removeprefix("charset=").strip("\"'")
    return _ALIASES.get(name, name), charset


def too_large(limit: int) -> errors.TooLargeError:
    """Return the error for a body over its limit."""
    return errors.TooLargeError(f"the body is larger than {limit} bytes")


def problem(error: MarfaError) -> Response:
    """Turn an error into its response (RFC 9457); nothing of the request is repeated in it."""
    headers = {}
    if error.http_status in {429, 503}:
        headers["Retry-After"] = _RETRY_SECONDS
    return Response(error.http_status, PROBLEM, to_json(problem_document(error)), headers)


def problem_document(error: MarfaError) -> dict[str, Any]:
    """Return the problem document of an error."""
    detail = error.what + (f"; {error.hint}" if error.hint else "")
    return {
        "type": "about:blank",
        "title": error.title,
        "status": error.http_status,
        "detail": detail,
    }


def to_json(document: Any) -> bytes:
    """Write an answer: one line, UTF-8, no NaN, keys in the order of the contract."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8"
    )
