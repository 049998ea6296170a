"""Asking a running server, as `evaluate --against` does."""

from __future__ import annotations

import http.client
import ipaddress
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from marfa.container.contract import EVENTS, JSON, Limits
from marfa.container.judging import MOST_EXPLAINED
from marfa.errors import DataError, NetworkError, SettingsError

_AT_ONCE = 64
_SECONDS = 60
_TRIES = 5
_LONGEST_WAIT = 30.0


class Client:
    """A running server.

    Args:
        url: its address; requests go to `<url>/invocations`.
        sleep: waits some seconds, when the server asks for patience.

    Raises:
        SettingsError: if it is no http address.
    """

    def __init__(self, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            message = f"{url!r} is no http address"
            raise SettingsError(message, hint="such as http://127.0.0.1:8080")
        self.url = url.rstrip("/")
        self._sleep = sleep
        # a proxy cannot know what this machine calls itself
        proxies = [urllib.request.ProxyHandler({})] if _is_loopback(parts.hostname) else []
        self._opener = urllib.request.build_opener(*proxies)

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask for one address; return status and body.

        Raises:
            NetworkError: if the server does not answer, or not with success.
        """
        return self._read(urllib.request.Request(f"{self.url}/{path}"))  # noqa: S310 - http(s)

    def describe(self) -> dict[str, Any]:
        """Return what the server tells of its model, its "task" among it.

        Raises:
            NetworkError: if the server does not answer, or not with success.
            DataError: if the answer is not marfa's.
        """
        where = f"{self.url}/v1/model"
        document = _document(self.get("v1/model")[1], where)
        if not isinstance(document.get("task"), str):
            raise _foreign(where)
        return document

    def judge(self, texts: Iterable[str], *, explain: bool = False) -> Iterator[dict[str, Any]]:
        """Yield one answer for each text, in order, asking for many at once.

        Args:
            texts: texts as people wrote them.
            explain: ask for what each word adds to the label, too.

        Raises:
            NetworkError: if the server does not answer, or not with success.
            DataError: if an answer is not marfa's.
        """
        limits = self._limits()
        most = min(MOST_EXPLAINED if explain else _AT_ONCE, limits.max_texts)
        some: list[bytes] = []
        for text in texts:
            # half a surrogate pair has no UTF-8; what takes its place is no word either
            item = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")
            size = sum(map(len, some)) + 2 * len(some) + len(item) + 40
            if some and (len(some) == most or size > limits.max_body_bytes):
                yield from self._judge(some, explain)
                some = []
            some.append(item)
        if some:
            yield from self._judge(some, explain)

    def generate(self, prompt: str = "", **options: Any) -> dict[str, Any]:
        """Ask for a text, and wait for all of it.

        Args:
            prompt: how it begins.
            **options: `length`, `temperature`, `top_k`, `top_p`, `seed`; left out, the server's.

        Returns:
            The answer: the text, and how it was made.

        Raises:
            NetworkError: if the server does not answer, or not with success.
            DataError: if the answer is not marfa's.
        """
        request = self._question(json.dumps({"prompt": prompt, **options}).encode(), JSON)
        document = _document(self._read(request)[1], request.full_url)
        if not isinstance(document.get("text"), str):
            raise _foreign(request.full_url)
        return document

    def stream(self, prompt: str = "", **options: Any) -> Iterator[tuple[float, str]]:
        """Ask for a text, and yield it as it comes, the prompt first.

        Args:
            prompt: how it begins.
            **options: as for `generate`.

        Yields:
            Seconds since the request was sent, and a piece of the text.

        Raises:
            NetworkError: if the server does not answer, or stops before the end.
            DataError: if what comes is not marfa's.
        """
        request = self._question(json.dumps({"prompt": prompt, **options}).encode(), EVENTS)
        where = request.full_url
        began = time.perf_counter()
        try:
            with self._open(request) as answer:
                for name, document in _events(answer, where):
                    if name == "error":
                        message = f"the server stopped: {document.get('title')!s:.80}"
                        raise NetworkError(message, where=where)
                    if name == "done":
                        return
                    piece = document.get("prompt" if name == "start" else "text")
                    if not isinstance(piece, str):
                        raise _foreign(where)
                    yield time.perf_counter() - began, piece
        except (OSError, http.client.HTTPException) as error:
            message = "the line dropped before the end of the text"
            raise NetworkError(message, where=where) from error
        message = "the text ended before its end"
        raise NetworkError(message, where=where)

    def _limits(self) -> Limits:
        try:
            told = json.loads(self.get("v1/model")[1])["limits"]
            return Limits(int(told["body_bytes"]), int(told["texts"]))
        except (NetworkError, ValueError, KeyError, TypeError):  # a host without that address
            return Limits()

    def _question(self, body: bytes, accept: str) -> urllib.request.Request:
        headers = {"Content-Type": JSON, "Accept": accept}
        where = f"{self.url}/invocations"
        return urllib.request.Request(where, body, headers)  # noqa: S310 - http(s)

    def _judge(self, items: list[bytes], explain: bool) -> list[dict[str, Any]]:
        end = b'], "explain": true}' if explain else b"]}"
        request = self._question(b'{"texts": [' + b", ".join(items) + end, JSON)
        where = request.full_url
        results = _document(self._read(request)[1], where).get("results")
        if not isinstance(results, list):
            raise _foreign(where)
        if len(results) != len(items):
            message = f"{len(items)} texts were sent, another number of answers came back"
            raise DataError(message, where=where)
        return results

    def _read(self, request: urllib.request.Request) -> tuple[int, bytes]:
        where = request.full_url
        try:
            with self._open(request) as answer:
                return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            message = "the line dropped in the middle of an answer"
            raise NetworkError(message, where=where) from error

    def _open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        where = request.full_url
        for left in range(_TRIES - 1, -1, -1):
            try:
                answer: http.client.HTTPResponse = self._opener.open(request, timeout=_SECONDS)
            except urllib.error.HTTPError as error:
                # API Gateway says that it is too much, and not for how long
                wait = error.headers.get("Retry-After") or "1"
                error.close()
                if not (left and error.code in {429, 503} and wait.isdigit()):
                    message = f"the server answered {error.code}"
                    raise NetworkError(message, where=where) from None
                self._sleep(min(float(wait), _LONGEST_WAIT))
            except OSError as error:
                message = f"the server cannot be reached: {getattr(error, 'reason', error)}"
                raise NetworkError(
                    message, where=where, hint="start it: marfa serve MODEL"
                ) from error
            else:
                return answer
        raise AssertionError


def _events(lines: Iterable[bytes], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events that marfa sends: one line of data each; heartbeats are passed over."""
    name, data = "", b""
    for line in lines:
        field, _, value = line.rstrip(b"\r\n").partition(b": ")
        if field == b"event":
            name = value.decode("ascii", "replace")
        elif field == b"data":
            data = value
        elif line.strip() == b"" and data:
            yield name, _document(data, where)
            name, data = "", b""


def _document(body: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise _foreign(where) from None
    if not isinstance(document, dict):
        raise _foreign(where)
    return document


def _foreign(where: str) -> DataError:
    return DataError("the answer is not marfa's", where=where)


def _is_loopback(host: str) -> bool:
    """Say whether a host name is this machine.

    >>> _is_loopback("localhost"), _is_loopback("127.0.0.1"), _is_loopback("example.org")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
