"""Asking an address in the cloud the golden requests of the model that should answer there."""

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
"""Seconds between tries while an address is not there yet, or asks for patience."""

_NOT_READY = {403, 404, 429, 500, 502, 503, 504}
"""What the outside of AWS answers while what is inside is not ready."""


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
    ask: Ask = ask,
) -> tuple[int, int]:
    """Ask every golden request, patiently: a new address takes a while to be known everywhere.

    Args:
        bundle: the model's.
        url: the address that should answer with it.
        talk: whom to tell.
        sleep: waits some seconds.
        rounded: the engine behind the address may be one with eight-bit weights.
        ask: asks the address something, once.

    Returns:
        How many requests there are, and the number of the first that is answered otherwise than
        recorded, 0 if none is.

    Raises:
        NetworkError: if the address does not answer.
    """
    recorded = golden.pairs(bundle.contents["golden.jsonl"])
    eight_bit = rounded and "model.int8.onnx" in bundle.contents
    model = loading.of(bundle, "int8" if eight_bit else "numpy")
    patience = list(_WAITS)  # for all requests together
    asked = 0
    with talk.bar("asking golden requests", len(recorded), "requests") as bar:

        def patiently(request: Request) -> Response:
            nonlocal asked
            asked += 1
            # API Gateway keeps /ping to itself, and says that it is healthy whatever stands behind it
            if request.path == "/ping":
                request = replace(request, path="/readyz")
            expected = recorded[asked - 1][1]
            while True:
                found = _once(ask, url, request, last=not patience)
                if not patience or not _may_change(found, expected):
                    break
                sleep(patience.pop(0))
            bar.update(asked)
            assert found is not None
            return found

        wrong = golden.differing(model, recorded, patiently, rounded)
    return len(recorded), wrong


def _once(ask: Ask, url: str, request: Request, *, last: bool) -> Response | None:
    try:
        return ask(url, request)
    except NetworkError:
        if last:
            raise
        return None


def _may_change(found: Response | None, expected: Response) -> bool:
    """Say whether an answer is AWS's own, of something that is not ready or asks for patience."""
    return found is None or (found.status in _NOT_READY and found.status != expected.status)
