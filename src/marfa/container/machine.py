"""The one thread that computes, which all requests of a process take in turns.

Whatever waits when a turn ends and can be computed together goes into the next one, so that a machine
with much to do works in batches, and one with little to do keeps nobody waiting for one to fill.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from marfa.errors import OverloadedError

T = TypeVar("T")

_NICE = 5
"""Where both want one core, who talks with clients has three times as much of it as who computes."""

Portion = Sequence[Any]
Compute = Callable[[list[Portion]], list[Any]]


@dataclass(eq=False, slots=True)
class _Turn:
    """One request's wish to use the machine.

    Attributes:
        work: what to do; None for a portion.
        portion: what to compute together with other portions.
        weight: how much of a turn it takes.
        alone: the turn is for nobody else.
        done: what came of it, and how many seconds of the machine it took.
        until: when it is too late to begin; by `time.monotonic`.
    """

    work: Callable[[], Any] | None
    portion: Portion
    weight: float
    alone: bool
    done: asyncio.Future[tuple[Any, float]]
    until: float


def _stand_back() -> None:
    """Let whoever talks with clients go first: a refusal must not wait for others' answers."""
    if sys.platform == "linux":  # elsewhere a priority is the whole process's, and not one thread's
        os.nice(_NICE)


class Machine:
    """A thread that computes, and those who wait for it, first come, first served.

    Args:
        compute: computes portions together.
        weigh: says how much of a turn a portion takes.
        at_once: weight of all portions in one turn at most, unless one alone has more.
        patience: seconds that a request may wait for a turn.

    Attributes:
        weight: of all who wait for a turn.
        deadline: when no further turn is begun; by `time.monotonic`.
        computed: when a turn was last ended without a failure; by `time.monotonic`.
        begun: when the turn under way was begun; None between two; by `time.monotonic`.
    """

    def __init__(
        self, compute: Compute, weigh: Callable[[Portion], float], at_once: int, patience: float
    ) -> None:
        self._compute, self._weigh = compute, weigh
        self._at_once, self._patience = at_once, patience
        self._waiting: deque[_Turn] = deque()
        self.weight = 0.0
        self._thread = ThreadPoolExecutor(1, "marfa-machine", _stand_back)
        self.deadline = float("inf")
        self.computed = float("-inf")
        self.begun: float | None = None

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for the turn under way to end."""
        return bool(self._waiting)

    async def turn(self, work: Callable[[], T], *, next_one: bool = False) -> tuple[T, float]:
        """Do some work in a turn of its own; return also how long it took.

        Args:
            work: what to do.
            next_one: before all others who wait.

        Raises:
            OverloadedError: if the turn did not come in time.
        """
        return await self._wait(work, (), next_one=next_one)

    async def portion(self, portion: Portion) -> tuple[Any, float]:
        """Compute a portion, with others where they wait too; return also its share of the time.

        Raises:
            OverloadedError: if the turn did not come in time.
        """
        return await self._wait(None, portion)

    def close(self) -> None:
        """Let the thread end after the turn under way."""
        self._thread.shutdown(wait=False)

    async def _wait(
        self, work: Callable[[], Any] | None, portion: Portion, *, next_one: bool = False
    ) -> tuple[Any, float]:
        loop = asyncio.get_running_loop()
        until = time.monotonic() + self._patience
        weight = self._weigh(portion)
        turn = _Turn(work, portion, weight, work is not None, loop.create_future(), until)
        (self._waiting.appendleft if next_one else self._waiting.append)(turn)
        self.weight += weight
        if self.begun is None:
            self._begin(loop)
        return await turn.done

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        turns = self._next()
        self.begun = time.monotonic() if turns else None
        if turns:
            future = self._thread.submit(self._take, turns)
            future.add_done_callback(lambda done: self._taken(loop, turns, done))

    def _next(self) -> list[_Turn]:
        """Take from those who wait who is in the next turn."""
        turns: list[_Turn] = []
        together = 0.0
        while self._waiting:
            turn = self._waiting[0]
            given_up = turn.done.done()  # nobody waits for it any more
            if turns and not given_up and (turn.alone or together + turn.weight > self._at_once):
                break
            self._waiting.popleft()
            self.weight -= turn.weight
            if given_up or self._late(turn):
                continue
            turns.append(turn)
            together += turn.weight
            if turn.alone:
                break
        return turns

    def _late(self, turn: _Turn) -> bool:
        now = time.monotonic()
        if now > self.deadline:
            message = "the server is stopping"
        elif now > turn.until:
            message = "the machine has too much to do"
        else:
            return False
        turn.done.set_exception(OverloadedError(message))
        return True

    def _take(self, turns: list[_Turn]) -> list[tuple[Any, float]]:
        """Compute, in the thread."""
        began = time.perf_counter()
        work = turns[0].work
        if work:
            return [(work(), time.perf_counter() - began)]
        made = self._compute([turn.portion for turn in turns])
        share = (time.perf_counter() - began) / len(turns)
        return [(each, share) for each in made]

    def _taken(
        self,
        loop: asyncio.AbstractEventLoop,
        turns: list[_Turn],
        done: Future[list[tuple[Any, float]]],
    ) -> None:
        """Pass on, from the thread, what came of a turn."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._end, loop, turns, done)

    def _end(
        self,
        loop: asyncio.AbstractEventLoop,
        turns: list[_Turn],
        done: Future[list[tuple[Any, float]]],
    ) -> None:
        error = done.exception()
        if error and len(turns) > 1:  # each once more for itself, so that none fails for another
            for turn in reversed(turns):
                turn.alone = True
                self._waiting.appendleft(turn)
                self.weight += turn.weight
        else:
            self._tell(turns, error, [] if error else done.result())
        self._begin(loop)

    def _tell(
        self, turns: list[_Turn], error: BaseException | None, made: list[tuple[Any, float]]
    ) -> None:
        if error is None:
            self.computed = time.monotonic()
        for number, turn in enumerate(turns):
            if turn.done.done():  # its client has gone
                continue
            if error:
                turn.done.set_exception(error)
            else:
                turn.done.set_result(made[number])
