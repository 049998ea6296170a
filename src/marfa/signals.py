"""Being asked to stop: SIGTERM and Ctrl-C set a flag, and the work stops where its state is whole."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from marfa.errors import StoppedError


class Stop:
    """Whether somebody has asked this process to stop.

    Attributes:
        signal_number: the signal received, 0 as long as none was.
    """

    def __init__(self) -> None:
        self.signal_number = 0

    def error(self, what: str, hint: str) -> StoppedError:
        """Return the error that ends the work, with the exit code that shells expect."""
        number = self.signal_number or signal.SIGTERM  # another process of the same run was told
        return StoppedError(what, signal_number=number, hint=hint)


@contextlib.contextmanager
def caught() -> Iterator[Stop]:
    """Catch the first SIGTERM or SIGINT in a flag; a second one acts at once, as it always did.

    Outside the main thread Python cannot catch signals, and the flag stays unset.

    Yields:
        The flag.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def remember(number: int, frame: FrameType | None) -> None:
        stop.signal_number = number
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, remember)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
