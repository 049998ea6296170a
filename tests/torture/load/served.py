"""A server as a person starts it: a process of `marfa serve`, or of anything else that takes a port."""

from __future__ import annotations

import contextlib
import functools
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from typing import Any, Self

from tests.torture.load.machine import Cores, family, shared

_START_SECONDS = 60.0


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def marfa(model: object, *flags: str) -> list[str]:
    """Return the command that serves a model; `{port}` stands for the port."""
    return [sys.executable, "-m", "marfa", "serve", str(model), "--port", "{port}", *flags]


class Served:
    """A server from `with` to the end of its block.

    Args:
        command: starts it; `{port}` is replaced.
        cores: where it runs.
        ping: address that answers 200 when it can be asked.
        env: variables besides those of this process.

    Attributes:
        url: where it answers.
        env: variables besides those of this process.
        began: when it was started, by `time.perf_counter`.
        process: what was started.
        started: seconds until the first 200 to a ping.
        code: its exit code, once it has been stopped.
        left: how many of its processes had not ended by then, and were killed.
    """

    def __init__(
        self,
        command: Sequence[str],
        cores: Cores | None = None,
        ping: str = "/ping",
        env: dict[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [part.replace("{port}", str(self.port)) for part in command]
        self._cores, self._ping, self.env = cores or shared(), ping, env or {}
        self._said = ""
        self.started = 0.0
        self.code: int | None = None
        self.left = 0

    def __enter__(self) -> Self:
        self.begin()
        end = time.monotonic() + _START_SECONDS
        while self.status(self._ping) != 200:
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                message = f"the server did not start: {self.told()[-500:]}"
                raise RuntimeError(message)
            time.sleep(0.005)
        self.started = time.perf_counter() - self.began
        return self

    def __exit__(self, *error: object) -> None:
        if self.code is None:
            self.end()
        self._said = self.told()
        self._log.close()

    def end(self, seconds: float = 20.0) -> None:
        """Ask it to stop; what is there after it has ended, or after so many seconds, is killed."""
        begun = family(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self.left = _end({*begun, *family(self.process.pid)})
        self.code = self.process.wait()

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        self._log: Any = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the server
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            self._command,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, **self.env},
            preexec_fn=functools.partial(os.sched_setaffinity, 0, self._cores.server),
        )

    def told(self) -> str:
        """Return what it has written."""
        if self._log.closed:
            return self._said
        self._log.seek(0)
        return str(self._log.read().decode("utf-8", "replace"))

    def status(self, path: str, seconds: float = 2.0) -> int:
        """Return the status of an address; 0 where nothing answers."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            line.request("GET", path)
            return line.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            line.close()


def _end(processes: Collection[int]) -> int:
    """Kill processes, and return how many were there."""
    ended = 0
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
            ended += 1
    return ended
