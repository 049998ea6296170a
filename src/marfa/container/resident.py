"""Keeping no code in a process's memory that was needed to load a model, and never since.

ONNX Runtime makes tables of all that it could do when it is imported, and the process that has loaded
the model is not the one that uses it: a sixth of what a server has resident would be over and done with.
"""

from __future__ import annotations

import ctypes
import mmap
import re
import sys
from pathlib import Path

_SMAPS = Path("/proc/self/smaps")
_UNWRITTEN = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ [1-9]\d* +/.*\n"
    r"(?:(?!Anonymous:)\w+:.*\n)+Anonymous: +0 kB$",
    re.MULTILINE,
)
"""Where a file is mapped to be read, from and up to, and nothing differs from the file.

What the loader of libraries has written into one before it was made readable only would be lost: it
is told as anonymous.
"""


def drop_libraries() -> None:
    """Let go of all pages of files that are mapped to be read, libraries for the most part.

    A page that is needed again is there again, from the system's cache or the file itself (madvise(2),
    MADV_DONTNEED). No other thread may load a library meanwhile. Where the system does not tell what is
    mapped, nothing happens.
    """
    if sys.platform != "linux":
        return
    try:
        mapped = _SMAPS.read_text("utf-8", "surrogateescape")
    except OSError:  # where there is no /proc
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    for begin, end in _UNWRITTEN.findall(mapped):
        start = int(begin, 16)
        advise(start, int(end, 16) - start, mmap.MADV_DONTNEED)
