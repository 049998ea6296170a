"""Talking to a person on stderr: colours and bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
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

from marfa.console import Bar, LineBar


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
            yield LineBar(self.say, title, total, unit)
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
