"""The event loop of a process that serves: it looks at few connections at a time.

asyncio handles all that is ready before it looks again. Where a thousand clients ask for more than can
be done, that is a tenth of a second in which nearly all are refused, and what computes has long had
nothing left to do: its answers are not passed on, and nobody new is taken, before the round is over.
"""

from __future__ import annotations

import asyncio
import math
import select
import selectors

_AT_ONCE = 16
"""Connections looked at before answers are passed on; the system takes turns with the others."""


class Few(selectors.EpollSelector):
    """Tells of a few of those that are ready, and of others the next time."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return those that are ready, and for what; see `selectors.BaseSelector.select`."""
        seconds = -1 if timeout is None else max(0, math.ceil(timeout * 1e3) * 1e-3)
        try:
            found = self._selector.poll(seconds, _AT_ONCE)  # type: ignore[attr-defined]
        except InterruptedError:
            return []
        keys = self.get_map()
        known = ((keys.get(file), event) for file, event in found)
        return [(key, _kinds(event) & key.events) for key, event in known if key]


def _kinds(event: int) -> int:
    write = selectors.EVENT_WRITE if event & ~select.EPOLLIN else 0
    return write | (selectors.EVENT_READ if event & ~select.EPOLLOUT else 0)


def made() -> asyncio.AbstractEventLoop:
    """Return a new loop."""
    return asyncio.SelectorEventLoop(Few())
