"""A real server process, and what must hold of it whatever it is asked."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROBLEM = "application/problem+json"
MARK = "zqMARKERMARKERMAqz"
"""What stands in an input where a marker is put that no other input has, and that is as long."""
_URL = re.compile(r"http://127\.0\.0\.1:(\d+)/")
_START_SECONDS = 60
MOST_GROWN = 30 << 20
"""Bytes that a process may grow by, whatever it is asked."""


class Markers:
    """Numbers inputs, each by a string that no log and no error may repeat.

    Args:
        seed: whose markers these are.
    """

    def __init__(self, seed: int) -> None:
        self.prefix = f"zq{seed % 0xFFFFFF:06x}"
        self.count = 0

    def next(self) -> str:
        """Return a marker."""
        self.count += 1
        return f"{self.prefix}x{self.count:07d}qz"

    def into(self, data: bytes) -> tuple[bytes, str]:
        """Put one marker wherever MARK stands, whatever its encoding, or else behind the rest."""
        marker = self.next()
        for coding in ("utf-8", "utf-16-le", "utf-16-be"):
            data = data.replace(MARK.encode(coding), marker.encode(coding))
        return data, marker


def fault(
    status: int,
    content_type: str,
    body: bytes,
    prefix: str,
    *,
    head: bool = False,
    much: bool = False,
) -> str:
    """Say what is wrong with an answer, whatever was asked; nothing where all is well.

    Args:
        status: its own.
        content_type: its own.
        body: its own.
        prefix: of what was asked, which no error may repeat.
        head: there is no body.
        much: so much was asked at once that some of it may be refused; nothing else may with 503.
    """
    if status >= 500 and not (much and status == 503):
        return f"status {status}"
    if (
        status >= 400
    ):  # an answer that is good may well repeat a text, such as what a writer continues
        if b"Traceback" in body or b'File "' in body:
            return f"status {status} with a traceback"
        if prefix.encode() in body:
            return f"status {status} repeats its input"
        if not head:
            return _no_problem(status, content_type, body)
    elif content_type.startswith("application/jsonlines"):
        for line in body.splitlines():
            document = json.loads(line)
            if "error" in document and prefix in json.dumps(document["error"]):
                return "an error in a line repeats its input"
    return ""


def _no_problem(status: int, content_type: str, body: bytes) -> str:
    if content_type != PROBLEM:
        return f"status {status} without a problem document"
    try:
        document = json.loads(body)
    except ValueError:
        return f"status {status} with a problem document that is no JSON"
    fits = isinstance(document, dict) and document.get("status") == status
    return "" if fits else f"status {status} with the problem document of another"


@dataclass
class Tally:
    """What was tried, and what was not borne.

    Attributes:
        injected: inputs that were tried.
        broken: what each that was not borne did.
        told: what a tool said of it, for whoever looks into it.
    """

    injected: int = 0
    broken: list[str] = field(default_factory=list)
    told: str = ""

    def add(self, broken: str = "", count: int = 1) -> None:
        """Count an input, and what is wrong with what came of it."""
        self.injected += count
        if broken:
            self.broken.append(broken)

    @property
    def survived(self) -> int:
        """How many were borne."""
        return max(0, self.injected - len(self.broken))

    @property
    def note(self) -> str:
        """What was not borne, the commonest first."""
        common = Counter(self.broken).most_common(3)
        return "; ".join(what if count == 1 else f"{what} ({count})" for what, count in common)


@dataclass
class Served:
    """A server at work.

    Attributes:
        port: where it answers, on loopback.
        process: the command.
        folder: where its output goes.
    """

    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    def __post_init__(self) -> None:
        self._workers = self.workers()
        self._memory = self.memory()

    def workers(self) -> set[int]:
        """Return the processes that the command has started."""
        found, parents = set(), {self.process.pid}
        for each in Path("/proc").iterdir():
            if each.name.isdigit():
                try:
                    parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
                if parent in parents:
                    found.add(int(each.name))
        return found

    def memory(self) -> int:
        """Return the bytes of memory that its processes have for themselves."""
        total = 0
        for worker in self.workers():
            try:
                told = Path(f"/proc/{worker}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(int(each) for each in re.findall(r"Private_\w+: +(\d+) kB", told)) << 10
        return total

    def said(self) -> str:
        """Return all that the command has written."""
        return "".join(
            (self.folder / name).read_text(errors="replace") for name in ("stdout", "stderr")
        )

    def connect(self, timeout: float = 30) -> http.client.HTTPConnection:
        """Return a connection to it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def faults(self, prefix: str) -> list[str]:
        """Say what has gone wrong with the server itself since it has started."""
        found = []
        if self.process.poll() is not None:
            return [f"the server has ended with {self.process.returncode}"]
        if self.workers() != self._workers:
            found.append("a process of the server has ended")
        if (grown := self.memory() - self._memory) > MOST_GROWN * len(self._workers):
            found.append(f"its processes have grown by {grown >> 20} MB")
        said = self.said()
        if prefix in said:
            found.append("what was sent stands in a log")
        if "Traceback" in said:
            found.append("a traceback stands in a log")
        connection = self.connect()
        try:
            connection.request("GET", "/ping")
            if (status := connection.getresponse().status) != 200:
                found.append(f"/ping answers {status}")
        except OSError as error:
            found.append(f"/ping does not answer: {type(error).__name__}")
        finally:
            connection.close()
        return found


@contextmanager
def serving(*command: str | Path, module: str = "marfa") -> Iterator[Served]:
    """Start a server and end it; `command` are the arguments after `marfa serve`."""
    with tempfile.TemporaryDirectory(prefix="marfa-fuzz-") as name:
        folder = Path(name)
        arguments = ["serve", *map(str, command), "--port", "0"]
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        try:
            yield Served(_port(process, folder), process, folder)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _port(process: subprocess.Popen[bytes], folder: Path) -> int:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        said = (folder / "stderr").read_text() + (folder / "stdout").read_text()
        if found := _URL.search(said):
            port = int(found[1])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/ping")
                if connection.getresponse().status == 200:
                    return port
            except OSError:
                pass
            finally:
                connection.close()
        if process.poll() is not None:
            message = f"the server did not start: {said}"
            raise RuntimeError(message)
        time.sleep(0.05)
    message = "the server did not start in time"
    raise RuntimeError(message)
