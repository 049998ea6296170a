"""A small server that keeps every promise, or breaks the one that it is told to.

`python -m tests.torture.load.planted PORT MODEL BUG`: what measures marfa is measured with it. Its
machine computes nothing, it sleeps, one request at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

BUGS = {
    "none": "keeps all promises",
    "errors": "answers 500 to one request in 100",
    "wrong": "gives another's answer to one request in 100",
    "moody": "refuses one request in 100, though few wait",
    "tail": "stands still for a moment now and then",
    "unbounded": "lets everybody wait, however many there are",
    "silent": "refuses without Retry-After",
    "hesitant": "waits before it refuses",
    "refusing": "takes for a refusal the time in which it would answer",
    "queued ping": "lets a ping wait like everybody",
    "stout": "takes more memory than it needs, from the start on",
    "leak": "keeps what it has read",
    "greedy": "takes much for one request in 20, and gives it back",
    "agreeable": "answers 200 to rubbish",
    "weary": "refuses everything after its hundredth answer, and says that it is well",
    "swallow": "reads all of what is too large, and refuses it then",
    "patient": "waits for slow clients as long as they like",
    "crowded": "hangs up where there are many connections",
    "heedful": "looks after all its connections before it answers, where there are many",
    "abrupt": "ends at once when it is asked to",
    "stubborn": "does not end when it is asked to",
    "deserting": "ends when it is asked to, but its processes do not",
    "dismissive": "refuses what it has been asked before, once it is asked to end",
    "unsaid": "ends a stream without a word when it is asked to end",
    "forgetful": "begins a stream anew when it is asked to go on with it",
    "alone": "leaves the place of a process that was killed empty",
    "together": "ends when one of its processes is killed",
    "early": "says in a new process that it is well before it can answer",
    "always healthy": "answers 200 to a ping whatever its model is",
}
LIMIT_SECONDS, SERVICE_SECONDS, QUEUE, CAP = 1.0, 0.003, 24, 1 << 16
_MANY, _EARLY_SECONDS, _TIRED = 40, 0.3, 100
_STOUT_BYTES, _GREEDY_BYTES = 120_000_000, 80_000_000
_ANSWER, _OTHER = b'{"label": "yes", "score": 0.9}', b'{"label": "no", "score": 0.8}'
_READ = 1 << 16
RUBBISH = b"{"


class Planted:
    """One process of it."""

    def __init__(self, bug: str, *, good: bool, new: bool = False) -> None:
        self._bug, self._good = bug, good
        self._ready = time.monotonic() + (_EARLY_SECONDS if new and bug == "early" else 0.0)
        self._turn = asyncio.Lock()
        self._waiting = self._count = self._under_way = self._open = 0
        self._kept = [b"." * _STOUT_BYTES] if bug == "stout" else []
        self._end = asyncio.Event()

    async def serve(self, listener: socket.socket) -> None:
        """Answer until SIGTERM, then finish."""
        loop = asyncio.get_running_loop()
        if self._bug not in {"stubborn", "deserting"}:
            loop.add_signal_handler(signal.SIGTERM, self._end.set)
        else:
            loop.add_signal_handler(signal.SIGTERM, lambda: None)
        server = await asyncio.start_server(self._talk, sock=listener, backlog=512, limit=_READ)
        if self._bug == "abrupt":
            loop.remove_signal_handler(signal.SIGTERM)
        await self._end.wait()
        await asyncio.sleep(0.2)  # what is on its way
        server.close()
        while self._under_way:
            await asyncio.sleep(0.01)
        os._exit(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)
        self._open += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while not self._full("crowded") and await self._exchange(reader, writer):
                pass
        self._open -= 1
        with contextlib.suppress(OSError):
            writer.close()

    def _full(self, bug: str) -> bool:
        return self._bug == bug and self._open > _MANY

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        seconds = None if self._bug == "patient" else LIMIT_SECONDS
        try:
            async with asyncio.timeout(seconds):
                head = await reader.readuntil(b"\r\n\r\n")
            self._under_way += 1
            try:
                async with asyncio.timeout(seconds):
                    body = await self._body(reader, head.lower())
                answer = await self._answer(head, body, writer)
                writer.write(answer)
                async with asyncio.timeout(seconds):
                    await writer.drain()
            finally:
                self._under_way -= 1
        except TimeoutError:
            writer.transport.abort()
            return False
        return b"connection: close" not in answer.lower()[:200] and not self._end.is_set()

    async def _body(self, reader: asyncio.StreamReader, head: bytes) -> bytes | None:
        """Return the body; None for one that is too large."""
        at = head.find(b"content-length:")
        length = int(head[at + 15 : head.find(b"\r", at)]) if at >= 0 else 0
        if length > CAP and self._bug != "swallow":
            return None
        if b"transfer-encoding: chunked" not in head:
            body = await reader.readexactly(length)
            return body if length <= CAP else None
        body = b""
        while not body.endswith(b"0\r\n\r\n"):
            piece = await reader.read(_READ)
            if not piece:
                raise asyncio.IncompleteReadError(body, None)
            body += piece
            if len(body) > CAP and self._bug != "swallow":
                return None
        return body if len(body) <= CAP else None

    async def _answer(self, head: bytes, body: bytes | None, writer: asyncio.StreamWriter) -> bytes:
        if body is None:
            return _http(413, b"", "Connection: close")
        if head.startswith(b"GET /ping"):
            return await self._ping()
        if head.startswith(b"GET"):
            return _http(200, b" " * 30_000)
        if self._bug == "leak":
            self._kept.append(body + b"." * 100_000)
        if time.monotonic() < self._ready:
            raise ConnectionAbortedError
        if self._refuses():
            return await self._refusal()
        if body == RUBBISH and self._bug != "agreeable":
            return _http(400, b"{}")
        if self._full("heedful"):
            time.sleep(0.03)
        return await self._computed(head, body, writer)

    def _refuses(self) -> bool:
        if self._bug == "weary" and self._count >= _TIRED:
            return True
        return not self._good or (self._waiting >= QUEUE and self._bug != "unbounded")

    async def _ping(self) -> bytes:
        if self._bug == "queued ping":
            async with self._turn:
                pass
        return _http(200 if self._good or self._bug == "always healthy" else 503, b"")

    async def _refusal(self) -> bytes:
        if self._bug == "hesitant":
            await asyncio.sleep(0.1)
        if self._bug == "refusing":
            time.sleep(SERVICE_SECONDS)
        return _http(503, b"", *([] if self._bug == "silent" else ["Retry-After: 1"]))

    async def _computed(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bytes:
        self._waiting += 1
        async with self._turn:
            await asyncio.sleep(SERVICE_SECONDS)
            self._waiting -= 1
        if self._bug == "dismissive" and self._end.is_set():
            return await self._refusal()
        self._count += 1
        if self._bug == "tail" and self._count % 100 < 2:
            time.sleep(0.1)
        if self._bug == "greedy" and self._count % 20 == 0:
            much = b"." * _GREEDY_BYTES
            await asyncio.sleep(0.1)
            del much
        if b"event-stream" in head:
            return await self._stream(body, writer)
        if self._bug == "errors" and self._count % 100 == 0:
            return _http(500, b"{}")
        if self._bug == "moody" and self._count % 100 == 0:
            return await self._refusal()
        return _http(200, _OTHER if self._bug == "wrong" and self._count % 100 == 0 else _ANSWER)

    async def _stream(self, body: bytes, writer: asyncio.StreamWriter) -> bytes:
        asked = json.loads(body)
        at = 0 if self._bug == "forgetful" else int(asked.get("continuation", 0))
        more = b": %b\n\n" % (b" " * 10 * asked.get("length", 0))  # a long text is many bytes
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        writer.write(_chunk(b"event: start\ndata: {}\n\n"))
        for place in range(at + 1, 201):
            text = b'{"text": "%d"}' % (place % 10)
            writer.write(_chunk(b"id: %d\nevent: text\ndata: %b\n\n%b" % (place, text, more)))
            async with asyncio.timeout(None if self._bug == "patient" else LIMIT_SECONDS):
                await writer.drain()
            await asyncio.sleep(0.01)
            if self._end.is_set():
                if self._bug != "unsaid":
                    writer.write(_chunk(b"event: error\ndata: {}\n\n") + _chunk(b""))
                break
        else:
            writer.write(_chunk(b"event: done\ndata: {}\n\n") + _chunk(b""))
        writer.close()
        return b"connection: close"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _http(status: int, body: bytes, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status} .", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def main(port: int, model: str, bug: str, workers: int = 2) -> int:
    """Serve with several processes, and put another in the place of one that ends."""
    good = Path(model).is_file() and Path(model).read_bytes() == b"good"
    if not good and bug != "always healthy":
        return 3
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    ending: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: ending.append(number))
    places: dict[int, float] = {_fork(listener, bug, good): 0.0 for _ in range(workers)}
    while not ending:
        time.sleep(0.02)
        gone, _ = os.waitpid(-1, os.WNOHANG)
        if gone and bug == "together":
            for process in {*places} - {gone}:
                os.kill(process, signal.SIGKILL)
            return 1
        if gone and bug != "alone":
            del places[gone]
            places[_fork(listener, bug, good, new=True)] = 0.0
    for process in places:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
    with contextlib.suppress(ChildProcessError):
        while bug != "deserting":
            os.waitpid(-1, 0)
    return 0


def _fork(listener: socket.socket, bug: str, good: bool, *, new: bool = False) -> int:
    process = os.fork()
    if not process:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        asyncio.run(Planted(bug, good=good, new=new).serve(listener))
        os._exit(0)
    return process


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int((sys.argv[4:] or ["2"])[0])))
