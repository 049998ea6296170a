"""A server on the loopback that misbehaves in one chosen way at a time; standard library only.

    with HostileServer(content, cutting(64_000)) as server:
        download(server.url, target)
    assert server.sent < 1.01 * len(content)

A behaviour is a function of one `Exchange`; it may answer properly, badly, or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STEP = 1 << 14
"""Bytes sent at a time."""

Behaviour = Callable[["Exchange"], None]


@dataclass
class Exchange:
    """One request, and the means to answer it.

    Attributes:
        number: how many requests came before.
        path: as in the request line.
        headers: names in lower case.
        content: what the server serves.
    """

    number: int
    path: str
    headers: Mapping[str, str]
    content: bytes
    handler: BaseHTTPRequestHandler
    server: HostileServer

    @property
    def etag(self) -> str:
        """A strong ETag of the content."""
        return self.server.etag_of(self.content)

    @property
    def offset(self) -> int:
        """The start that the Range header asks for; 0 without one."""
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(found[1]) if found else 0

    def head(self, status: int, headers: Mapping[str, Any]) -> None:
        """Send the status line and headers, and nothing that was not asked for."""
        lines = [f"HTTP/1.1 {status} {status}", *(f"{k}: {v}" for k, v in headers.items())]
        self.handler.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def body(self, data: bytes | memoryview, *, pause: float = 0.0) -> None:
        """Send bytes, counted, with a pause after each `STEP`."""
        for start in range(0, len(data), STEP):
            piece = data[start : start + STEP]
            self.handler.wfile.write(piece)
            self.server.count(len(piece))
            if pause:
                time.sleep(pause)

    def reply(self, *, limit: int | None = None, pause: float = 0.0, **changes: Any) -> None:
        """Answer as RFC 9110 asks, except for `changes` to headers and the body's `limit`.

        A change of None leaves the header out; underscores stand for dashes.
        """
        offset, size = self.offset, len(self.content)
        if self.headers.get("if-range", self.etag) != self.etag:
            offset = 0
        headers: dict[str, Any] = {"ETag": self.etag}
        if offset >= size > 0:
            status, headers["Content-Range"], data = 416, f"bytes */{size}", memoryview(b"")
        elif offset:
            status, headers["Content-Range"] = 206, f"bytes {offset}-{size - 1}/{size}"
            data = memoryview(self.content)[offset:]
        else:
            status, data = 200, memoryview(self.content)
        headers["Content-Length"] = len(data)
        for name, value in changes.items():
            headers[name.replace("_", "-").title().replace("Etag", "ETag")] = value
        self.head(status, {name: value for name, value in headers.items() if value is not None})
        self.body(data[:limit], pause=pause)

    def reset(self) -> None:
        """Slam the connection: the other side sees a reset, and may lose what was under way."""
        self.handler.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.handler.connection.close()


def honest(exchange: Exchange) -> None:
    """Answer as asked."""
    exchange.reply()


def cutting(every: int, *, reset: bool = False) -> Behaviour:
    """Close each connection after so many bytes of the body."""

    def behave(exchange: Exchange) -> None:
        exchange.reply(limit=every)
        if reset:
            exchange.reset()

    return behave


def throttled(bytes_per_second: float) -> Behaviour:
    """Answer as asked, slowly."""
    return lambda exchange: exchange.reply(pause=STEP / bytes_per_second)


def ignoring_range(exchange: Exchange) -> None:
    """Send the whole whatever is asked."""
    exchange.head(200, {"Content-Length": len(exchange.content), "ETag": exchange.etag})
    exchange.body(exchange.content)


def answering(status: int, **headers: Any) -> Behaviour:
    """Answer a status with an empty body; underscores in names stand for dashes."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return lambda exchange: exchange.head(status, {"Content-Length": 0, **named})


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Use one behaviour per request, the last one for all that follow."""

    def behave(exchange: Exchange) -> None:
        behaviours[min(exchange.number, len(behaviours) - 1)](exchange)

    return behave


class HostileServer:
    """Serves one content on a free port of the loopback, in a thread, until the block ends.

    Attributes:
        requests: every exchange so far.
        sent: bytes of bodies handed to the system so far.
    """

    def __init__(
        self, content: bytes, behave: Behaviour = honest, *, host: str = "127.0.0.1"
    ) -> None:
        self.content = content
        self.behave = behave
        self.requests: list[Exchange] = []
        self.sent = 0
        self._tagged = (b"", '"empty"')
        self._mutex = threading.Lock()
        self._http = _Quiet((host, 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> HostileServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """The address of the content."""
        host = self._http.server_address[0]
        return f"http://{host!s}:{self.port}/file.bin"

    @property
    def offsets(self) -> list[int]:
        """The start that each request asked for."""
        return [exchange.offset for exchange in self.requests]

    def count(self, sent: int) -> None:
        """Take note of bytes sent."""
        with self._mutex:
            self.sent += sent

    def etag_of(self, content: bytes) -> str:
        """Make the ETag of a content, once: it may be large, and asked for often."""
        if content is not self._tagged[0]:
            self._tagged = (content, f'"{hashlib.sha256(content).hexdigest()[:16]}"')
        return self._tagged[1]

    def take(self, handler: BaseHTTPRequestHandler) -> Exchange:
        """Take note of a request."""
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._mutex:
            number = len(self.requests)
            exchange = Exchange(number, handler.path, headers, self.content, handler, self)
            self.requests.append(exchange)
        return exchange

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.close_connection = True
                with _client_may_leave():
                    outer.behave(outer.take(self))
                    self.wfile.flush()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # The connection may have been closed by `reset`, which is no error of the server.
        if not isinstance(sys.exc_info()[1], OSError | ValueError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def _client_may_leave() -> Iterator[None]:
    with contextlib.suppress(ConnectionError):
        yield
