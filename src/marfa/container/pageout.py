"""Giving back to the system what was read of libraries when they were loaded, and never since.

ONNX Runtime makes tables of all that it could do when it is imported, and the process that has loaded
the model is not the one that uses it: a sixth of what a server has in memory would be code that is
over and done with.
"""

from __future__ import annotations

import ctypes
import re
import sys
from pathlib import Path

_MAPS = Path("/proc/self/maps")
_OF_A_FILE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ [1-9]\d* +/", re.MULTILINE)
"""Where pages lie that are a file's and cannot be written: from, and up to."""
_PAGEOUT = 21
"""MADV_PAGEOUT of Linux's mman-common.h, which Python has no name for."""


def libraries() -> None:
    """Give back what only this process has in memory of files that it has mapped to read.

    Nothing is lost: what is needed again is read again from its file. Pages that another process has
    mapped too stay where they are (madvise(2), MADV_PAGEOUT; Linux 5.4). Where the system cannot do it,
    nothing happens.
    """
    if sys.platform != "linux":
        return
    try:
        maps = _MAPS.read_text("utf-8", "surrogateescape")
    except OSError:  # where /proc is not there
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    for begin, end in _OF_A_FILE.findall(maps):
        start = int(begin, 16)
        advise(start, int(end, 16) - start, _PAGEOUT)
