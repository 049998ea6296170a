"""How stages talk to a person: a few words and a progress bar, on stderr, or silence.

Results never pass through here; they are what a stage returns. A stage takes a `Talk` and is silent
without one, which is how the Python API uses it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Protocol

_EVERY_SECONDS = 15.0
"""Between two lines about the same work, where there is no terminal to redraw."""


class Bar(Protocol):
    """One piece of work whose progress can be seen."""

    def update(self, done: float, note: str = "", total: float | None = None) -> None:
        """Set how much is done, in the bar's unit, with a few words; a total learnt late too."""


class Talk(Protocol):
    """Somebody to tell."""

    def say(self, message: str) -> None:
        """Tell one line of news."""

    def warn(self, message: str) -> None:
        """Tell one line that should not be missed."""

    def bar(
        self, title: str, total: float | None, unit: str = ""
    ) -> contextlib.AbstractContextManager[Bar]:
        """Show progress towards `total` (None when unknown); unit "B" means bytes."""


class LineBar:
    """Progress where nothing can be drawn again: a line now and then, with the time that is left.

    Args:
        say: tells a line.
        title: what is being done.
        total: how much there is of it; None when unknown.
        unit: what is counted; "B" for bytes.
        clock: seconds.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        title: str,
        total: float | None,
        unit: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say, self._title, self._total, self._clock = say, title, total, clock
        self._are_bytes = unit == "B"
        self._unit = "MB" if self._are_bytes else unit
        self._began = self._told = clock()
        self._before: float | None = None

    def update(self, done: float, note: str = "", total: float | None = None) -> None:
        """Set how much is done."""
        self._total = total or self._total
        if self._before is None:  # what an earlier run has done says nothing of this one's speed
            self._before = done
        now = self._clock()
        if now - self._told < _EVERY_SECONDS:
            return
        self._told = now
        of = f" of {self._amount(self._total)}" if self._total else ""
        speed = left = ""
        if self._total and done > self._before:  # nothing done yet says nothing of the rest
            rate = (done - self._before) / (now - self._began)
            speed = f" at {rate / 1e3:.0f} kB/s" if self._are_bytes else ""
            left = f", about {(self._total - done) / rate:.0f} s left"
        words = f"  {note}" if note else ""
        self._say(f"{self._title}: {self._amount(done)}{of} {self._unit}{speed}{left}{words}")

    def _amount(self, value: float) -> str:
        return f"{value / 1e6:.1f}" if self._are_bytes else f"{value:.0f}"


class _NoBar:
    def update(self, done: float, note: str = "", total: float | None = None) -> None:
        pass


class Silence:
    """A `Talk` that says nothing.

    >>> Silence().say("anything")
    """

    def say(self, message: str) -> None:
        """Say nothing."""

    def warn(self, message: str) -> None:
        """Say nothing."""

    @contextlib.contextmanager
    def bar(self, title: str, total: float | None, unit: str = "") -> Iterator[Bar]:
        """Show nothing."""
        yield _NoBar()
