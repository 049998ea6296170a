"""The processes of a server: forked from one that does nothing else, watched, and replaced.

They are forked before anything is loaded that has threads; what has been loaded by then, the model's
bytes for one, is in memory once.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any

from marfa import errors
from marfa.errors import MarfaError

_SILENT_SECONDS = 30.0
_PAUSES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds before a process is begun again, by how often it has failed in a row before it was ready."""


class Line:
    """What a process tells the one that watches it.

    Args:
        line: to that one.
        place: which of the processes this is, from 0.
    """

    def __init__(self, line: Connection, place: int) -> None:
        self._line, self.place = line, place
        self._watcher = os.getppid()

    def ready(self, **told: str) -> None:
        """Tell that this process does its work, and something about it."""
        self._line.send_bytes(json.dumps(told).encode())

    @property
    def is_watched(self) -> bool:
        """Whether anybody still watches this process."""
        return os.getppid() == self._watcher

    def beat(self) -> None:
        """Tell that this process does not hang."""
        self._line.send_bytes(b"")

    def fail(self, error: MarfaError) -> None:
        """Tell why this process cannot do its work."""
        told = {"what": error.what, "where": error.where, "hint": error.hint}
        self._line.send_bytes(json.dumps({"failed": type(error).__name__, **told}).encode())


Work = Callable[[Line], None]
"""What a process does until SIGTERM tells it to end, or nobody watches it any more."""


@dataclass(eq=False)
class _Place:
    """One of the processes, and who comes after it.

    Attributes:
        number: from 0.
        process: who is there; None between two.
        line: what it tells.
        told: what it told when it was ready.
        heard: when it last told anything; by `time.monotonic`.
        due: when somebody is to be put there; by `time.monotonic`.
        failures: how many in a row have failed before they were ready.
        error: why the last of them has.
    """

    number: int
    process: ForkProcess | None = None
    line: Connection | None = None
    told: dict[str, str] | None = None
    heard: float = 0.0
    due: float = 0.0
    failures: int = 0
    error: MarfaError | None = None


class Crew:
    """Several processes that do the same work.

    Args:
        work: what each does.
        count: how many there are.
        note: told of what went wrong and has been seen to.
        silent_seconds: a process whose loop has not gone round for so long hangs, and is ended.
    """

    def __init__(
        self,
        work: Work,
        count: int,
        note: Callable[[str], None],
        silent_seconds: float = _SILENT_SECONDS,
    ) -> None:
        self._work, self._note, self._silent_seconds = work, note, silent_seconds
        self._places = [_Place(number) for number in range(count)]
        self._context = multiprocessing.get_context("fork")

    def start(self) -> dict[str, str]:
        """Begin all processes, and wait for one that is ready.

        Returns:
            What it told.

        Raises:
            MarfaError: if one fails before.
        """
        while True:
            self.watch(0.1)
            for place in self._places:
                if place.error:
                    raise place.error
                if place.told is not None:
                    return place.told

    def watch(self, seconds: float) -> None:
        """See to it that somebody is in each place.

        Args:
            seconds: how long to wait for something to happen.

        Raises:
            MarfaError: if nobody can be brought to the work.
        """
        now = time.monotonic()
        for place in self._places:
            if not place.process and now >= place.due:
                self._fill(place)
        told = wait([place.line for place in self._places if place.line], seconds)
        for place in self._places:
            if place.line in told:
                self._hear(place)
        for place in self._places:
            if place.process and time.monotonic() - place.heard > self._silent_seconds:
                self._note("a process hung, and was ended")
                place.process.kill()
        if all(place.failures >= len(_PAUSES) for place in self._places):
            raise self._places[0].error or MarfaError("no process could begin to serve")

    def stop(self, seconds: float) -> None:
        """Let all processes end their work; kill those that have not after so many seconds."""
        there = [place.process for place in self._places if place.process]
        gc.unfreeze()
        end = time.monotonic() + seconds
        while any(process.is_alive() for process in there) and time.monotonic() < end:
            for process in there:
                process.terminate()  # again, for one that has just begun and does not listen yet
            wait([process.sentinel for process in there if process.is_alive()], 0.2)
        for process in there:
            if process.is_alive():
                process.kill()
            process.join()

    def _fill(self, place: _Place) -> None:
        gc.freeze()  # what the collector does not touch stays in memory once
        place.line, theirs = self._context.Pipe()
        place.process = self._context.Process(target=_be, args=(self._work, theirs, place.number))
        place.process.start()
        theirs.close()
        place.told, place.error, place.heard = None, None, time.monotonic()

    def _hear(self, place: _Place) -> None:
        assert place.line
        try:
            said = place.line.recv_bytes()
        except (EOFError, OSError):
            self._empty(place)
            return
        place.heard = time.monotonic()
        if not said:
            return
        told = json.loads(said)
        if "failed" in told:
            place.error = _error(told)
        else:
            place.told, place.failures = told, 0

    def _empty(self, place: _Place) -> None:
        """Take leave of a process that has ended by itself."""
        assert place.process
        assert place.line
        place.process.join()
        place.line.close()
        if place.told is None:
            place.failures += 1
            place.error = place.error or MarfaError("a process ended before it could serve")
        code = place.process.exitcode
        self._note(f"a process ended by itself ({code}); another takes its place")
        place.process = place.line = place.told = None
        place.due = time.monotonic() + _PAUSES[min(place.failures, len(_PAUSES) - 1)]


def _be(work: Work, line: Connection, number: int) -> None:
    """Be one of the processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; who watches tells the others
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until there is something to be finished
    mine = Line(line, number)
    try:
        work(mine)
    except MarfaError as error:
        mine.fail(error)


def _error(told: dict[str, Any]) -> MarfaError:
    kind: type[MarfaError] = getattr(errors, told["failed"], MarfaError)
    return kind(told["what"], where=told["where"], hint=told["hint"])
