"""Processes that judge portions side by side; what they judge comes back in order.

They are programs of their own and not forks: a caller may have threads, and ONNX Runtime loaded.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from marfa.errors import MarfaError
from marfa.stages.score import portions, worker
from marfa.stages.score.portions import Portion

_ATTEMPTS = 3
_AHEAD = 2
"""Portions that are read for each process before it asks for them."""

Judged = tuple[bytes, Counter[str]]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crew:
    """Processes that judge.

    Args:
        model: a model.tar.gz or a bundle folder.
        engine: "auto", "numpy", "onnx" or "int8".
        suffix: of the output.
        identity: the judge's that each of them must be.
        count: how many.
    """

    def __init__(self, model: Path, engine: str, suffix: str, identity: str, count: int) -> None:
        self._command = [sys.executable, "-P", "-m", worker.__name__, str(model), engine, suffix]
        self._identity, self._count = identity, count
        self._free: queue.SimpleQueue[_Process | None] = queue.SimpleQueue()
        self._all: set[_Process] = set()
        self._starting = threading.Lock()
        self._ended = False
        self._threads = ThreadPoolExecutor(count, "marfa-score")

    def __enter__(self) -> Self:
        for _ in range(self._count):
            self._free.put(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._starting:  # from here on nobody starts another
            self._ended = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in list(self._all):  # a thread that waits for one then wakes up
            process.kill()
        self._threads.shutdown(wait=True)
        for process in list(self._all):
            process.close()

    def judge(self, wanted: Iterable[Portion]) -> Iterator[tuple[Portion, Judged]]:
        """Judge portions; no more than two a process and the ones in hand are in memory."""
        waiting: deque[tuple[Portion, Future[Judged]]] = deque()
        for portion in wanted:
            waiting.append((portion, self._threads.submit(self._judge, portion)))
            if len(waiting) > self._count * (1 + _AHEAD):
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()

    def _judge(self, portion: Portion) -> Judged:
        found = ""
        for _ in range(_ATTEMPTS):
            process = self._free.get()
            kept: _Process | None = None
            try:
                if process is None:
                    process = self._start()
                judged = process.judge(portion, self._identity)
            except (EOFError, OSError):
                found = self._gone(process)
                if self._ended:
                    break
            else:
                kept = process
                return judged
            finally:
                self._free.put(kept)  # if there is none, the next one to take it starts another
        message = f"the process that judges was ended {_ATTEMPTS} times, at last {found}"
        where = f"rows {portion.first + 1:,} to {portion.end:,}"
        hint = "perhaps memory is short: --workers 1; the same command goes on where this one was"
        raise MarfaError(message, where=where, hint=hint)

    def _start(self) -> _Process:
        with self._starting:
            if self._ended:
                raise EOFError
            process = _Process(self._command)
            self._all.add(process)
        return process

    def _gone(self, process: _Process | None) -> str:
        if process is None:
            return "before it began"
        self._all.discard(process)
        code = process.close()
        return f"by signal {-code}" if code < 0 else f"with code {code}"


class _Process:
    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._identity = ""

    def judge(self, portion: Portion, identity: str) -> Judged:
        assert self._process.stdin
        assert self._process.stdout
        if not self._identity:
            (said,) = portions.receive(self._process.stdout, 1)
            self._identity = said.decode()
        if self._identity != identity:
            message = "the model was changed while it was being used"
            raise MarfaError(message, hint="run the same command again")
        portions.send(self._process.stdin, portion.lengths.tobytes(), portion.joined)
        judged, counts = portions.receive(self._process.stdout, 2)
        return judged, worker.counted(counts)

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> int:
        self._process.kill()
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(OSError):  # something was still to be sent
            self._process.stdin.close()
        self._process.stdout.close()
        return self._process.wait()
