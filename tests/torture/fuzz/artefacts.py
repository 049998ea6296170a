"""Bundles that mean ill, or have been damaged, given to what loads them, with somebody looking on."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.torture.fuzz import malice, models
from tests.torture.fuzz.served import Tally

ROOT = Path(__file__).parents[3]
SECONDS = 2.0
MOST_BYTES = 200 << 20
_SERVED_SECONDS = 20


def wrong(name: str, found: dict[str, object]) -> str:
    """Say what is wrong with what a bundle did; nothing where all is well."""
    outcome = str(found["outcome"])
    if found["sang"]:
        return f"{name}: {', '.join(map(str, list(found['sang'])[:3]))}"  # type: ignore[call-overload]
    if outcome not in {"accepted", "refused"}:
        return f"{name}: {outcome}"
    if float(str(found["seconds"])) > SECONDS:
        return f"{name}: {outcome} after {found['seconds']:.1f} s"
    if int(str(found["bytes"])) > MOST_BYTES:
        return f"{name}: {outcome} with {int(str(found['bytes'])) >> 20} MB"
    return ""


def looked_at(
    cases: Iterable[tuple[str, bytes | Path]],
    loader: str = "",
    outcomes: Counter[str] | None = None,
) -> Tally:
    """Load each, and tell of all that was not as promised.

    Args:
        cases: what each is, and its bytes or its folder.
        loader: what loads them, MODULE:FUNCTION; marfa if not given.
        outcomes: counts how they ended.
    """
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="marfa-malice-") as name:
        cage = Path(name) / "cage"
        cage.mkdir()
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.fuzz.canary", *([loader] if loader else [])],
            cwd=cage,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdin
        assert child.stdout
        for number, (what, case) in enumerate(cases):
            path = case if isinstance(case, Path) else Path(name) / f"{number}.tar.gz"
            if isinstance(case, bytes):
                path.write_bytes(case)
            child.stdin.write(f"{path}\n")
            child.stdin.flush()
            line = child.stdout.readline()
            if not line:
                tally.add(f"{what}: the canary is dead")
                break
            found = json.loads(line)
            if outcomes is not None:
                outcomes[found["outcome"]] += 1
            tally.add(wrong(what, found))
            if isinstance(case, bytes):
                path.unlink()
        child.stdin.close()
        child.wait()
        child.stdout.close()
        tally.broken += [f"written: {each.name}" for each in cage.iterdir()]
        tally.broken += [
            f"written: {each}" for each in (Path(name) / "evil", Path("/tmp/evil")) if each.exists()
        ]
    return tally


def malicious(
    every: int = 1, start: int = 0, loader: str = "", outcomes: Counter[str] | None = None
) -> Tally:
    """Load archives and folders that mean ill."""
    with tempfile.TemporaryDirectory(prefix="marfa-malice-") as name:
        cases: list[Iterator[tuple[str, bytes | Path]]] = [
            iter(malice.archives(every, start)),
            iter(malice.folders(Path(name))),
        ]
        return looked_at((case for some in cases for case in some), loader, outcomes)


def mutations(
    count: int, seed: int, loader: str = "", outcomes: Counter[str] | None = None
) -> Tally:
    """Load good bundles in which something has changed."""
    return looked_at(malice.mutations(count, seed), loader, outcomes)


def good(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield good bundles of both tasks in turn, no two of the same settings, and what each is."""
    drawn = {task: models.drawn(task, seed) for task in models.TASKS}
    for number in range(count):
        task = models.TASKS[number % len(models.TASKS)]
        yield f"good {task}", malice.packed(malice.tar_of(next(drawn[task]).members))


def accepted(count: int, seed: int, loader: str = "") -> Tally:
    """Load good bundles, none of which may be refused."""
    outcomes: Counter[str] = Counter()
    tally = looked_at(good(count, seed), loader, outcomes)
    tally.broken += ["a good bundle is refused"] * (count - outcomes["accepted"])
    return tally


def served(cases: Iterable[tuple[str, bytes]], module: str = "marfa") -> Tally:
    """Give bundles to `marfa serve`, which says what is wrong and ends, or answers."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="marfa-malice-") as name:
        for number, (what, data) in enumerate(cases):
            path = Path(name) / f"{number}.tar.gz"
            path.write_bytes(data)
            tally.add(_served(what, path, module))
            path.unlink()
    return tally


def _served(what: str, path: Path, module: str) -> str:
    """Serve a bundle; one that is accepted answers, and is then told to end."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(
            [sys.executable, "-m", module, "serve", str(path), "--port", "0", "--workers", "1"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        said = b""
        code: int | None = None
        for _ in range(_SERVED_SECONDS * 20):
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = child.wait(0.05)
            said = os.pread(out.fileno(), 1 << 20, 0)
            if code is not None or b"http://" in said:
                break
        if code is None:
            child.terminate()
            code = child.wait(_SERVED_SECONDS)
            if b"http://" not in said:
                return f"serve {what}: neither served nor refused in {_SERVED_SECONDS} s"
        said = os.pread(out.fileno(), 1 << 20, 0)
        if b"Traceback" in said:
            return f"serve {what}: a traceback"
        # 2 where one of its settings is outside its limits, 3 for all else that is wrong with it
        expected = {0, 143} if b"http://" in said else {2, 3}
        return "" if code in expected else f"serve {what}: exit code {code}"
