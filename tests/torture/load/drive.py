"""Drives a load: at times that do not depend on the answers (open), or each client in turn (closed).

In an open load each request has its time before anything begins, and what it took counts from then on: a
server that stands still for a second is late for all that were to be sent in it, and not for one only
(Gil Tene's coordinated omission, measured as his wrk2 does).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.torture.load.alarm import Alarm
from tests.torture.load.client import NO_ANSWER, NO_CONNECTION, TIMED_OUT, Ask, Line
from tests.torture.load.record import REFUSED, Record

now = time.perf_counter
_AT_ONCE = 64
"""Requests sent before answers are looked at again."""
_FRESH_SECONDS = 4.0
"""A line that was free for longer is not asked: servers close it after five, maybe in that moment."""


def schedule(rate: float, seconds: float, seed: int, *, poisson: bool = True) -> list[float]:
    """Return when each request of an open load is to be sent, in seconds from its beginning.

    >>> schedule(4, 1, 1, poisson=False)
    [0.0, 0.25, 0.5, 0.75]
    >>> times = schedule(1000, 2, 1)
    >>> 1800 < len(times) < 2200 and times == sorted(times) and times == schedule(1000, 2, 1)
    True
    """
    if not poisson:
        return [number / rate for number in range(int(rate * seconds))]
    dice = random.Random(seed)
    times: list[float] = []
    at = dice.expovariate(rate)
    while at < seconds:
        times.append(at)
        at += dice.expovariate(rate)
    return times


@dataclass(slots=True)
class _Sent:
    """A request under way.

    Attributes:
        kind: its place among the requests.
        intended: when it was to be sent.
        sent: when it was.
    """

    kind: int
    intended: float
    sent: float = 0.0


class Load:
    """A load on one server; used once.

    Args:
        url: where the server is.
        asks: requests, drawn from at random, each as often as it stands there.
        connections: lines at most.
        patience: seconds until an answer is given up.
        seed: of the draws.
    """

    def __init__(
        self,
        url: str,
        asks: Sequence[Ask],
        *,
        connections: int = 256,
        patience: float = 30.0,
        seed: int = 1,
    ) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "127.0.0.1", parts.port or 80
        self._asks, self._most, self._patience = asks, connections, patience
        self._dice = random.Random(seed)
        self.record = Record()
        self._lines: set[Line] = set()
        self._free: list[Line] = []
        self._opening = 0
        self._waiting: deque[_Sent] = deque()
        self._under_way = 0
        self._again = False
        self._end = 0.0

    async def open(self, times: Sequence[float]) -> Record:
        """Send a request at each of the times, whatever becomes of those before."""
        await self._connect(min(self._most, 32))
        kinds = [self._dice.randrange(len(self._asks)) for _ in times]
        with self._measured():
            await self._dispatch(times, kinds)
            await self._finish(times[-1] if times else 0.0)
        return self.record

    async def closed(self, seconds: float) -> Record:
        """Let each of the lines ask again as soon as it has its answer."""
        await self._connect(self._most)
        with self._measured():
            self._again, self._end = True, now() + seconds
            for _ in range(self._most):
                self._give(_Sent(self._kind(), now()))
            await self._finish(seconds)
        return self.record

    # What the lines tell.

    def answered(self, line: Line, status: int, head: bytes, body: bytes) -> None:
        """Write an answer down, and give the line its next request."""
        asked: _Sent | None = line.asked
        line.asked = None
        if asked is None:  # a farewell, such as 408, that was not asked for
            return
        if status in REFUSED:
            wrong = b"\r\nretry-after:" not in head.lower()
        else:
            wrong = not self._right(asked, status, body)
        self._close(asked, status, wrong=wrong)
        if line.open:
            self._use(line)

    def lost(self, line: Line) -> None:
        """Write down what will not be answered."""
        self._lines.discard(line)
        asked: _Sent | None = line.asked
        line.asked = None
        with contextlib.suppress(ValueError):
            self._free.remove(line)
        if asked:
            self._close(asked, NO_ANSWER)

    # The rest is of the load itself.

    def _right(self, asked: _Sent, status: int, body: bytes) -> bool:
        try:
            return self._asks[asked.kind].right(status, body)
        except Exception:  # noqa: BLE001, whoever cannot make anything of an answer calls it wrong
            return False

    def _kind(self) -> int:
        return self._dice.randrange(len(self._asks))

    def _close(self, asked: _Sent, code: int, *, wrong: bool = False) -> None:
        moment = now()
        self.record.add(asked.intended, asked.sent, moment, code, wrong, asked.kind)
        self._under_way -= 1
        if self._again and moment < self._end:
            asyncio.get_running_loop().call_soon(self._give, _Sent(self._kind(), moment))

    def _give(self, asked: _Sent) -> None:
        """Send a request on a free line, or keep it until one is free."""
        self._under_way += 1
        while self._free:
            line = self._free.pop()
            if line.open and now() - line.since < _FRESH_SECONDS:
                self._send(line, asked)
                return
            line.transport.abort()
        self._waiting.append(asked)
        self.record.waiting = max(self.record.waiting, len(self._waiting))
        if self._opening < len(self._waiting) and len(self._lines) + self._opening < self._most:
            self._opening += 1
            asyncio.get_running_loop().create_task(self._line())

    def _send(self, line: Line, asked: _Sent) -> None:
        asked.sent = now()
        line.ask(asked, self._asks[asked.kind].data)

    def _use(self, line: Line) -> None:
        if self._waiting:
            self._send(line, self._waiting.popleft())
        else:
            line.since = now()
            self._free.append(line)

    async def _line(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, line = await loop.create_connection(lambda: Line(self), *self._address)
        except OSError:
            if self._waiting and len(self._lines) == 0:
                asked = self._waiting.popleft()
                asked.sent = now()
                await asyncio.sleep(0.02)
                self._close(asked, NO_CONNECTION)
        else:
            self._lines.add(line)
            self._use(line)
        finally:
            self._opening -= 1

    async def _connect(self, count: int) -> None:
        for start in range(0, count, 64):
            self._opening += min(64, count - start)
            await asyncio.gather(*(self._line() for _ in range(min(64, count - start))))

    async def _dispatch(self, times: Sequence[float], kinds: Sequence[int]) -> None:
        began, late = self.record.began, self.record.late
        number = 0
        with Alarm() as alarm:
            while number < len(times):
                await alarm.until(began + times[number])
                moment = now()
                until = min(len(times), number + _AT_ONCE)
                while number < until and (due := began + times[number]) <= moment:
                    late.append(now() - due)
                    self._give(_Sent(kinds[number], due))
                    number += 1

    async def _finish(self, seconds: float) -> None:
        """Wait for what is under way, and give up what takes too long."""
        end = self.record.began + seconds
        while now() < end or self._under_way:
            if now() > end and not self._lines and not self._opening:
                self._give_up(now())
            await asyncio.sleep(0.002 if self._under_way < 8 and now() > end else 0.05)
            oldest = now() - self._patience
            for line in [each for each in self._lines if each.asked]:
                if line.asked.sent < oldest:
                    asked, line.asked = line.asked, None
                    line.transport.abort()
                    self._close(asked, TIMED_OUT)
            self._give_up(oldest)
        self.record.seconds = max(seconds, 1e-9)
        while self._opening:
            await asyncio.sleep(0.005)
        for line in [*self._lines]:
            line.transport.abort()
        for _ in range(3):  # until the last of them is told that it is lost, and closed
            await asyncio.sleep(0)

    def _give_up(self, oldest: float) -> None:
        """Write down what has waited since before a moment, and never had a line."""
        while self._waiting and self._waiting[0].intended < oldest:
            asked = self._waiting.popleft()
            asked.sent = now()
            self._close(asked, NO_CONNECTION)

    @contextlib.contextmanager
    def _measured(self) -> Iterator[None]:
        self.record.began = now()
        used = time.process_time()
        gc.collect()
        gc.disable()  # a collection would be a pause of ours that looks like one of the server's
        self.record.began = began = now()
        try:
            yield
        finally:
            gc.enable()
            self.record.busy = (time.process_time() - used) / max(1e-9, now() - began)


def open_load(
    url: str,
    asks: Sequence[Ask],
    rate: float,
    seconds: float,
    *,
    seed: int = 1,
    poisson: bool = True,
    connections: int = 256,
    patience: float = 30.0,
) -> Record:
    """Drive an open load and return what became of it."""
    load = Load(url, asks, connections=connections, patience=patience, seed=seed)
    return asyncio.run(load.open(schedule(rate, seconds, seed, poisson=poisson)))


def closed_load(
    url: str,
    asks: Sequence[Ask],
    clients: int,
    seconds: float,
    *,
    seed: int = 1,
    patience: float = 30.0,
) -> Record:
    """Drive a closed load and return what became of it."""
    load = Load(url, asks, connections=clients, patience=patience, seed=seed)
    return asyncio.run(load.closed(seconds))
