"""Asking a running server for judgements, as `evaluate --against` does."""

from __future__ import annotations

import ipaddress
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from marfa.container.contract import JSON, Limits
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
        return self._open(urllib.request.Request(f"{self.url}/{path}"))  # noqa: S310 - http(s)

    def judge(self, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield one answer for each text, in order, asking for many at once.

        Raises:
            NetworkError: if the server does not answer, or not with success.
            DataError: if an answer is not marfa's.
        """
        limits = self._limits()
        some: list[bytes] = []
        for text in texts:
            # half a surrogate pair has no UTF-8; what takes its place is no word either
            item = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")
            size = sum(map(len, some)) + 2 * len(some) + len(item) + 20
            if some and (
                len(some) == min(_AT_ONCE, limits.max_texts) or size > limits.max_body_bytes
            ):
                yield from self._ask(some)
                some = []
            some.append(item)
        if some:
            yield from self._ask(some)

    def _limits(self) -> Limits:
        try:
            told = json.loads(self.get("v1/model")[1])["limits"]
            return Limits(int(told["body_bytes"]), int(told["texts"]))
        except (NetworkError, ValueError, KeyError, TypeError):  # a host without that address
            return Limits()

    def _ask(self, items: list[bytes]) -> list[dict[str, Any]]:
        where = f"{self.url}/invocations"
        body = b'{"texts": [' + b", ".join(items) + b"]}"
        headers = {"Content-Type": JSON, "Accept": JSON}
        request = urllib.request.Request(where, body, headers)  # noqa: S310 - http(s)
        try:
            results = json.loads(self._open(request)[1])["results"]
        except (ValueError, KeyError, TypeError) as error:
            message = "the answer is not marfa's"
            raise DataError(message, where=where) from error
        if not isinstance(results, list) or len(results) != len(items):
            message = f"{len(items)} texts were sent, another number of answers came back"
            raise DataError(message, where=where)
        return results

    def _open(self, request: urllib.request.Request) -> tuple[int, bytes]:
        where = request.full_url
        for left in range(_TRIES - 1, -1, -1):
            try:
                with self._opener.open(request, timeout=_SECONDS) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                wait = error.headers.get("Retry-After", "")
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
        raise AssertionError


def _is_loopback(host: str) -> bool:
    """Say whether a host name is this machine.

    >>> _is_loopback("localhost"), _is_loopback("127.0.0.1"), _is_loopback("example.org")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
