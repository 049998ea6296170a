"""What became of every request of a load, and the figures that are made of it."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.torture.load.client import NO_ANSWER, NO_CONNECTION, TIMED_OUT

_NAMES = {NO_ANSWER: "cut", NO_CONNECTION: "no connection", TIMED_OUT: "no answer in time"}
REFUSED = (429, 503)
BUSY_SHARE, LATE_SECONDS = 0.9, 0.010
"""Of a core, and of a hundredth of the requests: beyond them the tool itself is too slow."""


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that so many of all do not exceed; NaN of none.

    >>> percentile([5, 1, 4, 2, 3], 50), percentile([5, 1, 4, 2, 3], 99)
    (3, 5)
    """
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


@dataclass
class Record:
    """Every request of a load, each a place in the columns.

    Attributes:
        intended: when it was to be sent; seconds on one clock, like the others.
        sent: when it was.
        done: when its answer was there, or it was given up.
        code: the answer's status, or what stands in its place.
        wrong: 1 for an answer that is not the due one, or a refusal without Retry-After.
        kind: which of the requests it was.
        late: seconds between the time of each request and the tool's turning to it.
        began: of the first.
        seconds: that the load lasted, the last answers not counted.
        busy: share of a core that the tool used meanwhile.
        waiting: most requests that had no free connection at once.
    """

    intended: array[float] = field(default_factory=lambda: array("d"))
    sent: array[float] = field(default_factory=lambda: array("d"))
    done: array[float] = field(default_factory=lambda: array("d"))
    code: array[int] = field(default_factory=lambda: array("h"))
    wrong: array[int] = field(default_factory=lambda: array("b"))
    kind: array[int] = field(default_factory=lambda: array("h"))
    late: array[float] = field(default_factory=lambda: array("d"))
    began: float = 0.0
    seconds: float = 0.0
    busy: float = 0.0
    waiting: int = 0

    def add(
        self, intended: float, sent: float, done: float, code: int, wrong: bool, kind: int
    ) -> None:
        """Add a request."""
        self.intended.append(intended)
        self.sent.append(sent)
        self.done.append(done)
        self.code.append(code)
        self.wrong.append(wrong)
        self.kind.append(kind)

    def part(self, start: float, end: float) -> Record:
        """Return the requests that were to be sent in a part of the load, given in seconds of it."""
        part = Record(began=self.began + start, seconds=end - start, busy=self.busy, late=self.late)
        rows = zip(
            self.intended, self.sent, self.done, self.code, self.wrong, self.kind, strict=True
        )
        for row in rows:
            if self.began + start <= row[0] < self.began + end:
                part.add(*row)
        return part

    def __len__(self) -> int:
        return len(self.code)

    def times(self, which: Callable[[int], bool] = lambda code: code == 200) -> list[float]:
        """Return the seconds from the intended start to the answer of those with such codes."""
        rows = zip(self.intended, self.done, self.code, strict=True)
        return [done - intended for intended, done, code in rows if which(code)]

    def at(self, share: float) -> float:
        """Return a percentile of the seconds that right answers took."""
        return percentile(self.times(), share)

    @property
    def answered(self) -> int:
        """How many were answered as they were to be."""
        rows = zip(self.code, self.wrong, strict=True)
        return sum(code > 0 and code not in REFUSED and not wrong for code, wrong in rows)

    @property
    def refused(self) -> int:
        """How many were refused in good form: 429 or 503 with Retry-After."""
        return sum(
            code in REFUSED and not wrong for code, wrong in zip(self.code, self.wrong, strict=True)
        )

    @property
    def sound(self) -> int:
        """How many were neither answered wrongly, nor refused in bad form, nor cut.

        What has not come in time is none of these: that is a figure.
        """
        rows = zip(self.code, self.wrong, strict=True)
        return sum(code != NO_ANSWER and not wrong for code, wrong in rows)

    def refused_among(self, few: int) -> int:
        """How many were refused while so few requests at most were under way, their own among them.

        From its question to its refusal: at which moment it was refused is not known.
        """
        refused = [
            row for row in zip(self.sent, self.done, self.code, strict=True) if row[2] in REFUSED
        ]
        if not refused:
            return 0
        begun, ended = sorted(self.sent), sorted(self.done)

        def crowded(moment: float) -> bool:
            return bisect_right(begun, moment) - bisect_left(ended, moment) > few

        def crowded_between(sent: float, done: float) -> bool:
            later = range(bisect_right(begun, sent), bisect_right(begun, done))
            return crowded(sent) or any(crowded(begun[number]) for number in later)

        return sum(not crowded_between(sent, done) for sent, done, _ in refused)

    @property
    def refusals(self) -> list[float]:
        """Seconds from sending to refusal."""
        rows = zip(self.sent, self.done, self.code, strict=True)
        return [done - sent for sent, done, code in rows if code in REFUSED]

    def goodput(self) -> list[int]:
        """Return how many right answers came in each whole second of the load."""
        counts = [0] * max(1, int(self.seconds))
        for done, code, wrong in zip(self.done, self.code, self.wrong, strict=True):
            second = int(done - self.began)
            if code == 200 and not wrong and second < len(counts):
                counts[second] += 1
        return counts

    @property
    def rate(self) -> float:
        """Right answers a second, those after the end not counted."""
        end = self.began + self.seconds
        rows = zip(self.done, self.code, self.wrong, strict=True)
        right = sum(done <= end and code == 200 and not wrong for done, code, wrong in rows)
        return right / self.seconds if self.seconds else 0.0

    @property
    def too_slow(self) -> str:
        """Why these figures say more of the tool than of the server; empty if they do not."""
        late = percentile(self.late, 99)
        if self.late and late > LATE_SECONDS:
            return (
                f"the tool turned to a hundredth of its requests {late * 1000:.0f} ms late or more"
            )
        if self.busy > BUSY_SHARE:
            return f"the tool used {self.busy:.0%} of its core"
        return ""

    def codes(self) -> str:
        """Return how many there are of each status, or of what stands in its place."""
        counted = Counter(self.code)
        return ", ".join(
            f"{_NAMES.get(code, code)}: {counted[code]:,}" for code in sorted(counted, reverse=True)
        )

    def lines(self) -> list[str]:
        """Return the table that is printed of it."""
        shares = (50, 90, 99, 99.9, 100)
        times = sorted(self.times())
        shown = "  ".join(f"p{share:g} {percentile(times, share) * 1000:.2f}" for share in shares)
        steady = self.goodput()
        told = [
            f"requests        {len(self):,} in {self.seconds:.1f} s ({self.codes()})",
            f"right answers   {self.answered:,}, {self.rate:,.1f} a second; each second "
            f"{min(steady):,} to {max(steady):,}",
            f"wrong           {sum(self.wrong):,} (answers that are not the due ones, refusals "
            "without Retry-After)",
            f"ms, from the intended start: {shown}",
        ]
        if refusals := self.refusals:
            shown = "  ".join(f"p{s:g} {percentile(refusals, s) * 1000:.2f}" for s in shares)
            told.append(f"ms to a refusal: {shown}")
        late = f", p99 {percentile(self.late, 99) * 1000:.2f} ms late" if self.late else ""
        told.append(
            f"the tool        {self.busy:.0%} of a core{late}, at most {self.waiting:,} requests "
            "without a connection"
        )
        if self.too_slow:
            told.append(f"NOT A FIGURE OF THE SERVER: {self.too_slow}")
        return told
