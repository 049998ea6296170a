"""Keeping nothing in memory that is over and done with: code that only loading needs, and what is free.

ONNX Runtime makes tables of all that it could do when it is imported, and the process that has loaded
the model is not the one that uses it: a fifth of what a server has resident would be over and done with.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import re
from pathlib import Path

_SMAPS = Path("/proc/self/smaps")
_EACH = re.compile(rb"^(?=[0-9a-f]+-[0-9a-f]+ )", re.MULTILINE)
_OF_A_FILE = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ [1-9]\d* +/")
_TOLD = re.compile(rb"^(Rss|Anonymous|Swap): +(\d+) kB$", re.MULTILINE)
_M_ARENA_MAX = -8
"""Of glibc's malloc.h: how many heaps there may be."""


def drop_libraries() -> None:
    """Let go of the pages of files that are mapped to be read, libraries for the most part.

    A page that is needed again is there again, from the system's cache or the file itself (madvise(2),
    MADV_DONTNEED). No other thread may load a library or let one go meanwhile. Where the system does not
    tell what is mapped, nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        mapped = _SMAPS.read_bytes()
        advise = ctypes.CDLL(None).madvise
        advise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        for begin, end in unwritten(mapped):
            advise(begin, end - begin, mmap.MADV_DONTNEED)


def share_heap() -> None:
    """Let threads have no heaps of their own, where none has had one before (mallopt(3), M_ARENA_MAX).

    `trim` gives back what is free at the end of one heap only. This process keeps to it from now on, and
    those that it forks.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def trim() -> None:
    """Give back to the system what is free and has been used, as by the largest turns (malloc_trim(3)).

    Other C libraries than GNU's keep it.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def unwritten(smaps: bytes) -> list[tuple[int, int]]:
    r"""Return where a process has only mapped what stands in files, and can but read it.

    What was written before it was made readable only, as a loader does with the tables of a library,
    would be lost: it is told as anonymous, or as swapped out. Who tells nothing of what is in memory
    tells nothing of that either.

    Args:
        smaps: what the system tells of each mapping, as proc_pid_smaps(5) describes it.

    Returns:
        From where, and up to where, by address.

    >>> told = b"a000-c000 r-xp 0 fe:00 7 /lib/x.so\nRss: 8 kB\nAnonymous: 0 kB\nSwap: 0 kB\n"
    >>> unwritten(told), unwritten(told.replace(b"Swap: 0", b"Swap: 4"))
    ([(40960, 49152)], [])
    """
    found = []
    for each in _EACH.split(smaps):
        place, told = _OF_A_FILE.match(each), dict(_TOLD.findall(each))
        is_there = told.get(b"Rss", b"0") != b"0"
        if place and is_there and told.get(b"Anonymous") == told.get(b"Swap") == b"0":
            found.append((int(place[1], 16), int(place[2], 16)))
    return found
