"""All that is promised of `marfa score`: whatever ends it, the same command ends with the same bytes.

LOAD_MODEL names a model; without it a sample is made.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.torture.promise import Promise

from marfa.stages.score.journal import folder_of

ROOT = Path(__file__).parents[3]
WORK = ROOT / "work" / "torture"
_ROWS = 12_000
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Size:
    """How often each thing is done."""

    kills: int
    ends: int
    losses: int


FULL, SAMPLE = Size(200, 60, 60), Size(6, 3, 3)


def promises(seed: int, full: bool) -> Iterator[Promise]:
    """Put each promise to the test."""
    yield from of(model(), FULL if full else SAMPLE, seed)


def of(judge: Path, size: Size, seed: int, bug: str = "none") -> Iterator[Promise]:
    """Put each promise to the test, of marfa or of one with a bug."""
    with tempfile.TemporaryDirectory(prefix="marfa-") as folder:
        tried = Trial(judge, Path(folder), random.Random(seed), bug)
        yield tried.ended(
            "score ends with the same bytes after kill -9", size.kills, signal.SIGKILL, code=-9
        )
        yield tried.ended(
            "and after SIGTERM, which it exits 143 for", size.ends, signal.SIGTERM, code=143
        )
        yield tried.lost("and when a process that judges is killed", size.losses)


class Trial:
    """A file, what is to be made of it, and a command that makes it."""

    def __init__(self, judge: Path, folder: Path, chance: random.Random, bug: str) -> None:
        self._chance, self._output = chance, folder / "out.jsonl"
        file = folder / "in.jsonl"
        with open(file, "w", encoding="utf-8") as lines:
            for number in range(_ROWS):
                text = f"a wonderful film {number} " + "and dull " * chance.randrange(60)
                lines.write(json.dumps({"text": text}) + "\n")
        part = ["score", str(judge), str(file), "-o", str(self._output), "--workers", "2"]
        self._command = [sys.executable, "-m", "tests.torture.score.planted", bug, *part]
        sound = [sys.executable, "-m", "marfa", *part]
        began = time.monotonic()
        subprocess.run(sound, check=True, capture_output=True, cwd=ROOT)
        self._takes = time.monotonic() - began
        self._whole = self._output.read_bytes()

    def ended(self, name: str, count: int, number: signal.Signals, *, code: int) -> Promise:
        """End it at random moments, count those at which it was at work, and look at the end.

        Args:
            name: what is promised.
            count: how often.
            number: what it is sent.
            code: what it has to exit with; the signal's number below zero where that ends it.
        """
        injected = survived = 0
        note = ""
        while injected < count:
            self._output.unlink(missing_ok=True)
            ends = self._until_whole(number, min(3, count - injected))
            injected += len(ends)
            right = self._output.read_bytes() == self._whole
            survived += ends.count(code) if right else 0
            if not right:
                note = note or "other bytes"
            elif ends.count(code) < len(ends):
                note = note or f"exit {next(end for end in ends if end != code)}"
        return Promise(name, injected, survived, note)

    def lost(self, name: str, count: int) -> Promise:
        """Kill one of the processes that judge, at random moments."""
        injected = survived = 0
        note = ""
        while injected < count:
            self._output.unlink(missing_ok=True)
            with self._begun() as run:
                self._wait_for_rows(run)
                time.sleep(self._chance.uniform(0, self._takes / 4))
                killed = _kill_one(run.pid, self._chance)
                code = run.wait(_SECONDS)
            injected += killed
            right = code == 0 and self._output.read_bytes() == self._whole
            survived += killed and right
            if not right:
                note = note or f"exit {code}, or other bytes"
        return Promise(name, injected, survived, note)

    def _until_whole(self, number: signal.Signals, most: int) -> list[int]:
        """Run and end it so often, then let it come to its end; return the exit codes before that."""
        ends = []
        for _ in range(most):
            with self._begun() as run:
                self._wait_for_rows(run)
                time.sleep(self._chance.uniform(0, self._takes / 4))
                run.send_signal(number)
                ends.append(run.wait(_SECONDS))
            if self._output.exists():  # it was done before it was ended
                ends.pop()
                self._output.unlink()
        with self._begun() as run:
            run.wait(_SECONDS)
        return ends

    def _begun(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _wait_for_rows(self, run: subprocess.Popen[bytes]) -> None:
        part = folder_of(self._output) / "part"
        before = part.stat().st_size if part.exists() else 0
        end = time.monotonic() + _SECONDS
        while run.poll() is None and time.monotonic() < end:
            if part.exists() and part.stat().st_size != before:
                return
            time.sleep(0.01)


def _kill_one(pid: int, chance: random.Random) -> bool:
    try:
        threads = Path(f"/proc/{pid}/task").glob("*/children")
        found = [each for path in threads for each in path.read_text(encoding="ascii").split()]
        os.kill(int(chance.choice(found)), signal.SIGKILL)
    except (OSError, IndexError):  # it has ended meanwhile
        return False
    return True


def model() -> Path:
    """Return a model that judges; a sample is made where none is named."""
    if named := os.environ.get("LOAD_MODEL"):
        return Path(named)
    command = [sys.executable, "-m", "marfa", "run", "sentiment", "--preset", "sample"]
    command += ["--until", "package", "--workdir", str(WORK)]
    subprocess.run(command, check=True, capture_output=True)
    return WORK / "sentiment-sample" / "model.tar.gz"
