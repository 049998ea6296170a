"""Which form a body has, and which one an answer gets (RFC 9110, section 12)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from marfa import errors
from marfa.container.messages import LINES, Limits, too_large
from marfa.errors import RequestError

_ALIASES = {
    "application/x-jsonlines": LINES,
    "application/jsonl": LINES,
    "application/x-ndjson": LINES,
}


def decode(body: bytes, content_type: str, kinds: Sequence[str], limits: Limits) -> tuple[str, str]:
    """Read a body as text.

    Args:
        body: the bytes.
        content_type: as in the header.
        kinds: the media types that are read.
        limits: what a request may ask for.

    Returns:
        The media type, and the text.

    Raises:
        RequestError: with the status that says why not: 400, 413 or 415.
    """
    kind, charset = _media_type(content_type)
    if kind not in kinds:
        message = f"this content type is not read; expected one of {', '.join(kinds)}"
        raise errors.UnsupportedContentTypeError(message)
    if charset not in {"", "utf-8", "utf8", "us-ascii"}:
        message = "this character set is not read; expected utf-8"
        raise errors.UnsupportedContentTypeError(message)
    if len(body) > limits.max_body_bytes:
        raise too_large(limits.max_body_bytes)
    try:
        return kind, body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8 (byte {error.start})"
        raise RequestError(message) from None


def negotiate(accept: str, offered: Sequence[str]) -> str:
    """Choose the content type of an answer (RFC 9110, section 12.5.1).

    The most specific range that matches a type says how welcome it is, wherever it stands.

    Args:
        accept: the header; empty means anything.
        offered: the content types that the answer can be written in, the preferred one first.

    Returns:
        One of them.

    Raises:
        NotAcceptableError: if the client accepts none of them.

    >>> offered = ("application/json", "text/plain")
    >>> negotiate("text/html, text/plain;q=0.5", offered), negotiate("", offered)
    ('text/plain', 'application/json')
    >>> negotiate("application/json;q=0, */*", offered)
    'text/plain'
    """
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


def with_charset(kind: str) -> str:
    """Return a media type as the header of an answer names it; JSON is UTF-8 by itself."""
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
