"""Waking up when it is time, to some microseconds: a loop over epoll sleeps in whole milliseconds."""

from __future__ import annotations

import asyncio
import ctypes
import os
import time
from typing import Self

_MONOTONIC, _NONBLOCK, _ABSOLUTE = 1, 0o4000, 1


class _Moment(ctypes.Structure):
    _fields_ = (
        ("every_seconds", ctypes.c_long),
        ("every_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


class Alarm:
    """A timer of Linux that the running loop waits for (timerfd; in `os` from Python 3.13 on)."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._timer = self._libc.timerfd_create(_MONOTONIC, _NONBLOCK)
        if self._timer < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._loop = asyncio.get_running_loop()
        self._rung: asyncio.Future[None] | None = None

    def __enter__(self) -> Self:
        self._loop.add_reader(self._timer, self._ring)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.remove_reader(self._timer)
        os.close(self._timer)

    async def until(self, moment: float) -> None:
        """Wait for a moment by `time.perf_counter`, which is this timer's clock."""
        if moment <= time.perf_counter():
            await asyncio.sleep(0)
            return
        self._rung = self._loop.create_future()
        whole = int(moment)
        set_to = _Moment(0, 0, whole, int((moment - whole) * 1e9) or 1)
        self._libc.timerfd_settime(self._timer, _ABSOLUTE, ctypes.byref(set_to), None)
        await self._rung

    def _ring(self) -> None:
        os.read(self._timer, 8)
        if self._rung and not self._rung.done():
            self._rung.set_result(None)
