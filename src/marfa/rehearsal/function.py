"""A Lambda function on this machine: its zip in processes of their own, an event at a time in each."""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from marfa.errors import CloudError, MissingExtraError

LAYER = ("numpy", "snowballstemmer")
"""Packages of this installation that stand for a function's layer."""

RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")
"""Packages of this installation that stand for what Lambda's runtime has beside Python."""

COPIES = 2
"""Copies of a function at once; Lambda makes as many as are reserved, and this machine is smaller."""

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_INIT_SECONDS = 60.0
"""Lambda allows 10; a busy laptop is given more."""


class FunctionError(CloudError):
    """The function failed, or did not answer in time."""


class FunctionBusyError(FunctionError):
    """All copies of the function are at work."""


@dataclass
class _Copy:
    process: subprocess.Popen[bytes]
    lines: queue.SimpleQueue[bytes] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(b"")

    def next(self, seconds: float) -> dict[str, Any]:
        """Return the next line; an empty document where the process has ended, or says nothing."""
        try:
            line = self.lines.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return {}
        found: dict[str, Any] = json.loads(line) if line else {}
        return found

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(OSError):  # what was not read goes with it
            self.process.stdin.close()
        self.process.stdout.close()


class Function:
    """A function, as a template describes it.

    Args:
        code: its zip.
        properties: the template's, such as Handler, Timeout and Environment.
        environ: further variables, such as the region.
        folder: where it may unpack and write its log.

    Attributes:
        log: what the function has written.
        cold: how long each copy took to start, in seconds.
    """

    def __init__(
        self, code: bytes, properties: Mapping[str, Any], environ: Mapping[str, str], folder: Path
    ) -> None:
        self._folder, self._properties = folder, properties
        self._root = folder / "task"
        with zipfile.ZipFile(io.BytesIO(code)) as packed:
            packed.extractall(self._root)
        self.log = folder / "log.txt"
        self.cold: list[float] = []
        variables = (properties.get("Environment") or {}).get("Variables") or {}
        self._environ = {
            **_lambda_of(properties),
            **environ,
            **{str(name): str(value) for name, value in variables.items()},
            "LAMBDA_TASK_ROOT": str(self._root),
        }
        self.seconds = float(properties.get("Timeout", 3))
        self._idle: list[_Copy] = []
        self._all: list[_Copy] = []
        self._lock, self._free = threading.Lock(), threading.Semaphore(COPIES)
        self._closed = False

    def invoke(self, event: Any, seconds: float) -> Any:
        """Hand over one event, and wait for the answer.

        Args:
            event: a JSON document.
            seconds: how long the caller waits.

        Raises:
            FunctionBusyError: if all copies are at work as long as the caller waits.
            FunctionError: if it fails, or takes longer than it may.
        """
        ends = time.monotonic() + seconds
        if not self._free.acquire(timeout=seconds):
            message = "all copies of the function are at work"
            raise FunctionBusyError(message)
        try:
            copy = self._take()
            found = self._ask(copy, event, ends)
            with self._lock:
                self._idle.append(copy)
        finally:
            self._free.release()
        if "answer" not in found:
            message = f"the function failed ({found.get('error', 'without a word')})"
            raise FunctionError(message)
        return found["answer"]

    def _ask(self, copy: _Copy, event: Any, ends: float) -> dict[str, Any]:
        allowed = min(self.seconds, ends - time.monotonic())
        line = json.dumps({"event": event, "seconds": allowed}).encode() + b"\n"
        found: dict[str, Any] = {}
        try:
            assert copy.process.stdin is not None
            copy.process.stdin.write(line)
            copy.process.stdin.flush()
            found = copy.next(allowed)
        except OSError:
            pass  # it has died since the last event
        if not found:
            self._drop(copy)
            message = f"the function gave no answer within {allowed:g} s"
            raise FunctionError(message)
        return found

    def _take(self) -> _Copy:
        """Return a copy that waits, or start one: that is the cold start."""
        with self._lock:
            if self._closed:
                message = "the function is gone"
                raise FunctionError(message)
            while self._idle:
                copy = self._idle.pop()
                if copy.process.poll() is None:
                    return copy
        began = time.monotonic()
        copy = self._start()
        found = copy.next(_INIT_SECONDS)
        if "ready" not in found:
            self._drop(copy)
            message = f"the function does not start ({found.get('failed', 'without a word')})"
            raise FunctionError(message, where=str(self.log))
        self.cold.append(time.monotonic() - began)
        return copy

    def _start(self) -> _Copy:
        names = [*LAYER, *RUNTIME]
        command = [
            *(sys.executable, "-I", "-S", "-B", "-u", str(_BOOTSTRAP)),
            *(str(self._properties["Handler"]), str(self._root), ",".join(names)),
            os.pathsep.join(homes(names)),
        ]
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self._root,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for whoever started it, and is passed on in order
            )
        copy = _Copy(process)
        with self._lock:
            self._all.append(copy)
        return copy

    def _drop(self, copy: _Copy) -> None:
        with self._lock:
            if copy in self._all:
                self._all.remove(copy)
        copy.end()

    @property
    def alive(self) -> bool:
        """Whether a copy of it is there."""
        with self._lock:
            return any(copy.process.poll() is None for copy in self._all)

    def close(self) -> None:
        """End all copies, and delete what was unpacked."""
        with self._lock:
            self._closed = True
            ending, self._all, self._idle = self._all, [], []
        for copy in ending:
            copy.end()
        shutil.rmtree(self._root, ignore_errors=True)


def homes(packages: Sequence[str]) -> list[str]:
    """Return the folders of this installation that hold some packages, as far as it has them."""
    found = (find_spec(name) for name in packages)
    places = [str(Path(spec.origin).parent) for spec in found if spec and spec.origin]
    roots = [
        str(Path(each).parent) if Path(each, "__init__.py").is_file() else each for each in places
    ]
    return list(dict.fromkeys(roots))


def need_boto3() -> None:
    """Make sure that what stands for Lambda's runtime is installed.

    Raises:
        MissingExtraError: if it is not.
    """
    if find_spec("boto3") is None:
        message = "boto3 is needed to rehearse the cloud, and is not installed"
        raise MissingExtraError(message, hint="pip install 'marfa[aws]'")


def _lambda_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return what Lambda tells every function of itself."""
    return {
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
        "_HANDLER": str(properties.get("Handler", "")),
        "AWS_LAMBDA_FUNCTION_NAME": str(properties.get("FunctionName", "")),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(properties.get("MemorySize", 128)),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    }
