"""What a server can do, and how it does at 70 % of that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.torture.load.client import Ask
from tests.torture.load.drive import closed_load, open_load
from tests.torture.load.machine import Cores, kept_to
from tests.torture.load.record import Record
from tests.torture.promise import Promise

SHARE, RATIO, MOST_MS = 0.7, 5.0, 100.0
CLIENTS = (8, 16, 32)
FEW = 48
"""Of the 64 that may wait in a process: where no more are under way, none has to be refused."""
_CHANCE_SECONDS = 60.0


def within(
    name: str, found: float, most: float, unit: str, note: str = "", *, pace: bool = True
) -> Promise:
    """Return the promise that a figure, of the machine's pace as a rule, is at most another."""
    told = f"{found:,.2f} {unit}, to be at most {most:,.2f}"
    return Promise(name, 1, int(found <= most), f"{told}; {note}" if note else told, pace)


def judged(name: str, record: Record, survived: int, note: str = "") -> Promise:
    """Return the promise about each request of a load; none is kept where the tool was too slow."""
    told = f"{record.codes()}{'; ' if note else ''}{note}"
    if record.too_slow:
        told = f"no figure of the server: {record.too_slow}; {told}"
        return Promise(name, len(record), 0, told, pace=True)
    return Promise(name, len(record), survived, told, pace=True)


def faultless(name: str, *records: Record) -> Promise:
    """Return the promise that of no request in loads anything wrong came, however slow all was."""
    told = "; ".join(f"{record.codes()}, wrong: {sum(record.wrong)}" for record in records)
    survived = sum(record.sound for record in records)
    return Promise(name, sum(map(len, records)), survived, told)


def unforced(name: str, few: int, *records: Record) -> Promise:
    """Return the promise that none was refused while few waited, however slow all was.

    A machine that others have too may fall behind, and many wait then: a refusal is right there, and
    another figure tells of it.
    """
    count = sum(map(len, records))
    rash = sum(record.refused_among(few) for record in records)
    return Promise(name, count, count - rash, f"{few} under way at once are always served")


def capacity(url: str, asks: Sequence[Ask], cores: Cores, seconds: float = 2.0) -> float:
    """Return the most right answers a second, with as many clients as serve that best."""
    with kept_to(cores.tool):
        return max(closed_load(url, asks, clients, seconds).rate for clients in CLIENTS)


def sustained(url: str, asks: Sequence[Ask], cores: Cores, seconds: float = 12.0) -> float:
    """Return the right answers of the worst second, which can be had for minutes too."""
    with kept_to(cores.tool):
        worst = min(closed_load(url, asks, CLIENTS[1], seconds).goodput()[1:-1])
    # a second in which others have the machine is no reason to ask nothing
    return float(max(1, worst))


def steady(
    url: str,
    asks: Sequence[Ask],
    cores: Cores,
    capable: float,
    seconds: float,
    seed: int,
    *,
    few: int = FEW,
    slack: float = 1.0,
) -> Iterator[Promise]:
    """Ask at 70 % of the capacity: all is answered, and nobody waits much longer than others.

    At even distances, as wrk2 does; what it is like at times of chance is noted.

    Args:
        url: of the server.
        asks: questions that know their answers.
        cores: whose the cores are.
        capable: the capacity, in requests a second.
        seconds: for how long.
        seed: of the times between requests.
        few: requests under way at once, of which none may be refused.
        slack: by how much more than promised a time may be.
    """
    rate = SHARE * capable
    with kept_to(cores.tool):
        record = open_load(url, asks, rate, seconds, seed=seed, poisson=False)
        chance = open_load(url, asks, rate, min(seconds / 4, _CHANCE_SECONDS), seed=seed)
    name = f"70 % of capacity, {asks[0].name}"
    yield faultless(f"{name}: nothing wrong", record, chance)
    yield unforced(f"{name}: none refused while few wait", few, record, chance)
    told = f"{rate:,.0f} a second for {seconds:g} s, {cores}"
    yield judged(f"{name}: all answered, and rightly", record, record.answered, told)
    middle, last = record.at(50) * 1000, record.at(99) * 1000
    told = f"p50 {middle:.2f}, p99.9 {record.at(99.9) * 1000:.2f} ms; at times of chance p50 "
    told += f"{chance.at(50) * 1000:.2f}, p99 {chance.at(99) * 1000:.2f} ms"
    yield within(f"{name}: p99", last, slack * min(RATIO * middle, MOST_MS), "ms", told)
