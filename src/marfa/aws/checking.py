"""Asking an address in the cloud the golden requests of the model that should answer there.

They are asked no faster than the address lets anybody ask, so that none meets the throttle for being
one of many, and so that the throttle is as open after the last one as it was before the first.
"""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from marfa import loading
from marfa.bundle import Bundle
from marfa.console import Talk
from marfa.container import golden
from marfa.container.messages import Request, Response
from marfa.errors import NetworkError

_SECONDS = 35
"""A little longer than the longest way through API Gateway."""

_WAITS = (1, 2, 3, 4, 5, 5, 5, 5, 5, 10, 10, 10, 15, 15, 30, 30)
"""Seconds between tries of one request while an address is not there yet, or asks for patience."""

_NOT_READY = {403, 404, 429, 500, 502, 503, 504}
"""What the outside of AWS answers while what is inside is not ready."""

_BUSY = {429, 503}
"""Of these, what says nothing of the answer that there would be, however long it is said."""


Ask = Callable[[str, Request], Response]
"""Asks an address something, once."""


def ask(url: str, request: Request) -> Response:
    """Send a request as it is, header for header.

    Args:
        url: the address.
        request: what to ask.

    Raises:
        NetworkError: if there is no answer.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    headers = {"Content-Type": request.content_type, "Accept": request.accept}
    proxy = "" if urllib.request.proxy_bypass(parts.hostname or "") else _proxy(parts.scheme)
    line = kind(proxy or parts.netloc, timeout=_SECONDS)
    if proxy and secure:
        line.set_tunnel(parts.netloc)
    try:
        line.request(
            request.method,
            parts.path.rstrip("/") + request.path,
            request.body if request.method == "POST" else None,
            {name: value for name, value in headers.items() if value},
        )
        answer = line.getresponse()
        return Response(answer.status, answer.headers["content-type"] or "", answer.read())
    except (OSError, http.client.HTTPException) as error:
        message = f"no answer: {type(error).__name__}"
        raise NetworkError(message, where=url) from error
    finally:
        line.close()


def _proxy(scheme: str) -> str:
    """Return host and port of the proxy that the system names for an https address, if any."""
    if scheme != "https":
        return ""
    return urlsplit(urllib.request.getproxies().get(scheme, "")).netloc.rpartition("@")[2]


def check(
    bundle: Bundle,
    url: str,
    talk: Talk,
    sleep: Callable[[float], None],
    *,
    rounded: bool,
    rate: int,
    ask: Ask = ask,
) -> tuple[int, int]:
    """Ask every golden request, patiently: a new address takes a while to be known everywhere.

    Args:
        bundle: the model's.
        url: the address that should answer with it.
        talk: whom to tell.
        sleep: waits some seconds.
        rounded: the engine behind the address may be one with eight-bit weights.
        rate: requests a second that the address takes.
        ask: asks the address something, once.

    Returns:
        How many requests there are, and the number of the first that is answered otherwise than
        recorded, 0 if none is.

    Raises:
        NetworkError: if the address does not answer, or is too busy to.
    """
    recorded = golden.pairs(bundle.contents["golden.jsonl"])
    eight_bit = rounded and "model.int8.onnx" in bundle.contents
    model = loading.of(bundle, "int8" if eight_bit else "numpy")
    asked = 0
    with talk.bar("asking golden requests", len(recorded), "requests") as bar:

        def paced(request: Request) -> Response:
            nonlocal asked
            if asked:
                sleep(1 / rate)
            asked += 1
            # API Gateway keeps /ping to itself, and says that it is healthy whatever stands behind it
            if request.path == "/ping":
                request = replace(request, path="/readyz")
            found = _patiently(ask, url, request, recorded[asked - 1][1], sleep)
            bar.update(asked)
            return found

        wrong = golden.differing(model, recorded, paced, rounded)
    return len(recorded), wrong


def _patiently(
    ask: Ask, url: str, request: Request, expected: Response, sleep: Callable[[float], None]
) -> Response:
    """Ask something until it is answered from the inside, or for as long as patience is due.

    Raises:
        NetworkError: if nothing else comes than that nobody answers, or that it is busy.
    """
    waits = iter(_WAITS)
    while True:
        wait = next(waits, None)
        found = _once(ask, url, request, last=wait is None)
        if found is not None and not _may_change(found, expected):
            return found
        if wait is not None:
            sleep(wait)
        elif found is not None and found.status in _BUSY:
            minutes = sum(_WAITS) / 60
            message = f"no other answer than {found.status} for {minutes:.0f} minutes"
            hint = "others may be asking it too; a higher --rate lets more through"
            raise NetworkError(message, where=url, hint=hint)
        elif found is not None:
            return found


def _once(ask: Ask, url: str, request: Request, *, last: bool) -> Response | None:
    try:
        return ask(url, request)
    except NetworkError:
        if last:
            raise
        return None


def _may_change(found: Response, expected: Response) -> bool:
    """Say whether an answer is AWS's own, of something that is not ready or asks for patience."""
    return found.status in _NOT_READY and found.status != expected.status
