"""What is promised of inputs that nobody should send: requests, bytes, texts and bundles.

All of it takes about half an hour on two cores; a sample, which CI takes, two minutes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.torture.fuzz import artefacts, asking, documented, malice, models, texts, wire
from tests.torture.fuzz.served import Tally, serving
from tests.torture.promise import Promise

from marfa import loading

FLAGS = ("--max-length", "200", "--log", "all")
"""Of a server here: what is sent is looked at, not what is written; and the log has a line of each
request, in which no word of it may stand."""
KEYS = {"classifier": "text", "generator": "prompt"}


@dataclass(frozen=True, slots=True)
class Size:
    """How much of each is tried, for each task.

    Attributes:
        function: requests through the pure function.
        http: requests over HTTP.
        every: each so many-th of the naughty strings, of the malicious bundles, and of those served.
        sockets: connections with what is nearly HTTP.
        documented: requests of schemathesis an operation.
        repeats: how often the time for a text is measured.
        families: texts; all of them, or so many.
        mutations: damaged bundles.
        good: bundles that must be accepted, half of each task, no two alike.
        slack: by how much more than promised a text may take.
    """

    function: int
    http: int
    every: tuple[int, int, int]
    sockets: int
    documented: int
    repeats: int
    families: int
    mutations: int
    good: int
    slack: float


FULL = Size(50_000, 3000, (1, 1, 20), 5000, 6000, 5, 1000, 10_000, 100, slack=1)
SAMPLE = Size(1500, 300, (12, 12, 300), 500, 40, 2, 1000, 300, 10, slack=4)


def promises(seed: int, full: bool) -> Iterator[Promise]:
    """Yield each promise as it is known; see `Promise`."""
    for part in PARTS:
        yield from part(FULL if full else SAMPLE, seed)


def read(size: Size, seed: int) -> Iterator[Promise]:
    """Yield the promise about the time that texts take; they are the same for every seed."""
    found = texts.in_time(texts.some(size.families), repeats=size.repeats, slack=size.slack)
    yield _told("texts are read in linear time, 256 kB in 50 ms", found)


def loaded(size: Size, seed: int) -> Iterator[Promise]:
    """Yield the promises about bundles."""
    found = artefacts.malicious(size.every[1], seed)
    yield _told("bundles that mean ill do nothing", found)
    yield _told("damaged bundles do nothing", artefacts.mutations(size.mutations, seed))
    yield _told("good bundles are accepted", artefacts.accepted(size.good, seed))
    found = artefacts.served(malice.archives(size.every[2], seed))
    yield _told("bundles that mean ill, served", found)


def asked(task: str, size: Size, seed: int) -> Iterator[Promise]:
    """Yield the promises about what is asked of the model of one task."""
    model = loading.of(models.made(task))
    yield _told(
        f"{task}: requests through the function",
        asking.through_the_function(model, size.function, seed),
    )
    with (
        tempfile.TemporaryDirectory(prefix="marfa-fuzz-") as folder,
        serving(models.packed(task, Path(folder)), *FLAGS) as it,
    ):
        yield _told(f"{task}: requests over HTTP", asking.over_http(it, size.http, seed))
        found = asking.naughty_strings(it, KEYS[task], seed, size.every[0])
        yield _told(f"{task}: naughty strings", found)
        yield _told(f"{task}: what is nearly HTTP", wire.over_sockets(it, size.sockets, seed))
        found = documented.as_documented(it, size.documented, seed)
        yield _told(f"{task}: what the API's description allows", found)


PARTS = (*(partial(asked, task) for task in models.TASKS), read, loaded)
"""None needs another: in a sample they are taken side by side."""


def _told(name: str, found: Tally) -> Promise:
    return Promise(name, found.injected, found.survived, found.note or found.told)
