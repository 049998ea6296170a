"""An endpoint's container on this machine: `marfa serve` as SageMaker starts it, in an /opt/ml."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from marfa import bundle as bundles
from marfa import files
from marfa.errors import CloudError, MissingExtraError
from marfa.rehearsal.loopback import HOST

STOP_SECONDS = 30.0
"""Between SageMaker's SIGTERM and its SIGKILL."""

_PING_SECONDS = 2.0
_PAUSE_SECONDS = 0.05

_START = """
import os, signal, sys, threading
from pathlib import Path

def stay():
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)  # whoever started this container is gone
    threading.Event().wait(15)
    os._exit(1)

threading.Thread(target=stay, daemon=True).start()
from marfa.cli import sagemaker
sys.exit(sagemaker.main(["serve"], Path(sys.argv[1])))
"""
"""The first process of the container: what an image's entry point is, with another root than /opt/ml."""


class StuckError(CloudError):
    """A container never said that it is ready."""

    title = "Never ready"


class Container:
    """A container of a model.

    Args:
        archive: the model.tar.gz.
        environ: variables that the model's description gives it.
        folder: where it has its /opt/ml and its log.
        port: where it is to answer; a free one if 0.
        listens: where it answers instead, as one that was built wrongly does; 0 for where it is to.

    Attributes:
        url: where it is expected to answer.
        log: what it has written.
        started: how long it took until it was ready, in seconds.
    """

    def __init__(
        self,
        archive: Path,
        environ: Mapping[str, str],
        folder: Path,
        *,
        port: int = 0,
        listens: int = 0,
    ) -> None:
        self._root = folder / "opt" / "ml"
        self._unpack(archive)
        port = port or free_port()
        self.url, self.log = f"http://{HOST}:{port}", folder / "container.txt"
        self.started = 0.0
        variables = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "PYTHONPATH": str(Path(__file__).parents[2]),  # where this marfa is
            "SAGEMAKER_BIND_TO_PORT": str(listens or port),
            **environ,
        }
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, str(self._root)],
                cwd=folder,
                env=variables,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for whoever started it, and is passed on in order
            )

    def _unpack(self, archive: Path) -> None:
        """Lay a model's files out as SageMaker does before it starts a container."""
        for name, content in bundles.load(archive).members.items():
            files.write_bytes(self._root / "model" / name, content)

    def wait(self, seconds: float, look: Callable[[float], None] = lambda waited: None) -> None:
        """Wait until it says that it is ready, as SageMaker does.

        Args:
            seconds: how long at most.
            look: told how long it has been; may raise to give up.

        Raises:
            StuckError: if it ends, or does not say so in time; it is stopped by then.
        """
        began = time.monotonic()
        try:
            while not self._is_ready():
                waited = time.monotonic() - began
                look(waited)
                self._check(waited > seconds)
                time.sleep(_PAUSE_SECONDS)
        except BaseException:
            self.close(at_once=True)
            raise
        self.started = time.monotonic() - began

    def _check(self, too_late: bool) -> None:
        """Raise AWS's words where there is nothing to wait for any more."""
        if self.alive and not too_late:
            return
        message = (
            "The primary container for production variant live did not pass the ping health check. "
            "Please check CloudWatch logs for this endpoint."
        )
        if not self.alive:
            message = f"{message} It ended by itself: {self.last_words()}"
        raise StuckError(message, where=str(self.log))

    def _is_ready(self) -> bool:
        line = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=_PING_SECONDS)
        try:
            line.request("GET", "/ping")
            return line.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()

    def last_words(self) -> str:
        """Return the last line of its log, without a text of anybody's: it logs none."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "it said nothing"

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self._process.poll() is None

    def close(self, *, at_once: bool = False) -> None:
        """Stop it: SIGTERM, and after a while SIGKILL; its files go too.

        Args:
            at_once: do not wait for what is under way.
        """
        if self.alive:
            if at_once:
                self._process.kill()
            else:
                self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        shutil.rmtree(self._root, ignore_errors=True)


def free_port() -> int:
    """Return a port at which nobody listens now."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def need_server() -> None:
    """Make sure that what a container runs is installed.

    Raises:
        MissingExtraError: if it is not.
    """
    missing = [
        name for name in ("starlette", "uvicorn", "prometheus_client") if not find_spec(name)
    ]
    if missing:
        message = f"{missing[0]} is needed for an endpoint's container, and is not installed"
        raise MissingExtraError(message, hint="pip install 'marfa[serve]'")
