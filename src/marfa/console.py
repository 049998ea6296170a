"""How stages talk to a person: a few words and a progress bar, on stderr, or silence.

Results never pass through here; they are what a stage returns. A stage takes a `Talk` and is silent
without one, which is how the Python API uses it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol


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
