"""`make torture`: everything that is done to marfa on purpose, one line a promise.

SEED=NUMBER repeats a run (`cloud` leaves nothing to chance); ROOMS=fuzz,load takes some of the rooms;
SAMPLE=1 takes a sample of each, as CI does.
"""

from __future__ import annotations

import importlib
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from tests.torture.promise import Promise

ROOMS = ("load", "fuzz", "score")
"""`load` first: a server seems smaller beside who has mapped the same libraries, as `fuzz` does."""
CLOUD = "cloud"
_TALLY = re.compile(r"^\| all \|(?: \|)* (\d+) \| (\d+) \|$", re.MULTILINE)


def cloud(seed: int, full: bool) -> Iterator[Promise]:
    """Let calls of deployments and of jobs fail, as `make faults` does; all of them, or a sample."""
    for what in ("cloud", "job"):
        asked = {**os.environ, **({"FAULTS_EVERY": "1"} if full else {})}
        path = f"tests/torture/test_{what}_faults.py"
        command = [sys.executable, "-m", "pytest", path, "-q", "-o", "norecursedirs=.*"]
        found = subprocess.run(command, env=asked, capture_output=True, text=True, check=False)
        counts = [(int(a), int(b)) for a, b in _TALLY.findall(found.stdout)]
        injected, survived = (sum(each) for each in zip(*counts, strict=True)) if counts else (0, 0)
        # a planted bug that was not seen, or a run that ended early, is no point of the tally
        failed = found.returncode != 0 and injected == survived
        name = f"calls to AWS that fail, of a {'deployment' if what == 'cloud' else 'job'}"
        yield Promise(name, injected + failed, survived, "pytest failed" if failed else "")


Room = Callable[[int, bool], Iterator[Promise]]


def main(
    chosen: list[str], seed: int, *, full: bool, rooms: Mapping[str, Room] | None = None
) -> int:
    """Run rooms; return the exit code."""
    say(f"seed {seed}, {'everything' if full else 'a sample'}: {', '.join(chosen)}")
    injected = survived = broken = 0
    for room in chosen:
        began = time.monotonic()
        try:
            for promise in (rooms[room] if rooms else _room(room))(seed, full):
                say(promise.line(time.monotonic() - began))
                injected, survived = injected + promise.injected, survived + promise.survived
                broken += not promise.kept
                began = time.monotonic()
        except Exception as error:  # noqa: BLE001, one room that cannot go on must not hide the others
            say(f"BROKEN {room} ended early: {type(error).__name__}: {error}")
            broken += 1
    say(f"reliability: {survived:,} / {injected:,}")
    return 1 if broken else 0


def _room(name: str) -> Room:
    if name == CLOUD:
        return cloud
    return importlib.import_module(f"tests.torture.{name}.promises").promises


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asked = os.environ.get("ROOMS", "").replace(",", " ").split() or [*ROOMS, CLOUD]
    number = int(os.environ.get("SEED") or secrets.randbelow(1 << 31))
    sys.exit(main(asked, number, full=os.environ.get("SAMPLE", "") in {"", "0"}))
