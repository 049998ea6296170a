"""Clients that take their time: headers or a body a byte at a time, or answers that nobody reads.

They are a process of their own (`python -m tests.torture.load.slow URL LIMIT HEADERS BODIES READERS
STREAMS`), so that they do not slow down those who measure how others are served meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import math
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tests.torture.load import asked
from tests.torture.load.client import Ask, get, post
from tests.torture.load.drive import open_load
from tests.torture.load.machine import Cores, kept_to
from tests.torture.load.steady import FEW, faultless, judged, unforced, within
from tests.torture.promise import Promise

TOLERANCE_SECONDS, RATIO = 1.5, 1.5
_BYTE_SECONDS, _LOOK_SECONDS, _MORE_SECONDS = 0.9, 0.3, 3.0
_ESTABLISHED, _CLOSE_WAIT = "01", "08"
_WINDOW, _MUCH = 4096, 6 << 20
"""Bytes that a client takes at once, and more of an answer than the kernel keeps for it (4 MB)."""
_CHARACTERS, _STREAMS = 10_000, 20
"""Of each stream, and how many are asked for at once: several times the 150 kB that are kept for one
who does not read."""
_HEAD = post("/invocations", b"", "text/plain").split(b"\r\n\r\n")[0]


def slow(
    url: str,
    asks: Sequence[Ask],
    cores: Cores,
    rate: float,
    seed: int,
    *,
    counts: tuple[int, int, int, int] = (500, 500, 200, 0),
    limit: float = 10.0,
    ratio: float = RATIO,
    few: int = FEW,
    slack: float = 1.0,
) -> Iterator[Promise]:
    """Let slow clients come, and see when each is cut, and how good clients are served meanwhile.

    Args:
        url: of the server.
        asks: what the good clients ask.
        cores: whose the cores are.
        rate: how often, a second.
        seed: of the times between.
        counts: clients that are slow with headers, with a body, with reading a page, and a stream.
        limit: seconds until the server has to have cut them.
        few: requests under way at once, of which none may be refused.
        ratio: of what takes long, for the good clients, to what it takes without the others.
        slack: by how much more than promised a time may be.
    """
    command = [sys.executable, "-m", "tests.torture.load.slow", url, str(limit), *map(str, counts)]
    with kept_to(cores.tool):
        before = open_load(url, asks, rate, limit / 2, seed=seed)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as clients:
            assert clients.stdout
            clients.stdout.readline()  # they are all there
            time.sleep(limit / 10)
            meanwhile = open_load(url, asks, rate, limit / 3, seed=seed)
            found = json.loads(clients.stdout.read())
    name = f"beside {asks[0].name}"
    for kind, seconds in found.items():
        cut = sum(each <= limit + TOLERANCE_SECONDS for each in seconds)
        told, who = f"cut after {min(seconds):.1f} to {max(seconds):.1f} s", f"slow with {kind}"
        yield Promise(f"{who}, {name}: cut in time", len(seconds), cut, told, pace=True)
        ever = sum(map(math.isfinite, seconds))
        yield Promise(f"{who}, {name}: cut at last", len(seconds), ever, told)
    yield faultless(f"slow clients, {name}: nothing wrong", before, meanwhile)
    yield unforced(f"slow clients, {name}: none refused while few wait", few, before, meanwhile)
    yield judged(f"slow clients, {name}: others answered meanwhile", meanwhile, meanwhile.answered)
    usual, then = before.at(99) * 1000, meanwhile.at(99) * 1000
    told, most = f"without them {usual:.2f} ms", slack * max(ratio * usual, 1.0)
    yield within(f"slow clients, {name}: p99 of others", then, most, "ms", told)


async def _headers(url: str, patience: float, there: asyncio.Barrier) -> float:
    reader, writer = await _open(url, there)
    began = time.monotonic()
    return await _drip(reader, writer, _HEAD * 1000, began + patience) - began


async def _body(url: str, patience: float, there: asyncio.Barrier) -> float:
    reader, writer = await _open(url, there)
    writer.write(_HEAD.replace(b"Content-Length: 0", b"Content-Length: 1000") + b"\r\n\r\n")
    began = time.monotonic()
    return await _drip(reader, writer, b"a" * 1000, began + patience) - began


async def _reading(url: str, patience: float, there: asyncio.Barrier, data: bytes) -> float:
    """Ask for much, read a byte now and then, and return how long the server bears that
    without getting rid of anything.

    The end of a connection would have to wait behind what nobody reads, so it is looked for where the
    server is: in the kernel's list.
    """
    loop, parts = asyncio.get_running_loop(), urlsplit(url)
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
    line.setblocking(False)
    await loop.sock_connect(line, (parts.hostname, parts.port))
    await there.wait()
    port = line.getsockname()[1]
    sending = asyncio.create_task(loop.sock_sendall(line, data))
    began = since = time.monotonic()
    most = 0
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if time.monotonic() > began + patience:
            since = -math.inf
            break
        with contextlib.suppress(BlockingIOError):
            try:
                line.recv(1)
            except OSError:
                break
        left = _held(parts.port or 80, int(time.monotonic() / _LOOK_SECONDS)).get(port)
        if left is None:
            break
        if left > most:  # the kernel still takes something of the server
            most, since = left, time.monotonic()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    line.close()
    return time.monotonic() - since


def _much(url: str) -> bytes:
    """Return requests, all at once, whose answers are more than the kernel keeps."""
    path = _fetched(f"{url}/device.json").get("file") or "openapi.json"
    with urllib.request.urlopen(f"{url}/{path}") as found:
        size = len(found.read())
    return get(f"/{path}") * (_MUCH // size + 1)


def _fetched(url: str) -> dict[str, str]:
    try:
        with urllib.request.urlopen(url) as found:
            return dict(json.load(found))
    except (OSError, ValueError):
        return {}


@functools.lru_cache(1)
def _held(server: int, moment: int) -> dict[int, int]:
    """Return of each client that a server has not let go, by its port, the bytes that wait for it."""
    found = {}
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queues, *_ = row.split()
        if int(local.split(":")[1], 16) == server and state in (_ESTABLISHED, _CLOSE_WAIT):
            found[int(remote.split(":")[1], 16)] = int(queues.split(":")[0], 16)
    return found


async def _open(
    url: str, there: asyncio.Barrier
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    found = await asyncio.open_connection(parts.hostname, parts.port)
    await there.wait()
    return found


async def _drip(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes, end: float
) -> float:
    """Send a byte now and then until the server has enough; return when that was;
    infinity if it never has."""
    ended = asyncio.create_task(reader.read())
    done = math.inf
    for byte in data:
        writer.write(bytes((byte,)))
        await asyncio.wait((ended,), timeout=_BYTE_SECONDS)
        if ended.done():
            done = time.monotonic()
            break
        if time.monotonic() > end:
            break
    ended.cancel()
    await asyncio.gather(ended, return_exceptions=True)
    writer.transport.abort()
    return done


async def _all(url: str, limit: float, counts: Sequence[int]) -> dict[str, list[float]]:
    patience = 2 * limit + _MORE_SECONDS
    page = functools.partial(_reading, data=_much(url))
    stream = functools.partial(_reading, data=asked.stream(1, _CHARACTERS).data * _STREAMS)
    kinds = {"headers": _headers, "a body": _body, "reading": page, "reading a stream": stream}
    there = asyncio.Barrier(sum(counts) + 1)
    tasks = {
        kind: [asyncio.create_task(client(url, patience, there)) for _ in range(count)]
        for (kind, client), count in zip(kinds.items(), counts, strict=True)
    }
    await there.wait()
    sys.stdout.write("there\n")
    sys.stdout.flush()
    found = {kind: [round(await each, 2) for each in several] for kind, several in tasks.items()}
    return {kind: seconds for kind, seconds in found.items() if seconds}


if __name__ == "__main__":
    found = asyncio.run(_all(sys.argv[1], float(sys.argv[2]), [*map(int, sys.argv[3:])]))
    sys.stdout.write(json.dumps(found))
