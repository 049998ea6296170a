"""The processes of a server: forked from one that does nothing else, watched, and replaced.

What has been loaded before they are forked, the model for one, is in memory once; it must have no
threads.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from marfa.errors import MarfaError

_READY = b"ready"
_SILENT_SECONDS = 30.0
_PAUSED_SECONDS = 2.0
"""Between two looks at the processes: more means that this one was stopped, and they maybe with it."""
_PAUSES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)


class Line:
    """What a process tells the one that watches it.

    Args:
        line: to that one.
        place: which of the processes this is, from 0.
    """

    def __init__(self, line: Connection, place: int) -> None:
        self._line, self.place = line, place
        self._watcher = os.getppid()

    def ready(self) -> None:
        """Tell that this process does its work."""
        self._line.send_bytes(_READY)

    @property
    def is_watched(self) -> bool:
        """Whether anybody still watches this process."""
        return os.getppid() == self._watcher

    def beat(self) -> None:
        """Tell that this process does not hang."""
        self._line.send_bytes(b"")


Work = Callable[[Line], None]
"""What a process does until SIGTERM tells it to end, or nobody watches it any more."""


@dataclass(eq=False)
class _Place:
    """One of the processes, and who comes after it.

    Attributes:
        number: from 0.
        process: who is there; None between two.
        line: what it tells.
        ready: it has told that it does its work.
        heard: when it last told anything; by `time.monotonic`.
        due: when somebody is to be put there; by `time.monotonic`.
        failures: how many in a row have ended before they were ready.
    """

    number: int
    process: ForkProcess | None = None
    line: Connection | None = None
    ready: bool = False
    heard: float = 0.0
    due: float = 0.0
    failures: int = 0


class Crew:
    """Several processes that do the same work.

    Args:
        work: what each does.
        count: how many there are.
        note: told of what went wrong and has been seen to.
        silent_seconds: a process whose loop has not gone round for so long hangs, and is ended.
        pauses: seconds before another takes the place of one that ended before it was ready, by how
            many in a row have.
    """

    def __init__(
        self,
        work: Work,
        count: int,
        note: Callable[[str], None],
        silent_seconds: float = _SILENT_SECONDS,
        pauses: Sequence[float] = _PAUSES,
    ) -> None:
        self._work, self._note = work, note
        self._silent_seconds, self._pauses = silent_seconds, pauses
        self._places = [_Place(number) for number in range(count)]
        self._looked = time.monotonic()
        self._context = multiprocessing.get_context("fork")

    def start(self) -> None:
        """Begin all processes, and wait for one that is ready.

        Raises:
            MarfaError: if none can be brought to the work.
        """
        while not any(place.ready for place in self._places):
            self.watch(0.1)

    def watch(self, seconds: float) -> None:
        """See to it that somebody is in each place.

        Args:
            seconds: how long to wait for something to happen.

        Raises:
            MarfaError: if nobody can be brought to the work.
        """
        now = time.monotonic()
        paused, self._looked = now - self._looked > seconds + _PAUSED_SECONDS, now
        for place in self._places:
            if paused:
                place.heard = now
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
                place.heard = time.monotonic()  # what is left is to hear of its end
        if all(place.failures >= len(self._pauses) for place in self._places):
            message = "no process could be brought to its work"
            raise MarfaError(message)

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
        gc.collect()
        gc.freeze()  # what the collector does not touch stays in memory once
        place.line, theirs = self._context.Pipe()
        about = self._work, theirs, place.number, self._note
        place.process = self._context.Process(target=_be, args=about)
        place.process.start()
        theirs.close()
        place.ready, place.heard = False, time.monotonic()

    def _hear(self, place: _Place) -> None:
        assert place.line
        try:
            said = place.line.recv_bytes()
        except (EOFError, OSError):
            self._empty(place)
            return
        place.heard = time.monotonic()
        if said == _READY:
            place.ready, place.failures = True, 0

    def _empty(self, place: _Place) -> None:
        """Take leave of a process that has ended by itself."""
        assert place.process
        assert place.line
        place.process.join()
        place.line.close()
        if not place.ready:
            place.failures += 1
        code = place.process.exitcode
        self._note(f"a process ended by itself ({code}); another takes its place")
        place.process.close()
        place.process, place.line, place.ready = None, None, False
        place.due = time.monotonic() + self._pauses[min(place.failures, len(self._pauses) - 1)]


def _be(work: Work, line: Connection, number: int, note: Callable[[str], None]) -> None:
    """Be one of the processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; who watches tells the others
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until there is something to be finished
    try:
        work(Line(line, number))
    except Exception as error:  # noqa: BLE001 - a traceback is for nobody here
        note(f"a process failed: {type(error).__name__}")
        sys.exit(1)
