"""HTTP on this machine alone: read strictly, bounded, and told to nobody."""

from __future__ import annotations

import http.server
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from marfa.errors import SettingsError

HOST = "127.0.0.1"

_SILENCE_SECONDS = 60.0
"""After so long without a byte a connection is given up."""

_LONGEST_LINE = 1 << 16
_PIECE = 1 << 16
_LINGER_SECONDS, _LINGER_BYTES = 0.5, 64 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came over the line.

    Attributes:
        method: such as "POST".
        target: path and query, as sent.
        headers: names and values, in their order.
        body: the bytes.
        protocol: such as "HTTP/1.1".
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    protocol: str = "HTTP/1.1"

    @property
    def path(self) -> str:
        """Return the path, without what follows a question mark."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Return what follows the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        """Return a header's value, several joined by commas; empty where there is none.

        >>> Asked("GET", "/", (("Accept", "a/b"), ("accept", "c/d"))).header("ACCEPT")
        'a/b,c/d'
        """
        return ",".join(value for each, value in self.headers if each.lower() == name.lower())


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over the line.

    Attributes:
        status: HTTP status.
        headers: names and values; length and date are added.
        body: the bytes, or their pieces while they are made.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterator[bytes] = field(default=b"")


class Door:
    """An address on this machine, from `with` to the end of its block; answers in threads.

    Args:
        answer: answers a request; never raises.
        refuse: makes the answer to what is no request, or too large, given the status.
        port: where to listen; 0 for any free one.
        most_bytes: largest body.

    Raises:
        SettingsError: if the port is taken.
    """

    def __init__(
        self,
        answer: Callable[[Asked], Answer],
        refuse: Callable[[int], Answer],
        *,
        port: int = 0,
        most_bytes: int,
    ) -> None:
        kind = type(
            "Call", (_Call,), {"answer": staticmethod(answer), "refuse": staticmethod(refuse)}
        )
        kind.most_bytes = most_bytes  # type: ignore[attr-defined]
        try:
            self._server = _Server((HOST, port), kind)
        except OSError as error:
            raise _taken(port, error) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="marfa-door", daemon=True
        )

    @property
    def url(self) -> str:
        """Return where it answers, without a slash at the end."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up()


def check_port(port: int) -> None:
    """Make sure that a port can be had, before anything takes its time.

    Args:
        port: where somebody is going to listen; 0 for any free one.

    Raises:
        SettingsError: if it is taken.
    """
    try:
        with socket.create_server((HOST, port)):
            pass
    except (OSError, OverflowError) as error:
        raise _taken(port, error) from error


def _taken(port: int, error: OSError | OverflowError) -> SettingsError:
    message = f"cannot listen: {getattr(error, 'strerror', None) or error}"
    hint = "choose another with --port, or --port 0 for any free one"
    return SettingsError(message, where=f"{HOST}:{port}", hint=hint)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Bind, and do not ask a name server who we are: there may be none."""
        self._lines: set[socket.socket] = set()
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._lines.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._lines.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that a browser keeps for later."""
        for line in list(self._lines):
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has ended already
                self._lines.discard(line)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have hung up."""


class _Unfit(Exception):  # noqa: N818 - it is no failure of ours
    """What came is no request that can be read; the status says why."""

    def __init__(self, status: int) -> None:
        self.status = status


class _Call(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one piece: sent apart, they wait 40 ms for each other
    timeout = _SILENCE_SECONDS
    most_bytes: int
    answer: Callable[[Asked], Answer]
    refuse: Callable[[int], Answer]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # which methods there are is decided by whoever answers
            return self._do
        raise AttributeError(name)

    def _do(self) -> None:
        try:
            body = self._body()
        except _Unfit as unfit:
            self.close_connection = True  # what follows could be taken for another request
            self._send(self.refuse(unfit.status))
            return self._let_finish()
        headers = tuple((name, value.strip()) for name, value in self.headers.items())
        asked = Asked(self.command, self.path, headers, body, self.request_version)
        return self._send(self.answer(asked))

    def _let_finish(self) -> None:
        """Take what is still being sent: a line that is closed on it takes the refusal along."""
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_LINGER_SECONDS)
        left = _LINGER_BYTES
        while left > 0 and (found := self.rfile.read1(_PIECE)):
            left -= len(found)

    def _body(self) -> bytes:
        lengths = set(self.headers.get_all("Content-Length", []))
        codings = self.headers.get_all("Transfer-Encoding", [])
        if codings:
            if lengths or [each.strip().lower() for each in codings] != ["chunked"]:
                raise _Unfit(400)
            return b"".join(self._chunks())
        if not lengths:
            return b""
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdecimal()):
            raise _Unfit(400)
        if len(length) > 12 or int(length) > self.most_bytes:
            raise _Unfit(413)
        return self._exactly(int(length))

    def _chunks(self) -> Iterator[bytes]:
        left = self.most_bytes
        while True:
            size = self._size()
            if size > left:
                raise _Unfit(413)
            if not size:
                break
            left -= size
            yield self._exactly(size)
            if self.rfile.readline(3) != b"\r\n":
                raise _Unfit(400)
        while self.rfile.readline(_LONGEST_LINE) not in {b"\r\n", b"\n", b""}:
            pass  # trailers, which nobody reads

    def _size(self) -> int:
        digits = self.rfile.readline(_LONGEST_LINE).partition(b";")[0].strip()
        if not digits or len(digits) > 8 or set(digits) - set(b"0123456789abcdefABCDEF"):
            raise _Unfit(400)
        return int(digits, 16)

    def _exactly(self, size: int) -> bytes:
        body = self.rfile.read(size)
        if len(body) != size:  # whoever sent it has gone
            raise _Unfit(400)
        return body

    def _send(self, answer: Answer) -> None:
        if self.request_version == "HTTP/0.9":  # whose answers have no status
            self.request_version = "HTTP/1.0"
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        whole = answer.body if isinstance(answer.body, bytes) else None
        if self.close_connection:
            self.send_header("Connection", "close")
        if whole is None:
            self.send_header("Transfer-Encoding", "chunked")
        elif answer.status not in {204, 304}:
            self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if isinstance(answer.body, bytes):
            self.wfile.write(answer.body)
            return
        for piece in answer.body:
            if piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def handle_expect_100(self) -> bool:
        """Let a client go on that waits to be asked for its body, as curl does with a large one."""
        done = super().handle_expect_100()
        self.wfile.flush()
        return done

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what cannot be read, in the words of whoever answers here."""
        self.close_connection = True
        self.command = self.command or "GET"
        self._send(self.refuse(int(code)))

    def version_string(self) -> str:
        """Name nobody."""
        return "rehearsal"

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name there
        """Write no log: what a client sends could reach it."""
