"""Talking where nobody looks at once: plain lines, which CloudWatch keeps and reads figures from."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from marfa.console import Bar, LineBar


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
        yield LineBar(self.say, title, total, unit, self._clock)
