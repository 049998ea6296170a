"""Talking to a person on stderr: colours and bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from marfa.console import Bar

_EVERY_SECONDS = 15.0
"""Between two lines about the same work, where there is no terminal to redraw."""


class Terminal:
    """A `Talk` on a rich console.

    Args:
        console: a console on stderr.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, message: str) -> None:
        """Tell one line of news."""
        self._console.print(Text(message), soft_wrap=True)

    def warn(self, message: str) -> None:
        """Tell one line that should not be missed."""
        self._console.print(Text(f"! {message}", style="yellow"), soft_wrap=True)

    @contextlib.contextmanager
    def bar(self, title: str, total: float | None, unit: str = "") -> Iterator[Bar]:
        """Show progress: a bar on a terminal, otherwise a line now and then."""
        if not self._console.is_terminal:
            yield _Lines(self._console, title, total, unit)
            return
        columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24)]
        if unit == "B":
            columns += [DownloadColumn(), TransferSpeedColumn()]
        else:
            columns += [TextColumn("{task.completed:.0f}{task.fields[of]} " + unit)]
        columns += [TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}")]
        with Progress(*columns, console=self._console, transient=True) as progress:
            of = f"/{total:.0f}" if total else ""
            yield _Drawn(progress, progress.add_task(title, total=total, note="", of=of), of)


class _Drawn:
    def __init__(self, progress: Progress, task: TaskID, of: str) -> None:
        self._progress, self._task, self._of, self._begun = progress, task, of, False

    def update(self, done: float, note: str = "", total: float | None = None) -> None:
        if total is not None:
            self._progress.update(self._task, total=total)
        if not self._begun:  # what an earlier run has done says nothing of this one's speed
            self._begun = True
            # rich forgets the fields that are not given again
            self._progress.reset(self._task, completed=int(done), note=note, of=self._of)
        self._progress.update(self._task, completed=done, note=note)


class _Lines:
    def __init__(self, console: Console, title: str, total: float | None, unit: str) -> None:
        self._console, self._title, self._total, self._unit = console, title, total, unit
        self._began = self._told = time.monotonic()
        self._before: float | None = None

    def update(self, done: float, note: str = "", total: float | None = None) -> None:
        self._total = total or self._total
        if self._before is None:  # what an earlier run has done says nothing of this one's speed
            self._before = done
        now = time.monotonic()
        if now - self._told < _EVERY_SECONDS:
            return
        self._told = now
        parts = [f"{self._title}: {self._amount(done)}"]
        if self._total and done > self._before:  # nothing done yet says nothing of the rest
            rate = (done - self._before) / (now - self._began)
            left = (self._total - done) / rate
            speed = f" at {rate / 1e3:.0f} kB/s" if self._unit == "B" else ""
            parts.append(f"of {self._amount(self._total)}{speed}, about {left:.0f} s left")
        line = Text(" ".join(parts) + (f"  {note}" if note else ""))
        self._console.print(line, soft_wrap=True)

    def _amount(self, value: float) -> str:
        return f"{value / 1e6:.1f} MB" if self._unit == "B" else f"{value:.0f} {self._unit}"
