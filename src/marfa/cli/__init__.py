"""The command line: parse, call one stage, print. Nothing else happens here."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: without the program's name; the process's own if not given.

    Returns:
        The exit code.
    """
    from marfa.cli.running import run_tokens

    signal.signal(signal.SIGTERM, _terminate)
    code = run_tokens(list(sys.argv[1:] if arguments is None else arguments))
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone, as `| head` does; Python would flush once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
