# ruff: noqa: E501
"""Bytes that are nearly HTTP, sent as no client would: what is asked here no library lets one ask."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.torture.fuzz.served import MARK, Markers, Served, Tally, fault

BODY = b"40-a good film zqMARKERMARKERMAqz"
"""Either task answers it: a review, and the beginning of a text of forty letters."""
HOST = b"Host: localhost\r\n"
TYPE = b"Content-Type: text/plain\r\n"
_SECONDS = 5.0
"""For an answer; a server that says nothing to a request that is not whole has longer than that."""
_PATIENCE = 0.1
"""For more to come after an answer, or for something to be said of a request that is not whole."""
_THREADS = 12
_WAITING = 16
"""Requests that a connection holds until their turn comes; it may end behind them."""
_ANSWER = re.compile(rb"HTTP/1\.[01] [2-5]\d\d ")


@dataclass(frozen=True, slots=True)
class Sent:
    """What is sent on one connection.

    Attributes:
        data: the bytes.
        family: what kind of mischief it is.
        refused: it must be answered once, by an error, and the connection closed.
        whole: some answer must come or the connection be closed, since nothing more is to be waited for.
        answered: so many answers must come, even where the connection is closed: it begins with as many
            whole requests that are in order.
        pieces: how many writes it is sent in.
        closing: the sender's half of the connection is closed behind it.
        leaving: the client hangs up without reading.
        much: it is more at once than a connection takes, so that some of it may be refused with 503.
    """

    data: bytes
    family: str
    refused: bool = False
    whole: bool = True
    answered: int = 0
    pieces: int = 1
    closing: bool = False
    leaving: bool = False
    much: bool = False


def _post(
    headers: bytes = b"", body: bytes = BODY, line: bytes = b"POST /invocations HTTP/1.1"
) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return line + b"\r\n" + HOST + TYPE + length + headers + b"\r\n" + body


def _bare(headers: bytes, rest: bytes = b"", line: bytes = b"POST /invocations HTTP/1.1") -> bytes:
    return line + b"\r\n" + HOST + TYPE + headers + b"\r\n" + rest


_SMUGGLED = b"GET /zqMARKERMARKERMAqz HTTP/1.1\r\n" + HOST + b"\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_WHOLE = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

Maker = Callable[[random.Random], Sent]


def _lines(dice: random.Random) -> Sent:
    line = dice.choice(
        (
            b"GET", b"GET /", b"GET / HTTP/1.1 x", b"G\0T / HTTP/1.1", b"get /ping HTTP/1.1", b" GET / HTTP/1.1",
            b"GET  /  HTTP/1.1", b"GET\t/\tHTTP/1.1", b"GET / HTTP/1.12", b"GET / HTTP/9.9", b"GET / HTTP/2.0",
            b"GET / http/1.1", b"GET / HTTPS/1.1", b"GET /\xff\xfe HTTP/1.1", b"GET /\0 HTTP/1.1", b"\xff\xfe\xfd",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", b"GET /zqMARKERMARKERMAqz#x HTTP/1.1", b"GET " + b"/a" * 40_000,
            b"zqMARKERMARKERMAqz", b"M" * 20_000 + b" / HTTP/1.1", b"GET /%zz HTTP/1.1", b"GET ../ping HTTP/1.1",
            b"GET * HTTP/1.1", b"OPTIONS * HTTP/1.1", b"CONNECT localhost:22 HTTP/1.1", b"TRACE / HTTP/1.1",
            b"PRI * HTTP/2.0", b"GET http://[::1/ HTTP/1.1", b"\r\n\r\n\r\nGET /ping HTTP/1.1", b"GET / HTTP/0.9",
        )
    )  # fmt: skip
    return Sent(line + b"\r\n" + HOST + b"\r\n", "request lines", closing=True)


def _prefaces(dice: random.Random) -> Sent:
    data = dice.choice(
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), b"GET /zqMARKERMARKERMAqz\r\n", b"GET /\r\n\r\n", b"\0" * 200,
            _post(b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
            _post(b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AA==\r\n"),
            b"SSH-2.0-zqMARKERMARKERMAqz\r\n", b"EHLO zqMARKERMARKERMAqz\r\n", b"*1\r\n$4\r\nPING\r\n", bytes(dice.randrange(256) for _ in range(300)),
        )
    )  # fmt: skip
    return Sent(data, "prefaces of other protocols", closing=True)


def _absolute(dice: random.Random) -> Sent:
    target = dice.choice(
        (b"http://localhost/ping", b"http://zqMARKERMARKERMAqz/ping", b"HTTP://a:b@c/ping", b"ftp://a/ping", b"//zqMARKERMARKERMAqz/ping",
         b"http://localhost:99999/ping", b"http:///ping", b"gopher://x:1/_zqMARKERMARKERMAqz")
    )  # fmt: skip
    return Sent(
        b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n", "absolute targets", whole=False
    )


def _bombs(dice: random.Random) -> Sent:
    kind = dice.randrange(5)
    if kind == 0:
        headers = b"".join(
            b"X-%d: zqMARKERMARKERMAqz\r\n" % number for number in range(dice.choice((90, 3000)))
        )
    elif kind == 1:
        headers = b"X-Long: " + b"zqMARKERMARKERMAqz" * dice.choice((500, 9000)) + b"\r\n"
    elif kind == 2:
        headers = b"n" * dice.choice((500, 70_000)) + b": v\r\n"
    elif kind == 3:
        headers = b"Cookie: a=b\r\n" * dice.choice((50, 5000))
    else:
        headers = b"Accept: " + b"a/b;q=0.1," * dice.choice((50, 2000)) + b"\r\n"
    return Sent(_post(headers), "header bombs", whole=False)


def _names(dice: random.Random) -> Sent:
    header = dice.choice(
        (
            b"X: a\0zqMARKERMARKERMAqz\r\n", b"X\0: a\r\n", b"X : a\r\n", b" X: a\r\n", b": a\r\n", b"X\r\n", b"X: a\n", b"X: a\r",
            b"X: a\r\n zqMARKERMARKERMAqz\r\n", b"X: a\r\n\tb\r\n", b"X: \xff\xfe\r\n", b"X\xc3\xa9: a\r\n", b"X(): a\r\n",
            b"X: \x01\x02\x7f\r\n", b"Host: zqMARKERMARKERMAqz\r\n", b"Expect: 100-continue\r\n", b"Expect: zqMARKERMARKERMAqz\r\n",
            b"Connection: close, keep-alive, zqMARKERMARKERMAqz\r\n", b"Content-Type: zqMARKERMARKERMAqz\r\n", b"Content-Encoding: gzip\r\n",
            b"Content-Encoding: zqMARKERMARKERMAqz\r\n", b"X-Request-ID: zqMARKERMARKERMAqz\r\n", b"Range: bytes=0-\r\n", b"TE: trailers\r\n",
            b"X-Forwarded-For: zqMARKERMARKERMAqz\r\n", b"If-None-Match: *\r\n", b"Accept: zqMARKERMARKERMAqz\r\n", b"Via: 1.1 a\r\n",
            b"X-Amzn-SageMaker-Custom-Attributes: zqMARKERMARKERMAqz\r\n", b"Forwarded: for=zqMARKERMARKERMAqz\r\n", b"Trailer: X\r\n",
        )
    )  # fmt: skip
    return Sent(_post(header), "headers", whole=False)


def _lengths(dice: random.Random) -> Sent:
    value = dice.choice(
        (b"-1", b"+5", b"0x10", b"1e3", b" ", b"", b"5, 5", b"5,6", b"5 6", b"99999999999999999999999", b"\xb2", b"5\0",
         b"18446744073709551617", b"-0", b"zqMARKERMARKERMAqz", b"0x", b"5;", b"\xd9\xa5")
    )  # fmt: skip
    return Sent(
        _bare(b"Content-Length: " + value + b"\r\n", BODY + _SMUGGLED),
        "lengths that are none",
        refused=True,
    )


def _two_lengths(dice: random.Random) -> Sent:
    one, other = dice.choice(((0, 25), (25, 0), (5, 25), (25, 26), (1, 2)))
    headers = b"Content-Length: %d\r\ncontent-length: %d\r\n" % (one, other)
    return Sent(_bare(headers, BODY + _SMUGGLED), "two lengths", refused=True)


def _both(dice: random.Random) -> Sent:
    length = b"Content-Length: %d\r\n" % dice.choice((0, 3, len(BODY), len(_WHOLE), 1 << 20))
    coding = dice.choice(
        (
            _CHUNKED,
            b"Transfer-Encoding: Chunked\r\n",
            b"transfer-encoding:chunked\r\n",
            b"Transfer-Encoding: identity, chunked\r\n",
        )
    )
    pair = [length, coding]
    dice.shuffle(pair)
    return Sent(_bare(b"".join(pair), _WHOLE + _SMUGGLED), "length and chunks", refused=True)


def _codings(dice: random.Random) -> Sent:
    coding = dice.choice(
        (b"xchunked", b"chunked, identity", b"identity", b"gzip", b"chunked, chunked, gzip", b"chunked;q=1", b"\x0bchunked",
         b"'chunked'", b"zqMARKERMARKERMAqz", b"chunked\0", b"", b"cow, chunked, cow")
    )  # fmt: skip
    return Sent(
        _bare(b"Transfer-Encoding: " + coding + b"\r\n", _WHOLE + _SMUGGLED),
        "codings that are none",
        refused=True,
    )


def _hidden(dice: random.Random) -> Sent:
    header = dice.choice(
        (b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding\t: chunked\r\n", b"\x0bTransfer-Encoding: chunked\r\n",
         b"Transfer-Encoding:\x00chunked\r\n", b"Content-Length : 3\r\n", b"Content-\rLength: 3\r\n")
    )  # fmt: skip
    length = b"Content-Length: %d\r\n" % len(BODY)
    return Sent(_bare(length + header, BODY + _SMUGGLED), "hidden lengths", refused=True)


def _chunks(dice: random.Random) -> Sent:
    rest = dice.choice(
        (
            b"-5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"zqMARKERMARKERMAqz\r\nhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhelloworld\r\n0\r\n\r\n", b"fffffffffffffffffff\r\nhello\r\n0\r\n\r\n", b"g\r\nhello\r\n0\r\n\r\n",
            b"3\nabc\n0\n\n", b"5\r\nhello0\r\n\r\n", b"\r\n\r\n", b"1\r\n\0\0\r\n0\r\n\r\n", b"+3\r\nabc\r\n0\r\n\r\n", b"3 \0\r\nabc\r\n0\r\n\r\n",
        )
    )  # fmt: skip
    return Sent(_bare(_CHUNKED, rest + _SMUGGLED), "chunks that lie", refused=True)


def _odd_chunks(dice: random.Random) -> Sent:
    rest = dice.choice(
        (
            b"%x;a=zqMARKERMARKERMAqz\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY), b"0" * 15 + _WHOLE, b"0\r\n\r\n", b"0\r\nX: zqMARKERMARKERMAqz\r\n\r\n",
            b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n", _WHOLE, _WHOLE + _bare(_CHUNKED, _WHOLE),
            b"5;" + b"x" * 30_000 + b"\r\nhello\r\n0\r\n\r\n", b"0\r\n" + b"X: y\r\n" * 4000 + b"\r\n", b"ffffffff\r\n" + b"a" * 200_000,
        )
    )  # fmt: skip
    return Sent(_bare(_CHUNKED, rest), "chunks", whole=False)


def _pipelined(dice: random.Random) -> Sent:
    many, answered = dice.choice(
        ((_post() * 3, 3), (_post() + _SMUGGLED, 2), (_SMUGGLED * 40, _WAITING), (_post(body=b"") * 5, 5),
         (_post() + b"garbage zqMARKERMARKERMAqz\r\n\r\n", 1), (_post(b"Connection: close\r\n") + _SMUGGLED, 1),
         (b"GET /ping HTTP/1.0\r\n\r\n" + _SMUGGLED, 1), (_post() + _post()[:60], 1),
         (_post(line=b"GET /ping HTTP/1.1") + _post(), 2), (_post(b"Upgrade: x\r\nConnection: upgrade\r\n") + _post(), 2))
    )  # fmt: skip
    return Sent(many, "pipelines", answered=answered, much=answered == _WAITING)


def _cut(dice: random.Random) -> Sent:
    data = _post()
    return Sent(
        data[: dice.randrange(1, len(data))], "cut and half-closed", whole=False, closing=True
    )


def _left(dice: random.Random) -> Sent:
    data = _post(body=BODY * dice.choice((1, 20)))
    return Sent(data[: dice.randrange(1, len(data))], "left", whole=False, leaving=True)


def _hung_up(dice: random.Random) -> Sent:
    return Sent(_post() * dice.randrange(1, 4), "asked and left", whole=False, leaving=True)


def _dripped(dice: random.Random) -> Sent:
    return Sent(_post(b"X: zqMARKERMARKERMAqz\r\n"), "a byte at a time", answered=1, pieces=1 << 20)


def _split(dice: random.Random) -> Sent:
    data, answered = dice.choice(((_post(), 1), (_bare(_CHUNKED, _WHOLE), 1), (_post() * 2, 2)))
    return Sent(data, "in pieces", answered=answered, pieces=dice.randrange(2, 9))


def _large(dice: random.Random) -> Sent:
    size = dice.choice(((1 << 20) + 1, 3 << 20, 20 << 20, 1 << 40))
    sent = b"a" * dice.choice((0, 1000, 100_000))
    return Sent(_bare(b"Content-Length: %d\r\n" % size, sent), "too large", refused=True)


def _mutated(dice: random.Random) -> Sent:
    data = bytearray(
        dice.choice((_post(), _bare(_CHUNKED, _WHOLE), _post(b"Accept: text/plain\r\n"), _SMUGGLED))
    )
    for _ in range(dice.choice((1, 1, 2, 5))):
        at, kind = dice.randrange(len(data)), dice.randrange(5)
        if kind == 0:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[at] = dice.choice(b"\0\r\n :;,/\t\xff09az-")
        elif kind == 2:
            del data[at : at + dice.randrange(1, 9)]
        elif kind == 3:
            data[at:at] = bytes(data[dice.randrange(len(data)) :][: dice.randrange(1, 40)])
        else:
            data[at:at] = bytes([dice.choice(b"\0\r\n :;,\xff")]) * dice.randrange(1, 5)
        data = data or bytearray(b"\n")
    return Sent(bytes(data), "mutations", whole=False, closing=dice.random() < 0.3)


MAKERS: tuple[Maker, ...] = (
    *(
        _lines,
        _prefaces,
        _absolute,
        _bombs,
        _names,
        _names,
        _lengths,
        _two_lengths,
        _both,
        _codings,
    ),
    *(_hidden, _chunks, _odd_chunks, _pipelined, _cut, _left, _hung_up, _dripped, _split, _large),
    *((_mutated,) * 12),
)


def requests(count: int, seed: int) -> Iterator[Sent]:
    """Yield what is sent, every kind in turn."""
    dice = random.Random(seed)
    for number in range(count):
        yield MAKERS[number % len(MAKERS)](dice)


def exchange(port: int, sent: Sent) -> tuple[bytes, bool]:
    """Send on a connection of its own; return what came, and whether the server closed it."""
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        size = max(1, len(sent.data) // sent.pieces)
        got, closed = bytearray(), False
        try:
            for start in range(0, len(sent.data), size):
                line.sendall(sent.data[start : start + size])
            if sent.closing:
                line.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has been refused while it was sent; the answer is there
        if sent.leaving:
            return b"", False
        ending = sent.closing or sent.refused
        line.settimeout(_SECONDS if ending or sent.whole else _PATIENCE)
        began = time.monotonic()
        try:
            while time.monotonic() - began < _SECONDS:
                piece = line.recv(65_536)
                if not piece:
                    closed = True
                    break
                got += piece
                missing = len(_ANSWER.findall(got)) < sent.answered
                line.settimeout(_SECONDS if ending or missing else _PATIENCE)
        except TimeoutError:
            pass
        except OSError:
            closed = True
        return bytes(got), closed


def answers(got: bytes) -> list[tuple[int, str, bytes]]:
    """Read the answers that came: status, content type and body of each.

    Raises:
        ValueError: if what came is not HTTP.
    """
    found = []
    while got:
        head, end, rest = got.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        version, _, after = lines[0].partition(b" ")
        if not end or not version.startswith(b"HTTP/1."):
            message = "what came is no HTTP"
            raise ValueError(message)
        status = int(after[:3])
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in lines[1:])
        }
        if status < 200:
            got = rest
            continue
        if fields.get(b"transfer-encoding") == b"chunked":
            body, got = _unchunked(rest)
        else:
            length = int(fields.get(b"content-length", b"0"))
            body, got = rest[:length], rest[length:]
            if got and not got.startswith(
                b"HTTP/1."
            ):  # the answer to HEAD has a length and no body
                body, got = b"", rest
        found.append((status, fields.get(b"content-type", b"").decode("latin-1"), body))
    return found


def _unchunked(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        if not size or not (length := int(size, 16)):
            return body, data.removeprefix(b"\r\n")
        body, data = body + data[:length], data[length + 2 :]


def judged(sent: Sent, got: bytes, closed: bool, prefix: str) -> str:
    """Say what is wrong with what came; nothing where all is well."""
    try:
        found = answers(got)
    except ValueError:
        return f"{sent.family}: what came is no HTTP"
    for status, kind, body in found:
        head = status >= 400 and not body
        if problem := fault(status, kind, body, prefix, head=head, much=sent.much):
            return f"{sent.family}: {problem}"
    if sent.refused:
        statuses = [status for status, _, _ in found]
        if len(statuses) != 1 or statuses[0] < 400:
            return f"{sent.family}: answered {statuses}, not refused once"
        if not closed:
            return f"{sent.family}: refused, and the connection kept"
    elif len(found) < sent.answered:
        return f"{sent.family}: {len(found)} answers to {sent.answered} whole requests"
    elif sent.whole and not found and not closed and not sent.leaving:
        return f"{sent.family}: no answer"
    return ""


def over_sockets(served: Served, count: int, seed: int) -> Tally:
    """Send requests that are none, several at a time."""
    tally, markers = Tally(), Markers(seed)
    waiting = list(requests(count, seed))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                sent = waiting.pop()
                marker = markers.next().encode()
            marked = replace(sent, data=sent.data.replace(MARK.encode(), marker))
            try:
                got, closed = exchange(served.port, marked)
                problem = judged(sent, got, closed, markers.prefix)
            except OSError as error:
                problem = f"{sent.family}: {type(error).__name__}"
            with lock:
                tally.add(problem)

    threads = [threading.Thread(target=work) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in served.faults(markers.prefix):
        tally.add(each)
    return tally
