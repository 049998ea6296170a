"""One client's connection: uvicorn's, with limits of time and size, and the contract's errors."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from marfa import errors
from marfa.container import routing, shedding
from marfa.container.observing import GONE
from marfa.container.outgoing import PIECE_BYTES, Outgoing, in_pieces, refusal
from marfa.errors import MarfaError
from marfa.settings import ServeSettings

_HEAD_BYTES = 32_768
_TAKEN_BYTES = 10_000
"""In `send_seconds` a client takes more than that, or the line is given up."""
_LINGERING_SECONDS = 1.0
_THROWN_AWAY_BYTES = 65_536
_READ_BYTES = 16_384
"""At once, from one client: so much may wait behind a request that is not answered yet."""
_REFUSED = 48
"""Connections beyond the most that are told so; any further ones are closed without a word."""
_PIPELINED = 16
"""Requests that wait for their turn on one connection; it ends after them, whatever follows."""
_QUESTIONS = {path.encode("ascii") for path in routing.ASKED}
_WISH = (b"upgrade", b"connection", b"http2-settings")
_UNHEARD = logging.getLogger("marfa.connection")
_UNHEARD.setLevel(logging.CRITICAL + 1)


@dataclass
class Guard:
    """What every connection of a process is held to.

    Attributes:
        settings: limits.
        ending: says whether each answer is to be the last on its connection.
        full: says whether no further question can be taken.
        refused: told the path, or "none", and the status of each request that got no further than its
            connection.
    """

    settings: ServeSettings
    ending: Callable[[], bool]
    full: Callable[[], bool]
    refused: Callable[[str, int], None]


class Connection(HttpToolsProtocol):
    """A connection; what it is held to is its configuration's `guard`.

    Every answer leaves in one piece where it is ready. One that comes before its request has arrived
    whole is the last: the rest of the request is thrown away, for a moment and up to some bytes, since
    a connection that is closed with something unread takes the answer with it.
    """

    def __init__(self, config: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self.logger = _UNHEARD  # what it would say of a request is counted instead
        self._guard: Guard = config.guard
        self._running: tuple[RequestResponseCycle, asyncio.Task[None]] | None = None
        self._outgoing: Outgoing | None = None
        self._in_head, self._head_bytes = True, 0
        self._between = True  # two requests, and the parser has nothing of the next one
        self._in_chunk_head = self._chunk_began_here = False
        self._since = self._left_since = self.loop.time()
        self._left = self._thrown_away = 0
        self._fed = self._without_wish = self._again = b""
        self._shed = self._deaf = self._ended_here = False

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        super().connection_made(transport)
        transport.max_size = _READ_BYTES
        transport.set_write_buffer_limits(PIECE_BYTES)
        too_many = len(self.connections) - self._guard.settings.connections
        if too_many > _REFUSED:
            transport.abort()
        elif too_many > 0:
            self._refuse(errors.OverloadedError("too many connections"))

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and with it what is computed for this client."""
        super().connection_lost(exc)
        if self._running:
            cycle, task = self._running
            cycle.disconnected = True
            task.cancel(GONE)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._thrown_away:
            self._thrown_away += len(data)
            if self._thrown_away > _THROWN_AWAY_BYTES:
                self.transport.abort()
            return
        if self._between and self._guard.full() and self._refused_at_sight(data):
            return
        self._ended_here = self._chunk_began_here = False
        more = data
        while more and not self._deaf:
            self._fed, self._again = more, b""
            super().data_received(more)
            more = self._again
        self._fed = b""
        # where another request has ended in the same piece, the head is less than that
        in_head = self._in_head and not self._ended_here
        if in_head or (self._in_chunk_head and not self._chunk_began_here):
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES:
                self._refuse(_long_head())

    def sweep(self, now: float) -> None:
        """End what has gone on for too long.

        Args:
            now: by the loop's clock.
        """
        settings = self._guard.settings
        left = self._untaken()
        if not left or left > self._left or left < self._left - _TAKEN_BYTES:
            self._left, self._left_since = left, now
        elif now - self._left_since > settings.send_seconds:
            self.transport.abort()
        if self._thrown_away:
            if now - self._since > _LINGERING_SECONDS and not left:
                self.transport.close()
        elif self._shed:
            if now - self._since > settings.body_seconds:
                self.transport.close()  # it has its answer; the body never came
        elif self._is_idle and now - self._since > settings.header_seconds:
            self.transport.close()
        elif self._in_head and now - self._since > settings.header_seconds:
            if self._head_bytes:
                seconds = f"{settings.header_seconds:g} s"
                self._refuse(errors.TimeLimitError(f"the headers did not arrive within {seconds}"))
            else:
                self.transport.close()  # nothing was asked

    def _untaken(self) -> int:
        """Return the bytes that wait for the client, those that the kernel has of them too.

        What leaves us does so in lumps that a slow line takes half a minute for.
        """
        left = self.transport.get_write_buffer_size()
        if left:
            with contextlib.suppress(OSError):  # where the kernel does not tell
                told = fcntl.ioctl(
                    self.transport.get_extra_info("socket"), termios.TIOCOUTQ, bytes(4)
                )
                left += int.from_bytes(told, sys.byteorder)
        return int(left)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head, self._head_bytes, self._between = True, 1, False
        self._since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what follows a body in pieces is none of its request's."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer it."""
        self._in_head = False
        if sum(len(name) + len(value) + 4 for name, value in self.headers) > _HEAD_BYTES:
            raise _long_head()
        if self.parser.get_method() == b"CONNECT":
            message = "this is no proxy"
            raise errors.RequestError(message)
        if len(self.pipeline) >= _PIPELINED:
            message = "too many requests at once on one connection"
            raise errors.OverloadedError(message)
        self._shed = self._guard.full() and self._can_be_shed
        if self._shed:
            name = next((value for name, value in self.headers if name == b"x-request-id"), b"")
            self._refuse_question(self.url.decode("ascii"), name)
        elif self.parser.should_upgrade():
            self._without_wish = self._head_without_wish()
        else:
            super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """Begin a piece of its body, or, after the last, headers that nobody asked for."""
        self._in_chunk_head = self._chunk_began_here = True
        self._head_bytes = 1

    def on_body(self, body: bytes) -> None:
        """Take a piece of its body."""
        self._in_chunk_head = False
        if not (self._without_wish or self._shed):
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End it."""
        if not (self._without_wish or self._shed):
            super().on_message_complete()
        self._shed = self._in_chunk_head = False
        self._ended_here = self._between = True

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or what a callback has refused."""
        cause = sys.exception()
        while cause and not isinstance(cause, MarfaError):
            cause = cause.__context__
        error = cause if isinstance(cause, MarfaError) else None
        self._refuse(error or errors.RequestError("the request is not HTTP/1.1"))

    def _unsupported_upgrade_warning(self) -> None:
        """Read a request that wishes for another protocol once more, without its wish.

        The parser ends at such a request and leaves its body aside, but Java's client for one sends the
        wish with whatever it asks.
        """
        cause = sys.exception()
        assert isinstance(cause, HttpParserUpgrade)
        self._again, self._without_wish = self._without_wish + self._fed[cause.args[0] :], b""
        self.parser = HttpRequestParser(self)

    def on_response_complete(self) -> None:
        """Go on with the next request; what follows those that wait is read after them."""
        super().on_response_complete()
        if self.pipeline or (self._deaf and not self._thrown_away):
            self.flow.pause_reading()

    def _head_without_wish(self) -> bytes:
        left = [pair for pair in self.headers if pair[0] not in _WISH]
        first = b"%b %b HTTP/1.1\r\n" % (self.parser.get_method(), self.url)
        return first + b"".join(b"%b: %b\r\n" % pair for pair in left) + b"\r\n"

    @property
    def _is_busy(self) -> bool:
        """Whether an answer is under way."""
        return self._running is not None and not self._running[0].response_complete

    @property
    def _is_idle(self) -> bool:
        """Whether nothing is under way, and no clock of uvicorn's runs, as after what was shed."""
        return not (self._is_busy or self._in_head) and self.timeout_keep_alive_task is None

    @property
    def _can_be_shed(self) -> bool:
        """Whether the request, its head read, can be refused without a word about its body."""
        if self.url not in _QUESTIONS or self.parser.get_method() != b"POST":
            return False
        plain = self.parser.should_keep_alive() and not self.parser.should_upgrade()
        length = next((value for name, value in self.headers if name == b"content-length"), b"")
        short = length.isdigit() and int(length[:20]) <= _THROWN_AWAY_BYTES
        return plain and short and not self.expect_100_continue and self._is_free

    @property
    def _is_free(self) -> bool:
        """Whether a request can be refused here and now without ending the connection."""
        # a client that does not read is not written to any further
        untaken = self.transport.get_write_buffer_size()
        return not (self._is_busy or untaken or self._deaf or self._guard.ending())

    def _refused_at_sight(self, data: bytes) -> bool:
        path = shedding.whole_question(data) if self._is_free else None
        if path is None:
            return False
        self._unset_keepalive_if_required()
        self._in_head, self._head_bytes = False, 0
        self._refuse_question(path)
        return True

    def _refuse_question(self, path: str, name: bytes = b"") -> None:
        self._since = self.loop.time()
        self._guard.refused(path, errors.OverloadedError.http_status)
        self._write(shedding.answer(name))

    def _write(self, data: bytes) -> None:
        """Send something, after what is held back of an answer."""
        if self._outgoing:
            self._outgoing.flush()
        self.transport.write(data)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._outgoing = Outgoing(self.transport, self._end)
        send, cycle.transport = cycle.send, self._outgoing

        async def last(message: Any) -> None:
            if not cycle.response_started and (cycle.more_body or self._guard.ending()):
                cycle.keep_alive = False
            await in_pieces(send, message)

        cycle.send = last
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)
        self._running = cycle, task

    def _end(self) -> None:
        """Close after an answer that is the last."""
        self._close(whole=not (self._deaf or (self._running and self._running[0].more_body)))

    def _close(self, *, whole: bool) -> None:
        if self.transport.is_closing():
            return
        if whole:
            self.transport.close()
            return
        self._thrown_away, self._since = 1, self.loop.time()
        self.flow.resume_reading()
        self.transport.write_eof()

    def _refuse(self, error: MarfaError) -> None:
        """Answer something that gets no further than here, and close."""
        if self._thrown_away or self._deaf or self.transport.is_closing():
            return
        if self._running and self._is_busy:
            cycle, task = self._running
            if self.pipeline and self.pipeline[0][0].more_body:
                self.pipeline.popleft()  # this is about its body
            last = self.pipeline[0][0] if self.pipeline else cycle
            if last.response_started or not last.more_body:
                last.keep_alive = False  # what has arrived whole is answered before
                self._deaf = True
                self.flow.pause_reading()
                return
            cycle.disconnected = True
            task.cancel(GONE)
        self._guard.refused("none", error.http_status)
        self._write(refusal(error))
        self._close(whole=False)


def _long_head() -> MarfaError:
    return errors.LongHeadersError(f"the headers are larger than {_HEAD_BYTES} bytes")
