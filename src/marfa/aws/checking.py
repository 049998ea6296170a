"""Asking an address in the cloud the golden requests of the model that should answer there."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

from marfa import loading
from marfa.bundle import Bundle
from marfa.console import Talk
from marfa.container import golden
from marfa.container.messages import Request, Response
from marfa.errors import NetworkError

_SECONDS = 35
"""A little longer than the longest way through API Gateway."""

_WAITS = (1, 2, 4, 8, 15, 30, 30)
"""Seconds between tries while an address is not there yet, or asks for patience."""

_PATIENCE = {403, 429, 500, 502, 503, 504}
"""What the outside of AWS answers while what is inside is not ready."""


class Caller:
    """Sends requests as they are, header for header.

    Args:
        url: the address.
        sleep: waits some seconds.
    """

    def __init__(self, url: str, sleep: Callable[[float], None]) -> None:
        self._parts = urlsplit(url)
        self._sleep = sleep

    def ask(self, request: Request) -> Response:
        """Ask once.

        Raises:
            NetworkError: if there is no answer.
        """
        headers = {"Content-Type": request.content_type, "Accept": request.accept}
        kind = (
            http.client.HTTPSConnection
            if self._parts.scheme == "https"
            else http.client.HTTPConnection
        )
        line = kind(self._parts.netloc, timeout=_SECONDS)
        try:
            line.request(
                request.method,
                self._parts.path.rstrip("/") + request.path,
                request.body if request.method == "POST" else None,
                {name: value for name, value in headers.items() if value},
            )
            answer = line.getresponse()
            return Response(answer.status, answer.headers["content-type"] or "", answer.read())
        except (OSError, http.client.HTTPException) as error:
            message = f"no answer: {type(error).__name__}"
            raise NetworkError(message, where=self._parts.geturl()) from error
        finally:
            line.close()

    def patiently(self, request: Request, expected: Response | None = None) -> Response:
        """Ask, again and again as long as what comes back is AWS's own and not the model's.

        Raises:
            NetworkError: if there is no answer after some minutes.
        """
        for wait in (*_WAITS, 0):
            try:
                found = self.ask(request)
            except NetworkError:
                if not wait:
                    raise
            else:
                if not wait or found.status not in _PATIENCE or _is_same(found, expected):
                    return found
            self._sleep(wait)
        raise AssertionError


def _is_same(found: Response, expected: Response | None) -> bool:
    return expected is not None and found.status == expected.status


def check(
    bundle: Bundle, url: str, talk: Talk, sleep: Callable[[float], None], *, rounded: bool
) -> tuple[int, int]:
    """Ask every golden request.

    Args:
        bundle: the model's.
        url: the address that should answer with it.
        talk: whom to tell.
        sleep: waits some seconds.
        rounded: the engine behind the address may be one with eight-bit weights.

    Returns:
        How many requests there are, and the number of the first that is answered otherwise than
        recorded, 0 if none is.

    Raises:
        NetworkError: if the address does not answer.
    """
    recorded = golden.pairs(bundle.contents["golden.jsonl"])
    model = loading.of(
        bundle, "int8" if rounded and "model.int8.onnx" in bundle.contents else "numpy"
    )
    caller = Caller(url, sleep)
    asked = 0
    with talk.bar("asking golden requests", len(recorded), "requests") as bar:

        def ask(request: Request) -> Response:
            nonlocal asked
            asked += 1
            found = caller.patiently(request, recorded[asked - 1][1])
            bar.update(asked)
            return found

        wrong = golden.differing(model, recorded, ask, rounded)
    return len(recorded), wrong
