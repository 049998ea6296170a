"""Run a command that ends with whoever started it, even if that is killed: python bound.py COMMAND...

Linux offers this to a process about itself, before it becomes the command. Elsewhere the command goes on
until it has finished.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1


def main() -> None:
    """Become the command."""
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL("libc.so.6").prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:  # it has died in between
            sys.exit(1)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - a command of ours, without a shell


if __name__ == "__main__":
    main()
