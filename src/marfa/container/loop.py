"""The event loop of a process that serves: it looks at few connections at a time, and not too often.

asyncio handles all that is ready before it looks again. Where a thousand clients ask for more than can
be done, that is a tenth of a second in which nearly all are refused, and what computes has long had
nothing left to do: its answers are not passed on, and nobody new is taken, before the round is over.

asyncio also looks again as soon as anything is ready. Where no further question can be taken, who
computes would be pushed aside for each that is refused; what arrives is collected for a moment there,
unless a turn ends meanwhile.
"""

from __future__ import annotations

import asyncio
import math
import select
import selectors
from collections.abc import Callable
from typing import Any

_AT_ONCE = 16
"""Connections looked at before answers are passed on; the system takes turns with the others."""
_REST_SECONDS = 0.001
"""Between two looks at connections where no question can be taken; a refusal waits for it too."""


class Few(selectors.EpollSelector):
    """Tells of a few of those that are ready, and of others the next time.

    Args:
        rest: seconds in which no connection is looked at, where no question can be taken.

    Attributes:
        rest: the same.
        crowded: says whether no further question can be taken.
    """

    def __init__(self, rest: float = _REST_SECONDS) -> None:
        super().__init__()
        self.crowded: Callable[[], bool] = lambda: False
        self.rest = rest
        self._own = select.epoll()  # hears of the loop's own line only, by which threads wake it
        self._is_empty, self._are_more = True, False

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Look at a connection from now on; what a loop registers first is its own line."""
        if self._is_empty:
            self._own.register(fileobj, select.EPOLLIN)
            self._is_empty = False
        return super().register(fileobj, events, data)

    def close(self) -> None:
        """Look at nothing any more."""
        self._own.close()
        super().close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return those that are ready, and for what; see `selectors.BaseSelector.select`."""
        seconds = -1 if timeout is None else max(0, math.ceil(timeout * 1e3) * 1e-3)
        try:
            if seconds and not self._are_more and self.crowded():
                self._own.poll(self.rest if timeout is None else min(self.rest, seconds), 1)
            found = self._selector.poll(seconds, _AT_ONCE)  # type: ignore[attr-defined]
        except InterruptedError:
            return []
        self._are_more = len(found) == _AT_ONCE
        keys = self.get_map()
        known = ((keys.get(file), event) for file, event in found)
        return [(key, _kinds(event) & key.events) for key, event in known if key]


def _kinds(event: int) -> int:
    write = selectors.EVENT_WRITE if event & ~select.EPOLLIN else 0
    return write | (selectors.EVENT_READ if event & ~select.EPOLLOUT else 0)


class Loop(asyncio.SelectorEventLoop):
    """A loop that looks at few.

    Attributes:
        few: what looks.
    """

    def __init__(self) -> None:
        self.few = Few()
        super().__init__(self.few)
