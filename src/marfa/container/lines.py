"""Talking where nobody looks at once: plain lines, which CloudWatch keeps and reads figures from."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from marfa.console import Bar

_EVERY_SECONDS = 20.0


class Lines:
    """A `Talk` that writes lines, each as soon as it is said.

    Args:
        stream: where to.
        clock: seconds, for the time between two lines of progress.

    >>> import sys
    >>> Lines(sys.stdout).warn("the disk is nearly full")
    ! the disk is nearly full
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock

    def say(self, message: str) -> None:
        """Tell one line of news."""
        self._stream.write(f"{message}\n")
        self._stream.flush()

    def warn(self, message: str) -> None:
        """Tell one line that should not be missed."""
        self.say(f"! {message}")

    @contextlib.contextmanager
    def bar(self, title: str, total: float | None, unit: str = "") -> Iterator[Bar]:
        """Tell a line of progress now and then."""
        yield _Progress(self, self._clock, title, total, unit)


class _Progress:
    def __init__(
        self, lines: Lines, clock: Callable[[], float], title: str, total: float | None, unit: str
    ) -> None:
        self._lines, self._clock = lines, clock
        self._title, self._total, self._unit = title, total, unit
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
        of = f" of {self._total:.0f}" if self._total else ""
        left = ""
        if self._total and done > self._before:
            rest = (self._total - done) * (now - self._began) / (done - self._before)
            left = f", about {rest:.0f} s left"
        words = f"  {note}" if note else ""
        self._lines.say(f"{self._title}: {done:.0f}{of} {self._unit}{left}{words}")
