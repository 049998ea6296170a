"""The end of a server, and of its processes: nothing asked before is lost, nobody is told wrongly."""

from __future__ import annotations

import asyncio
import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.torture.load.client import Ask
from tests.torture.load.drive import Load, now
from tests.torture.load.machine import children
from tests.torture.load.record import REFUSED
from tests.torture.load.served import Served
from tests.torture.promise import Promise

Start = Callable[[], Served]
END_SECONDS, BACK_SECONDS = 10.0, 2.0
_CLIENTS = 16
_LOOK_SECONDS = 0.5


def sigterm(
    start: Start, asks: Sequence[Ask], times: int, seed: int, *, limit: float = END_SECONDS
) -> Iterator[Promise]:
    """Ask a server to stop while it has much to do.

    Every request that was sent whole before the signal is to be answered, and rightly: to be refused,
    however politely, is for those that come after it.

    Args:
        start: makes a server.
        asks: what it is asked.
        times: how often.
        seed: of the moments.
        limit: seconds until it has to be gone, and its processes with it.
    """
    dice = random.Random(seed)
    sent = borne = ended = 0
    longest, first = 0.0, ""
    for number in range(times):
        with start() as served:
            asked, died = _while_asked(
                served, asks, 0.3 + dice.random() * 0.5, seed + number, limit
            )
        rows = [row for row in asked if row[0] < died[0] <= row[1]]
        sent += len(rows)
        well = [row for row in rows if row[2] == 200 and not row[3]]
        borne += len(well)
        if len(well) < len(rows) and not first:
            codes = sorted({row[2] for row in rows if row not in well})
            first = f"first: run {number}, {len(rows) - len(well)} of {len(rows)} got {codes}"
        longest = max(longest, died[1] - died[0])
        ended += died[1] - died[0] <= limit and served.code == 0 and not served.left
    yield Promise("SIGTERM under load: what was asked before is answered", sent, borne, first)
    told = f"after {longest:.1f} s at most"
    yield Promise(f"SIGTERM under load: ended within {limit:g} s", times, ended, told)


def killed(start: Start, ask: Ask, times: int, seed: int) -> Iterator[Promise]:
    """Kill one of a server's processes again and again.

    In turns: the others answer meanwhile; or the others are stopped, so that whoever answers is new.
    """
    dice = random.Random(seed)
    tried = answered = kills = back = pings = true = 0
    longest = 0.0
    with start() as served:
        for number in range(times):
            workers = answering(served.process.pid)
            if not workers:  # it has ended as a whole: nothing more can be tried
                break
            victim = dice.choice(workers)
            others = [worker for worker in workers if worker != victim]
            alone = number % 2 == 1
            for other in others if alone else []:
                os.kill(other, signal.SIGSTOP)
            os.kill(victim, signal.SIGKILL)
            began = time.monotonic()
            try:
                took, rows = _until_back(served, ask, began, wait=alone)
            finally:
                for other in others if alone else []:
                    os.kill(other, signal.SIGCONT)
            if alone:
                kills, back, longest = kills + 1, back + (took <= BACK_SECONDS), max(longest, took)
            else:
                tried, answered = tried + len(rows), answered + sum(row[1] == 200 for row in rows)
            pings += sum(row[0] == 200 for row in rows)
            true += sum(row[0] == 200 and row[1] in (200, *REFUSED) for row in rows)
            time.sleep(0.3)
    name = f"a process killed, {ask.name}"
    yield Promise(f"{name}: the others answer meanwhile", tried, answered)
    told = f"after {longest:.2f} s at most"
    yield Promise(f"{name}: another answers within {BACK_SECONDS:g} s", kills, back, told)
    yield Promise(f"{name}: who says that it is well answers", pings, true)


def unfit(commands: Iterator[tuple[str, Served]], seconds: float = 3.0) -> Promise:
    """Start servers with models that are not whole: none may ever say that it is well."""
    tried = honest = 0
    first = ""
    for name, served in commands:
        served.begin()
        end = time.monotonic() + seconds
        statuses = set()
        while time.monotonic() < end and served.process.poll() is None:
            statuses.add(served.status("/ping", 0.5))
            time.sleep(0.02)
        served.__exit__()
        well = 200 not in statuses and "Traceback" not in served.told()
        tried, honest = tried + 1, honest + well
        first = first or ("" if well else f"first: {name}")
    return Promise("a model that is not whole: never a ping of 200", tried, honest, first)


def _while_asked(
    served: Served, asks: Sequence[Ask], seconds: float, seed: int, limit: float
) -> tuple[list[tuple[float, float, int, int]], tuple[float, float]]:
    """Return when each request was sent and done, its code and whether it was wrong; and both ends."""
    died = [0.0, 0.0]

    def end() -> None:
        time.sleep(seconds)
        died[0] = now()
        served.end(limit + 1)
        died[1] = now()

    load = Load(served.url, asks, connections=_CLIENTS, patience=15.0, seed=seed)
    ending = threading.Thread(target=end)
    ending.start()
    record = asyncio.run(load.closed(seconds + 0.5))
    ending.join()
    rows = zip(record.sent, record.done, record.code, record.wrong, strict=True)
    return [*rows], (died[0], died[1])


def answering(process: int) -> list[int]:
    """Return the processes that a server has answer for it."""
    return [child for child in children(process) if Path(f"/proc/{child}/exe").exists()]


def _until_back(
    served: Served, ask: Ask, began: float, *, wait: bool
) -> tuple[float, list[tuple[int, int]]]:
    """Ping and ask on new connections; return after how long there was an answer, and all statuses."""
    rows: list[tuple[int, int]] = []
    seconds = 3 * BACK_SECONDS if wait else _LOOK_SECONDS
    while time.monotonic() < began + seconds:
        rows.append(_ping_and_ask(served, ask, timeout=0.5 if wait else 5.0))
        if wait and rows[-1][1] == 200:
            break
        time.sleep(0.01)
    return time.monotonic() - began, rows


def _ping_and_ask(served: Served, ask: Ask, timeout: float) -> tuple[int, int]:
    """Return the statuses of a ping, and of a question on the same connection; 0 for none."""
    line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=timeout)
    ping = 0
    try:
        line.request("GET", "/ping")
        answer = line.getresponse()
        answer.read()
        ping = answer.status
        line.request(
            "POST",
            "/invocations",
            ask.data.partition(b"\r\n\r\n")[2],
            {"Content-Type": "text/plain"},
        )
        return ping, line.getresponse().status
    except (OSError, http.client.HTTPException):
        return ping, 0
    finally:
        line.close()
