"""A million requests of all sorts, and what a server keeps of them: nothing."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from tests.torture.load.asked import Right, heavy, plain, review
from tests.torture.load.client import Ask, get, post
from tests.torture.load.drive import closed_load
from tests.torture.load.machine import Cores, at_rest, kept_to, sharing, watched
from tests.torture.load.record import REFUSED
from tests.torture.load.served import Served
from tests.torture.load.steady import within
from tests.torture.promise import Promise

START_MB, GROWTH_MB, LOADED_MB, READ_MORE = 100.0, 30.0, 45.0, 1 << 16
_CLIENTS, _ROUND_SECONDS = 24, 2.0
_PIECE = 1 << 13
_LINES = "application/jsonlines"


def refusing(due: int) -> Right:
    """Return what recognises a refusal by its status alone."""
    return lambda status, body: status == due


def judging(seed: int) -> list[Ask]:
    """Return requests of all sorts to a model that judges."""
    dice = random.Random(seed)
    rows = "".join(json.dumps({"text": review(n, 20)}) + "\n" for n in range(20)).encode()
    good = [plain(dice.randrange(1000), words=dice.choice((5, 50, 200, 2000))) for _ in range(30)]
    good += [heavy(dice.randrange(1000), texts) for texts in (1, 4, 30)]
    good += [
        Ask("lines", post("/invocations", rows, _LINES, f"Accept: {_LINES}")),
        Ask("page", get("/")),
    ]
    json_ = "application/json"
    bad = [
        (400, post("/invocations", b"{", json_)),
        (400, post("/invocations", b"\xff\xfe", "text/plain")),
        (400, post("/invocations", json.dumps({"texts": 5}).encode(), json_)),
        (400, post("/invocations", b"[" * 5000, json_)),
        (422, post("/invocations", b"...", "text/plain", "Accept: text/plain")),
        (415, post("/invocations", b"good", "image/png")),
        (
            415,
            post("/invocations", b"\x1f\x8b" + bytes(500), "text/plain", "Content-Encoding: gzip"),
        ),
        (406, post("/invocations", b"good", "text/plain", "Accept: image/png")),
        (404, post(f"/{seed}", b"good", "text/plain")),
        (405, get("/invocations")),
    ]
    return good + [Ask("bad", data, refusing(status)) for status, data in bad]


def writing(seed: int) -> list[Ask]:
    """Return requests of all sorts to a model that writes."""
    dice = random.Random(seed)
    asks = [
        Ask("a text", post("/invocations", f"{dice.randint(5, 60)}-you ".encode(), "text/plain"))
        for _ in range(10)
    ]
    for _ in range(10):
        body = json.dumps(
            {"prompt": "you ", "length": dice.randint(5, 60), "seed": dice.randrange(99)}
        )
        stream = ["Accept: text/event-stream"] if dice.random() < 0.5 else []
        asks.append(
            Ask("a stream", post("/invocations", body.encode(), "application/json", *stream))
        )
    for bad in (b'{"length": -1}', b'{"prompt": 5}', b"{", b'{"continuation": "1.0"}'):
        asks.append(Ask("bad", post("/invocations", bad, "application/json"), refusing(400)))
    return asks


def bounded(
    served: Served,
    asks: Sequence[Ask],
    cores: Cores,
    count: int,
    seed: int,
    *,
    name: str = "mixed requests",
    cap: int = 1 << 20,
) -> Iterator[Promise]:
    """Send requests of all sorts, some too large, some broken off, and look at what the server holds.

    They are never so many at once that one deserves to be refused for want of time.

    Args:
        served: the server.
        asks: requests of all sorts.
        cores: whose the cores are.
        count: how many to send.
        seed: of what is chosen by chance.
        name: of the requests, for the lines.
        cap: bytes of the largest body that the server reads.
    """
    dice = random.Random(seed)
    process = served.process.pid
    before, others = at_rest(process), sharing(process)
    sent = right = large = refused = 0
    first_wrong = ""
    with kept_to(cores.tool), watched(process) as held:
        while sent < count:
            record = closed_load(served.url, asks, _CLIENTS, _ROUND_SECONDS, seed=seed + sent)
            sent += len(record)
            right += record.answered
            for code, wrong, kind in zip(record.code, record.wrong, record.kind, strict=True):
                if not first_wrong and (wrong or code <= 0 or code in REFUSED):
                    first_wrong = f"first: {asks[kind].name} number {kind}, {code}"
            for _ in range(10):
                break_off(served.url, dice.choice(asks).data, dice)
            for size, chunked in ((10 << 20, False), (100 << 20, False), (cap + READ_MORE, True)):
                status = oversize(served.url, size, chunked=chunked)
                large, refused = large + 1, refused + (status == 413)
    after = at_rest(process)
    others += sharing(process)
    yield Promise(f"{name}: answered as they deserve", sent, right, first_wrong)
    told = f"announced, or sent {cap + READ_MORE:,} bytes of"
    yield Promise(f"{name}: 413 to what is too large", large, refused, told)
    beside = f"; wrong, beside others with the same libraries: {set(others)}" if others else ""
    start, end, most = before.share / 1e6, after.share / 1e6, max(held) / 1e6
    told = f"{before}{beside}"
    yield within(f"{name}: after the start", start, START_MB, "MB", told, pace=False)
    told = f"after {sent:,} requests {after}{beside}"
    yield within(f"{name}: growth", end - start, GROWTH_MB, "MB", told, pace=False)
    told = f"at most {most:.1f} MB{beside}"
    yield within(f"{name}: growth under load", most - start, LOADED_MB, "MB", told, pace=False)


def break_off(url: str, data: bytes, dice: random.Random) -> None:
    """Send a part of a request, or all of it, and go."""
    with contextlib.suppress(OSError), _line(url) as line:
        line.sendall(data[: dice.randint(1, len(data))])
        if dice.random() < 0.5:  # with a reset, not a farewell
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(dice.random() * 0.003)


def oversize(url: str, size: int, *, chunked: bool) -> int:
    """Begin a body that is too large, and wait for an answer; return its status, 0 for none.

    Where its size is announced nothing of it is sent. Otherwise as much is sent as the server may read
    before it refuses, and not a byte of the rest.
    """
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n{length}\r\n\r\n"
    pieces = size // _PIECE if chunked else 0
    with contextlib.suppress(OSError), _line(url) as line:
        with contextlib.suppress(OSError):  # it may have closed by now: what it said is read below
            line.sendall(head.encode())
            for _ in range(pieces):
                line.sendall(b"%x\r\n" % _PIECE + b"a" * _PIECE + b"\r\n")
        return int(line.recv(4096)[9:12] or 0)
    return 0


def _line(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10)
