"""The machine under a load: which core is whose, and what a server takes of it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_REST_SECONDS = 1.0
"""Between a server's first answer, or the last one, and when all of its processes have come to rest."""
_LOOK_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Cores:
    """Whose the cores are.

    Attributes:
        server: those on which the server runs.
        tool: the one on which the load is made.
    """

    server: frozenset[int]
    tool: frozenset[int]

    def __str__(self) -> str:
        if self.server & self.tool:
            return "server and load on the same cores"
        listed = ", ".join(map(str, sorted(self.server)))
        return f"server on core {listed}, load on core {min(self.tool)}"


def apart() -> Cores:
    """Return the last core for the tool and the others for the server; all for both if there is one."""
    there = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(there[:-1] or there), frozenset(there[-1:]))


def shared() -> Cores:
    """Return all cores for both."""
    there = frozenset(os.sched_getaffinity(0))
    return Cores(there, there)


@contextlib.contextmanager
def kept_to(cores: frozenset[int]) -> Iterator[None]:
    """Keep this process to some cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def children(process: int) -> list[int]:
    """Return the processes that a process has begun and that are still there."""
    found = []
    with contextlib.suppress(OSError):
        for task in (_PROC / str(process) / "task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(each) for each in (task / "children").read_text().split()]
    return found


def family(process: int) -> list[int]:
    """Return a process and all that it and its children have begun."""
    return [process, *(each for child in children(process) for each in family(child))]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a server and its processes hold, in bytes.

    Attributes:
        share: what they take from the machine: pages that several map are divided among them (PSS).
        resident: the sum of what each maps (RSS), pages that several map counted each time.
    """

    share: int
    resident: int

    def __str__(self) -> str:
        return f"{self.share / 1e6:.1f} MB (RSS {self.resident / 1e6:.1f} MB)"


def memory(process: int) -> Memory:
    """Return what a process and its children hold."""
    share = resident = 0
    for each in family(process):
        with contextlib.suppress(OSError):
            for line in (_PROC / str(each) / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    share += int(line.split()[1]) * 1024
                elif line.startswith("Rss:"):
                    resident += int(line.split()[1]) * 1024
    return Memory(share, resident)


def at_rest(process: int) -> Memory:
    """Return what a server that has just answered holds once it has come to rest."""
    time.sleep(_REST_SECONDS)
    return memory(process)


@contextlib.contextmanager
def watched(process: int) -> Iterator[list[int]]:
    """Look at what a server holds (PSS, bytes), until the block ends; yield what was found."""
    found, over = [memory(process).share], threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            found.append(memory(process).share)

    with ThreadPoolExecutor(1) as beside:
        looking = beside.submit(look)
        try:
            yield found
        finally:
            over.set()
    looking.result()


def sharing(process: int) -> list[int]:
    """Return the others that have mapped what computes: a server has a smaller share beside them."""
    ours, found = family(process), []
    for maps in _PROC.glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):
            if int(maps.parent.name) not in ours and b"/onnxruntime" in maps.read_bytes():
                found.append(int(maps.parent.name))
    return found
