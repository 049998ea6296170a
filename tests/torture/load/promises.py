"""All that is promised of a server under load.

LOAD_MODEL and LOAD_WRITER name models to serve; without them samples are made.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.torture.load import asked, ending, mixture, overload, slow, steady, streams, unwhole
from tests.torture.load.client import Ask
from tests.torture.load.machine import apart, shared
from tests.torture.load.served import Served, marfa
from tests.torture.promise import Promise

ROOT = Path(__file__).parents[3]
WORK = ROOT / "work" / "torture"
_WHOLE = 10_000
"""Characters of the longest text that a server makes, as long as nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Sort:
    """What a model is asked in an overload, and how that is to be borne.

    Attributes:
        asks: as often as they can be answered, and so many times as often.
        lost: share of the goodput, at most, at each number of times.
        accepted_ms: what one may take that is not refused, but for a hundredth of them.
        sampled: the numbers of times that a sample takes.
    """

    asks: list[Ask]
    lost: dict[int, float]
    accepted_ms: float
    sampled: tuple[int, ...]


REVIEWS = Sort(
    [asked.plain(number) for number in range(64)], {2: 0.25, 5: 0.5, 10: 0.7}, 200.0, (2,)
)
"""What a refusal costs, and why that leaves so little time for answers, stands in decision 30."""
_TENTH = dict.fromkeys((2, 5, 10), 0.1)
SIXTEENS = Sort([asked.heavy(number) for number in range(8)], _TENTH, 1000.0, (2, 5, 10))
"""512 texts wait at most, eight for each request of a full queue (decision 30), so each waits behind
thirty-two of its kind."""
STREAMS = Sort([asked.stream(number) for number in range(32)], _TENTH, 3000.0, (10,))
"""Sixty-four are written at most, in turns, so each takes as long as all: 0.3 s on a fast machine with a
small model."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done.

    Attributes:
        steady: seconds at 70 % of the capacity, of a model that judges.
        steadily: and of one that writes.
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
    steadily: float
    over: float
    judging: int
    writing: int
    ends: int
    kills: int
    slack: float
    attempts: int = 3


FULL = Size(1800, 1800, 300, 900_000, 100_000, 100, 100, slack=1)
SAMPLE = Size(120, 30, 4, 18_000, 2_000, 5, 4, slack=10)
BUSY = replace(SAMPLE, attempts=1)
"""A sample where others have the machine: no figure is looked at there, only whether all is right."""


def promises(seed: int, full: bool) -> Iterator[Promise]:
    """Put each promise to the test."""
    size = FULL if full else SAMPLE
    judge, writer = models()
    yield from heard(judge, [REVIEWS, SIXTEENS], size, size.steady, seed, full=full)
    yield from heard(writer, [STREAMS], size, size.steadily, seed, full=full)
    yield from remembered(judge, writer, size, seed)
    yield from slowed(judge, writer, size, seed)
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


def heard(
    model: Path, sorts: Sequence[Sort], size: Size, seconds: float, seed: int, *, full: bool
) -> Iterator[Promise]:
    """What is promised at 70 % of the capacity, for the first of the sorts, and above it.

    The server has one core and the tool another, as far as there are two.
    """
    cores = apart()
    with Served(marfa(model, "--workers", str(len(cores.server))), cores) as served:
        usual, *_ = known = [
            replace(sort, asks=asked.learned(served.url, sort.asks)) for sort in sorts
        ]
        capable: list[float] = []

        def at_seventy() -> Iterator[Promise]:
            capable.append(steady.sustained(served.url, usual.asks, cores))
            return steady.steady(
                served.url, usual.asks, cores, min(capable), seconds, seed, slack=size.slack
            )

        def over(sort: Sort, factor: int) -> Iterator[Promise]:
            capable = steady.capacity(served.url, sort.asks, cores)
            much = overload.Much(capable, factor, size.over, seed)
            lost = sort.lost[factor]
            bounds = overload.Bounds(lost=lost, lost_at_best=lost, accepted_ms=sort.accepted_ms)
            if size.slack > 1:
                bounds = bounds.loosened(size.slack)
            return overload.overload(served.url, sort.asks, cores, much, bounds)

        yield from best(at_seventy, size.attempts)
        for sort in known:
            for factor in sort.lost if full else sort.sampled:
                yield from best(functools.partial(over, sort, factor), size.attempts)


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
        with Served(marfa(model, "--workers", "2"), cores) as served:
            yield from mixture.bounded(served, sort(seed), cores, count, seed, name=name)


def slowed(judge: Path, writer: Path, size: Size, seed: int) -> Iterator[Promise]:
    """What is promised while many clients are slow.

    Who reads a stream slowly has much written for it at first, in turns with the others.
    """
    cores = apart()
    for model, sort, rate, counts, ratio in (
        (judge, REVIEWS, 100.0, (500, 500, 200, 0), slow.RATIO),
        (writer, STREAMS, 20.0, (500, 500, 0, 3), 5.0),
    ):
        with Served(marfa(model), cores) as served:
            asks = asked.learned(served.url, sort.asks)
            others = functools.partial(
                slow.slow, served.url, asks, cores, rate, seed,
                counts=counts, ratio=ratio, slack=size.slack,
            )  # fmt: skip
            yield from best(others, size.attempts)


def ended(judge: Path, writer: Path, size: Size, seed: int) -> Iterator[Promise]:
    """What is promised of the end of a server, and of the ends of its processes."""
    two = functools.partial(Served, marfa(judge, "--workers", "2"))
    with two() as served:
        plain = asked.learned(served.url, [asked.plain(number) for number in range(16)])
    yield from ending.sigterm(two, plain, size.ends, seed)
    writing = functools.partial(Served, marfa(writer, "--workers", "2"))
    whole = asked.stream(1, _WHOLE)
    yield streams.ended(writing, whole, size.ends, seed)
    text = Ask("a text", asked.post("/invocations", b"100-you ", "text/plain"))
    for start, ask in ((two, plain[0]), (writing, text)):
        yield from ending.killed(start, ask, size.kills, seed)
    yield streams.torn(writing, whole, size.kills, seed)
    with tempfile.TemporaryDirectory(prefix="marfa-") as place:
        commands = (
            (name, Served(marfa(path))) for name, path in unwhole.models(judge, Path(place))
        )
        yield ending.unfit(commands)
