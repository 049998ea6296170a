"""More than a server can do: it does what it can, refuses the rest quickly, and is well right after."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.torture.load.client import Ask
from tests.torture.load.drive import Load, open_load, schedule
from tests.torture.load.machine import Cores, kept_to
from tests.torture.load.record import Record, percentile
from tests.torture.load.steady import faultless, judged, within
from tests.torture.promise import Promise

_CONNECTIONS = 1024
_CALM_SECONDS, _WINDOW_SECONDS = 1.5, 0.25


@dataclass(frozen=True, slots=True)
class Much:
    """How much is asked.

    Attributes:
        capable: the capacity, in requests a second.
        factor: of the capacity.
        seconds: for how long.
        seed: of the times between requests.
        after: seconds in which half of the capacity is asked, to see when all is well again.
    """

    capable: float
    factor: float
    seconds: float
    seed: int = 1
    after: float = 6.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is promised.

    Attributes:
        lost: share of the capacity, at most, that is not answered rightly.
        lost_at_best: and in the second in which that share is least.
        refusal_ms: what a refusal may take, but for a hundredth of them.
        accepted_ms: what a request that is not refused may take, but for a hundredth of them.
        ping_ms: what a ping may take.
        recovery: seconds until all is well again.
    """

    lost: float = 0.1
    lost_at_best: float = 0.1
    refusal_ms: float = 20.0
    accepted_ms: float = 200.0
    ping_ms: float = 200.0
    recovery: float = 2.0

    def loosened(self, times: float) -> Bounds:
        """Return bounds of time so many times as wide, but of recovery only twice and a half.

        Others' work takes seconds away, but not all of them: half of the goodput promised has to be
        left, and three quarters of it in the best second.
        """
        return Bounds(
            lost=1 - 0.5 * (1 - self.lost),
            lost_at_best=1 - 0.75 * (1 - self.lost_at_best),
            refusal_ms=self.refusal_ms * times,
            accepted_ms=self.accepted_ms * times,
            ping_ms=self.ping_ms * times,
            recovery=self.recovery * 2.5,
        )


def overload(
    url: str, asks: Sequence[Ask], cores: Cores, much: Much, bounds: Bounds
) -> Iterator[Promise]:
    """Ask several times as much as the capacity, ping meanwhile, and from one moment on ask half of it.

    Args:
        url: of the server.
        asks: questions that know their answers.
        cores: whose the cores are.
        much: how much is asked.
        bounds: what is promised.
    """
    capable, factor, seconds = much.capable, much.factor, much.seconds
    name = f"{factor:g} times capacity, {asks[0].name}"
    with kept_to(cores.tool):
        calm = open_load(url, asks, capable / 2, _CALM_SECONDS, seed=much.seed)
        whole, pings = asyncio.run(_both(url, asks, much))
    record, after = whole.part(0, seconds), whole.part(seconds, seconds + much.after)
    yield faultless(f"{name}: nothing wrong", calm, whole)
    told = f"{capable * factor:,.0f} a second, {cores}"
    borne = record.answered + record.refused
    yield judged(f"{name}: answered or refused in form", record, borne, told)
    good = record.rate / capable
    told = f"{record.rate:,.0f} of {capable:,.0f} a second"
    yield within(f"{name}: goodput lost", (1 - good) * 100, bounds.lost * 100, "%", told)
    lost, most = 1 - max(record.goodput()) / capable, bounds.lost_at_best
    yield within(f"{name}: goodput lost in its best second", lost * 100, most * 100, "%")
    refusals = record.refusals
    told = (
        f"p50 {percentile(refusals, 50) * 1000:.1f}, p100 {percentile(refusals, 100) * 1000:.1f} ms"
    )
    late = percentile(refusals, 99) * 1000 if refusals else float("inf")
    yield within(f"{name}: p99 to a refusal", late, bounds.refusal_ms, "ms", told)
    yield within(f"{name}: p99 of what is accepted", record.at(99) * 1000, bounds.accepted_ms, "ms")
    quick = sum(status == 200 and took * 1000 <= bounds.ping_ms for status, took in pings)
    worst = max((took for _, took in pings), default=0) * 1000
    told = f"at most {worst:.0f} ms"
    yield Promise(f"{name}: /ping within {bounds.ping_ms:g} ms", len(pings), quick, told, pace=True)
    back = recovery(after, max(2 * calm.at(99), 0.05))
    yield within(f"{name}: recovery", back, bounds.recovery, "s")


def recovery(record: Record, calm: float) -> float:
    """Return after how many seconds of a load nearly all of a quarter of a second is answered calmly.

    Args:
        record: of the load that came after the overload.
        calm: seconds that an answer may take.
    """
    rows = sorted(zip(record.intended, record.done, record.code, record.wrong, strict=True))
    at = 0.0
    while at < record.seconds:
        begin = record.began + at
        some = [row for row in rows if begin <= row[0] < begin + _WINDOW_SECONDS]
        well = sum(
            done - intended <= calm and code == 200 and not wrong
            for intended, done, code, wrong in some
        )
        if some and well >= 0.95 * len(some):
            return at
        at += _WINDOW_SECONDS
    return record.seconds


async def _both(
    url: str, asks: Sequence[Ask], much: Much
) -> tuple[Record, list[tuple[int, float]]]:
    seconds, seed = much.seconds, much.seed
    load = Load(url, asks, connections=_CONNECTIONS, patience=10.0, seed=seed)
    pings: list[tuple[int, float]] = []
    pinging = asyncio.create_task(_ping(url, seconds, pings))
    times = schedule(much.capable * much.factor, seconds, seed)
    times += [seconds + at for at in schedule(much.capable / 2, much.after, seed + 1)]
    record = await load.open(times)
    await pinging
    return record, pings


async def _ping(url: str, seconds: float, pings: list[tuple[int, float]]) -> None:
    """Ping on a new connection ten times a second, as one does who watches over servers."""
    parts = urlsplit(url)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        status, writer = 0, None
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                writer.write(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                status = int((await reader.readline())[9:12] or 0)
        except OSError:
            pass
        finally:
            if writer:
                writer.close()
        pings.append((status, time.perf_counter() - began))
        await asyncio.sleep(0.1)
