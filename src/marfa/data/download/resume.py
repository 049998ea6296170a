"""What to do with a server's answer, given what is already on the disk. Nothing here acts.

`decide` turns (what we have, what we want, what was answered) into one step; `collect` takes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from marfa.data.download.patience import retry_after
from marfa.errors import DataError, MarfaError, NetworkError

MIRROR = "run the same command again later, or name another place with --mirror"

_CONTENT_RANGE = re.compile(r"bytes +(?:(\d{1,18})-(\d{1,18})|\*)/(?:(\d{1,18})|\*)", re.ASCII)
_ETAG = re.compile(r'(?:W/)?"[!#-~]*"', re.ASCII)
_TRY_AGAIN = {408, 425, 429}


@dataclass(frozen=True)
class State:
    """What is known of an unfinished file; the sidecar holds exactly this.

    Attributes:
        url: where it comes from, without user, password and query.
        expected: the digest it must have ("sha256:..." or "md5:..."); empty when none is known.
        etag: the server's ETag, as sent; may be weak.
        last_modified: the server's Last-Modified, as sent.
        total: size of the whole in bytes; None when unknown.
        length: bytes at hand that can be trusted.
    """

    url: str = ""
    expected: str = ""
    etag: str = ""
    last_modified: str = ""
    total: int | None = None
    length: int = 0

    @property
    def complete(self) -> bool:
        """Every byte is here; whether they are the right ones is not known yet."""
        return self.total is not None and self.length == self.total

    @property
    def strong_etag(self) -> str:
        """The ETag where it promises equal bytes, otherwise empty."""
        return self.etag if self.etag.startswith('"') else ""

    @property
    def resumable(self) -> bool:
        """A later part can be told to be of the same file: by its digest or by a strong ETag."""
        return bool(self.expected or self.strong_etag)

    def continues(self, wanted: State) -> bool:
        """Whether these bytes may be the beginning of what is wanted now.

        With a digest it is the digest that names the file, so another mirror may go on where the
        first one stopped. Without one, only the same address with a strong ETag can tell.
        """
        if wanted.total is not None and self.total not in (None, wanted.total):
            return False
        same = self.url == wanted.url or bool(wanted.expected)
        return self.resumable and same and self.expected == wanted.expected


@dataclass(frozen=True)
class Limits:
    """Acceptable sizes: exactly `size` where it is known, and never beyond `max_bytes`."""

    max_bytes: int
    size: int | None = None


@dataclass(frozen=True)
class Begin:
    """Throw away what is there and write this body from its start, up to `state.total`."""

    state: State
    why: str = ""


@dataclass(frozen=True)
class Append:
    """Write this body after what is there, up to offset `end`."""

    state: State
    end: int


@dataclass(frozen=True)
class Complete:
    """Nothing is missing: check what is there."""

    state: State


@dataclass(frozen=True)
class AskWhole:
    """The rest cannot be had: ask again, for the whole."""

    why: str


@dataclass(frozen=True)
class Wait:
    """Ask the same again later; `after` seconds if the server said so."""

    why: str
    after: float | None = None


@dataclass(frozen=True)
class Refuse:
    """Asking again would not help."""

    error: MarfaError


Step = Begin | Append | Complete | AskWhole | Wait | Refuse


def decide(state: State, limits: Limits, status: int, headers: Mapping[str, str]) -> Step:
    """Choose the step that an answer calls for.

    Args:
        state: what we have; the request asked for the bytes from `state.length` on, and for the
            whole when that is 0.
        limits: acceptable sizes.
        status: HTTP status, redirects already followed.
        headers: the answer's headers, names in lower case.

    Returns:
        The step.

    >>> have = State(etag='"a"', total=10, length=4)
    >>> decide(have, Limits(99), 206, {"content-range": "bytes 4-9/10", "etag": '"a"'}).end
    10
    >>> decide(have, Limits(99), 206, {"content-range": "bytes 0-5/10", "etag": '"a"'})
    AskWhole(why='the server sent bytes from 0 instead of from 4')
    """
    if status == 200:
        return _whole(state, limits, headers)
    if status == 206:
        return _partial(state, limits, headers)
    if status == 416 and state.length:
        return _nothing_more(state, headers)
    why = f"the server answered {status}"
    if status in _TRY_AGAIN or status >= 500:
        return Wait(why, retry_after(headers))
    return Refuse(NetworkError(why, where=state.url, hint=MIRROR))


def _whole(state: State, limits: Limits, headers: Mapping[str, str]) -> Step:
    total = content_length(headers)
    total = limits.size if total is None else total
    if error := _unacceptable(state, limits, total, headers):
        return Refuse(error)
    why = "the server sends the whole file instead of the rest: starting over"
    begun = replace(_with_validators(state, headers), total=total, length=0)
    return Begin(begun, why if state.length else "")


def _partial(state: State, limits: Limits, headers: Mapping[str, str]) -> Step:
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if not found or found[1] is None or int(found[2]) < int(found[1]):
        return _ask_whole(state, "the server sent a part without saying which")
    start, end = int(found[1]), int(found[2]) + 1
    if start != state.length:
        why = f"the server sent bytes from {start} instead of from {state.length}"
        return _ask_whole(state, why)
    total = (state.total or limits.size) if found[3] is None else int(found[3])
    if total is not None and (end > total or state.total not in (None, total)):
        return _ask_whole(state, f"the file's size changed from {state.total} to {total} bytes")
    if _changed(state, headers):
        return _ask_whole(state, "the file changed on the server")
    if error := _unacceptable(state, limits, total, headers):
        return Refuse(error)
    if not state.length:
        return Begin(replace(_with_validators(state, headers), total=total))
    return Append(replace(state, total=total), end)


def _nothing_more(state: State, headers: Mapping[str, str]) -> Step:
    """Status 416: there is nothing from our offset on, so we have all, or the file has shrunk."""
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    total = int(found[3]) if found and found[3] else state.total
    if total == state.length or (total is None and state.expected):
        return Complete(replace(state, total=state.length))
    return _ask_whole(state, f"the server has nothing after byte {state.length}")


def _ask_whole(state: State, why: str) -> Step:
    """Asking for the whole helps only where a part had been asked for."""
    return AskWhole(why) if state.length else Wait(why)


def _changed(state: State, headers: Mapping[str, str]) -> bool:
    now = _with_validators(state, headers)
    if state.strong_etag and now.strong_etag:
        return state.etag != now.etag
    # A date differs between the machines of one site; where there is a digest, that will decide.
    dates = {state.last_modified, now.last_modified} - {""}
    return len(dates) > 1 and not state.expected


def _unacceptable(
    state: State, limits: Limits, total: int | None, headers: Mapping[str, str]
) -> MarfaError | None:
    """Find a reason not to read this body at all; what is on the disk stays as it is."""
    kind = headers.get("content-type", "unknown type").split(";")[0].strip()
    if limits.size is not None and total is not None and total != limits.size:
        message = f"the server announces {total:,} bytes ({kind}); expected {limits.size:,}"
        hint = f"a network's login page answers like this: open a page in a browser, then {MIRROR}"
        return NetworkError(message, where=state.url, hint=hint)
    if total is not None and total > limits.max_bytes:
        message = f"the server announces {total:,} bytes; the limit is {limits.max_bytes:,}"
        return DataError(message, where=state.url, hint="check the address")
    if state.expected:  # raw bytes are kept and the digest decides, whatever the headers pretend
        return None
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        message = f"sent with content-encoding {encoding!r}, though plain bytes were asked for"
        return NetworkError(message, where=state.url, hint="give the SHA-256, or use --mirror")
    chunked = "chunked" in headers.get("transfer-encoding", "").lower()
    if total is None and not chunked:
        message = "the server does not say how long the file is, and no SHA-256 of it is known"
        return NetworkError(message, where=state.url, hint="give the SHA-256, or use --mirror")
    return None


def content_length(headers: Mapping[str, str]) -> int | None:
    """Read Content-Length; None when it is missing or no number."""
    value = headers.get("content-length", "").strip()
    return int(value) if re.fullmatch(r"[0-9]{1,18}", value) else None


def etag(value: str) -> str:
    r"""Keep an ETag only in its proper form, since it will be sent back.

    >>> etag('"5f-1"'), etag("5f"), etag('"a"\r\n "b"')
    ('"5f-1"', '', '')
    """
    return value.strip() if _ETAG.fullmatch(value.strip()) else ""


def _with_validators(state: State, headers: Mapping[str, str]) -> State:
    modified = headers.get("last-modified", "").strip()
    return replace(state, etag=etag(headers.get("etag", "")), last_modified=modified)
