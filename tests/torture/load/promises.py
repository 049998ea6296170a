"""All that is promised of a server under load.

LOAD_MODEL and LOAD_WRITER name models to serve; without them samples are made.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.torture.load import asked, ending, mixture, overload, slow, steady, unwhole
from tests.torture.load.client import Ask
from tests.torture.load.machine import apart, shared
from tests.torture.load.served import Served, marfa
from tests.torture.promise import Promise

ROOT = Path(__file__).parents[3]
WORK = ROOT / "work" / "torture"
_STREAM = b'{"prompt": "you ", "length": 3000, "seed": 1}'
_HEAVY_MS = 1000.0
"""For one of sixteen reviews: 512 texts wait at most, eight for each request of a full queue (decision
30), so it waits behind thirty-two of its kind."""
_LOST = {2: 0.25, 5: 0.5, 10: 0.7}
"""Share of the goodput, at most, where single reviews are asked so many times as often as they can be
answered; what a refusal costs, and why that leaves so little time, stands in docs/decisions/0030."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done.

    Attributes:
        steady: seconds at 70 % of the capacity.
        over: seconds of each overload.
        judging: mixed requests to a model that judges.
        writing: and to one that writes.
        ends: how often a server is asked to stop.
        kills: how often one of its processes is killed.
        slack: by how much more than promised a figure of time may be: figures are taken on a machine
            that does nothing else, and a sample is run where others work too.
        attempts: in one of so many the figures have to be as promised.
    """

    steady: float
    over: float
    judging: int
    writing: int
    ends: int
    kills: int
    slack: float
    attempts: int = 3


FULL = Size(1800, 300, 900_000, 100_000, 100, 100, slack=1)
SAMPLE = Size(120, 4, 18_000, 2_000, 5, 4, slack=10)
BUSY = replace(SAMPLE, steady=30, attempts=1)
"""A sample where others have the machine: no figure is looked at there, only whether all is right."""


def promises(seed: int, full: bool) -> Iterator[Promise]:
    """Put each promise to the test."""
    size = FULL if full else SAMPLE
    judge, writer = models()
    yield from heard(judge, size, seed, full=full)
    yield from remembered(judge, writer, size, seed)
    yield from slowed(judge, size, seed)
    yield from ended(judge, writer, size, seed)


def models() -> tuple[Path, Path]:
    """Return a model that judges and one that writes; samples are made where none are named."""
    found = []
    for variable, recipe in (("LOAD_MODEL", "sentiment"), ("LOAD_WRITER", "shakespeare")):
        if named := os.environ.get(variable):
            found.append(Path(named))
            continue
        command = [sys.executable, "-m", "marfa", "run", recipe, "--preset", "sample"]
        command += ["--until", "package", "--workdir", str(WORK)]
        subprocess.run(command, check=True, capture_output=True)
        found.append(WORK / f"{recipe}-sample" / "model.tar.gz")
    return found[0], found[1]


def heard(judge: Path, size: Size, seed: int, *, full: bool) -> Iterator[Promise]:
    """What is promised at 70 % of the capacity, and above it.

    The server has one core and the tool another, as far as there are two. The goodput is promised of
    requests of sixteen reviews; of single ones only that some of it is left.
    """
    cores = apart()
    with Served(marfa(judge, "--workers", str(len(cores.server))), cores) as served:
        plain = asked.learned(served.url, [asked.plain(number) for number in range(64)])
        heavy = asked.learned(served.url, [asked.heavy(number) for number in range(8)])

        capable: list[float] = []

        def at_seventy() -> Iterator[Promise]:
            capable.append(steady.sustained(served.url, plain, cores))
            return steady.steady(
                served.url, plain, cores, min(capable), size.steady, seed, slack=size.slack
            )

        def over(asks: list[Ask], factor: int, lost: float, most: float) -> Iterator[Promise]:
            capable = steady.capacity(served.url, asks, cores)
            much = overload.Much(capable, factor, size.over, seed)
            bounds = overload.Bounds(lost=lost, lost_at_best=lost, accepted_ms=most)
            if size.slack > 1:
                bounds = bounds.loosened(size.slack)
            return overload.overload(served.url, asks, cores, much, bounds)

        attempts = size.attempts
        yield from best(at_seventy, attempts)
        for factor, lost in [*_LOST.items()][: None if full else 1]:
            yield from best(functools.partial(over, plain, factor, lost, 200.0), attempts)
        for factor in _LOST:
            yield from best(functools.partial(over, heavy, factor, 0.1, _HEAVY_MS), attempts)


def best(attempt: Callable[[], Iterator[Promise]], attempts: int) -> list[Promise]:
    """Return the promises of the attempt in which most were kept.

    A figure of a busy machine says nothing, so another attempt may be made for it. What is not about the
    machine's pace is broken for good by the attempt in which it is, which is then what is told of it.
    """
    most: list[Promise] = []
    broken: dict[str, Promise] = {}
    for _ in range(attempts):
        found = [*attempt()]
        for promise in found:
            if not (promise.pace or promise.kept):
                broken.setdefault(promise.name, promise)
        if not most or sum(p.kept for p in found) > sum(p.kept for p in most):
            most = found
        if all(promise.kept for promise in most):
            break
    return [broken.get(promise.name, promise) for promise in most]


def remembered(judge: Path, writer: Path, size: Size, seed: int) -> Iterator[Promise]:
    """What is promised of memory, and of bodies that are too large."""
    cores = shared()
    sorts = {
        "mixed requests to a judge": (judge, mixture.judging, size.judging),
        "mixed requests to a writer": (writer, mixture.writing, size.writing),
    }
    for name, (model, sort, count) in sorts.items():
        with Served(marfa(model), cores) as served:
            yield from mixture.bounded(served, sort(seed), cores, count, seed, name=name)


def slowed(judge: Path, size: Size, seed: int) -> Iterator[Promise]:
    """What is promised while many clients are slow."""
    cores = apart()
    with Served(marfa(judge), cores) as served:
        plain = asked.learned(served.url, [asked.plain(number) for number in range(16)])

        def others() -> Iterator[Promise]:
            return slow.slow(served.url, plain, cores, 100.0, seed, slack=size.slack)

        yield from best(others, size.attempts)


def ended(judge: Path, writer: Path, size: Size, seed: int) -> Iterator[Promise]:
    """What is promised of the end of a server, and of the ends of its processes."""
    two = functools.partial(Served, marfa(judge, "--workers", "2"))
    with two() as served:
        plain = asked.learned(served.url, [asked.plain(number) for number in range(16)])
    yield from ending.sigterm(two, plain, size.ends, seed)
    body = asked.post("/invocations", _STREAM, "application/json", "Accept: text/event-stream")
    writing = functools.partial(Served, marfa(writer, "--workers", "2"))
    yield ending.streams(writing, Ask("a stream", body), size.ends, seed)
    yield from ending.killed(two, plain[0], size.kills, seed)
    with tempfile.TemporaryDirectory(prefix="marfa-") as place:
        commands = (
            (name, Served(marfa(path))) for name, path in unwhole.models(judge, Path(place))
        )
        yield ending.unfit(commands)
