"""Programs that tests start and end: in a group of their own, so that their children end with them."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
PEERS = HERE.parents[1] / ".venv-peers"
"""A virtual environment for each stack; `make peers` fills them."""


def python(stack):
    """The Python of a stack."""
    return PEERS / stack / "bin" / "python"


def missing(stack):
    """Why a stack cannot be used, in a few words; empty if it can."""
    if not (PEERS / stack / "installed").exists():
        return f"the stack {stack} is not installed: make .venv-peers/{stack}/installed"
    return ""


def environ(folder, **more):
    """An environment without this user's home, settings and AWS account."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME", "LANG") if name in os.environ}
    # which kernels OpenBLAS takes decides the last bit of a number
    kept |= {name: each for name, each in os.environ.items() if name.startswith("OPENBLAS_")}
    return {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(home),  # where the model servers note that one is running
        "OMP_NUM_THREADS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **more,
    }


def free_port():
    """A port of the loopback that nobody listens at, below those that multi-model-server refuses."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError


class Program:
    """A program at work from `with` to the end of its block; what it says goes into `folder`/log.

    Attributes:
        seconds: how long it took until it answered, once `wait_for` has returned.
    """

    def __init__(self, command, folder, env):
        self._command, self._folder, self._env = [str(word) for word in command], folder, env
        self.seconds = 0.0

    def __enter__(self):
        self._began = time.monotonic()
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def __exit__(self, *error):
        for number, seconds in ((signal.SIGTERM, 8), (signal.SIGKILL, 8)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            if self._is_gone(seconds):
                return

    def _is_gone(self, seconds):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            try:
                os.killpg(self._process.pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.05)
        return False

    @property
    def log(self):
        """What it has said so far."""
        return (self._folder / "log").read_text(errors="replace")

    def wait(self, seconds):
        """Wait until it ends by itself; return its exit code.

        Raises:
            AssertionError: with the end of its log, if it does not.
        """
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            message = f"it did not end within {seconds} s:\n{self.log[-4000:]}"
            raise AssertionError(message) from None

    def stop(self):
        """Ask it, and nobody else, to stop."""
        self._process.send_signal(signal.SIGTERM)

    def wait_for(self, url, seconds=60):
        """Wait until an address answers 200.

        Raises:
            AssertionError: with the end of its log, if the program ends before, or time does.
        """
        while time.monotonic() - self._began < seconds and self._process.poll() is None:
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    if answer.status == 200:
                        self.seconds = time.monotonic() - self._began
                        return
            except OSError:  # urllib's errors too
                time.sleep(0.1)
        message = f"{url} did not answer within {seconds} s:\n{self.log[-4000:]}"
        raise AssertionError(message)
