"""A connection whose questions are refused: what the parser sees, and what is told."""

import asyncio
import contextlib
import socket
import time

import pytest
import uvicorn
from uvicorn.server import ServerState

from marfa.container.connection import Connection, Guard
from marfa.settings import ServeSettings

HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
QUESTION = HEAD + b"Content-Length: 2\r\n\r\nhi"
NAMED = HEAD + b"X-Request-ID: mine\r\nContent-Length: 2\r\n\r\nhi"
AS_LONG = b"Content-Length: %d\r\n\r\n" % len(QUESTION)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(QUESTION)
REFUSED, OK = b"HTTP/1.1 503 ", b"HTTP/1.1 200 "


class Watched(Connection):
    """One that counts the requests that its parser has begun."""

    begun = 0

    def on_message_begin(self):
        super().on_message_begin()
        self.begun += 1


class Line:
    """A client's end of a connection, and ours.

    Attributes:
        full: whether questions are refused.
    """

    def __init__(self, app, settings):
        self.full = False
        self._config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None)
        self._config.load()
        self._config.loaded_app = app
        self._config.guard = Guard(
            settings, lambda: False, lambda: self.full, lambda path, status: None
        )

    async def __aenter__(self):
        self.ours = Watched(self._config, ServerState(), {})
        ends = socket.socketpair()
        await asyncio.get_running_loop().connect_accepted_socket(lambda: self.ours, ends[0])
        self.theirs = ends[1]
        self.theirs.setblocking(False)
        return self

    async def __aexit__(self, *error):
        self.theirs.close()
        self.ours.transport.abort()
        await asyncio.sleep(0)

    async def told(self, *pieces):
        """What is answered when each of the pieces arrives by itself."""
        for piece in pieces:
            self.theirs.send(piece)
            await asyncio.sleep(0.02)
        found = b""
        with contextlib.suppress(BlockingIOError):
            while piece := self.theirs.recv(65_536):
                found += piece
        return found


async def answer(scope, receive, send):
    while (await receive())["more_body"]:
        pass
    length = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": b"ok"})


def run(test, **settings):
    async def on_a_line():
        async with Line(answer, ServeSettings(**settings)) as line:
            await test(line)

    asyncio.run(on_a_line())


def test_the_parser_has_nothing_of_what_is_refused_at_sight():
    async def test(line):
        line.full = True
        for _ in range(2):
            assert (await line.told(QUESTION)).count(REFUSED) == 1
        assert line.ours.begun == 0
        assert (await line.told(NAMED)).count(REFUSED) == 1
        assert line.ours.begun == 1
        assert (await line.told(QUESTION)).count(REFUSED) == 1
        assert line.ours.begun == 1
        line.full = False
        assert (await line.told(QUESTION)).startswith(OK)

    run(test)


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ([NAMED[:-2], NAMED[-2:]], REFUSED),
        ([HEAD + AS_LONG, QUESTION], REFUSED),
        ([HEAD[:9], HEAD[9:] + AS_LONG, QUESTION], REFUSED),
        ([HEAD + CHUNKED, QUESTION, b"\r\n0\r\n\r\n"], OK),
        ([HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + AS_LONG, QUESTION], REFUSED),
    ],
    ids=["split", "body", "after half a line", "chunk", "upgrade"],
)
def test_a_body_is_no_question(pieces, status):
    async def test(line):
        line.full = True
        found = await line.told(*pieces)
        assert found.startswith(status)
        assert found.count(b"HTTP/1.1 ") == 1
        assert (await line.told(QUESTION)).startswith(REFUSED)

    run(test)


@pytest.mark.parametrize(
    ("more", "status"),
    [(QUESTION, REFUSED), (NAMED, REFUSED), (b"nothing of the kind\r\n\r\n", b"HTTP/1.1 400 ")],
    ids=["at sight", "by the parser", "no HTTP"],
)
def test_a_refusal_follows_the_whole_of_the_answer_before_it(more, status):
    """The last piece of an answer is held back for a moment, in which more may be read."""
    body = b"a" * 16_384 + b"b" * 100

    async def test(line):
        async def app(scope, receive, send):
            await receive()
            line.full = True
            line.theirs.send(more)
            time.sleep(0.02)  # it has arrived before the loop looks again
            await asyncio.sleep(0)
            length = [(b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": length})
            await send({"type": "http.response.body", "body": body})

        line.ours.app = app
        head, _, rest = (await line.told(QUESTION)).partition(b"\r\n\r\n")
        assert head.startswith(OK)
        assert rest.startswith(body + status)

    run(test)


@pytest.mark.parametrize("question", [QUESTION, NAMED], ids=["at sight", "by the parser"])
def test_who_was_refused_and_asks_no_more_is_told_nothing_more(question):
    async def test(line):
        line.full = True
        assert (await line.told(b"\r\n", question)).startswith(REFUSED)
        line.ours.sweep(line.ours.loop.time() + 0.5)
        assert not line.ours.transport.is_closing()
        line.ours.sweep(line.ours.loop.time() + 1.5)
        assert line.ours.transport.is_closing()
        assert await line.told() == b""

    run(test, header_seconds=1.0)
