"""How fast the line was when something was sent last, and how long the next upload will take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from marfa.aws.parcel import Sent
from marfa.errors import DataError
from marfa.files import read_json, write_json

ASSUMED_KBPS = 1000.0
"""What is reckoned with as long as nothing has been measured."""

NAME = "upload-speed.json"

_MEASURABLE = 1 << 18
"""Fewer bytes than this measure the way there and back, not the line."""


@dataclass(frozen=True)
class Pace:
    """The line's speed.

    Attributes:
        kbps: kilobits (1,000 bits) a second.
        measured: whether the line was measured; it is assumed otherwise.
        limited: whether it is less than the line's, because no more was allowed.
    """

    kbps: float = ASSUMED_KBPS
    measured: bool = False
    limited: bool = False

    def words(self, size: int) -> str:
        """Say how long so many bytes take.

        >>> print(Pace().words(13_000_000))
        about 2 min at 1,000 kbit/s, which is assumed: nothing has been sent from here yet
        >>> print(Pace(640.0, measured=True).words(13_000_000))
        about 3 min at the measured 640 kbit/s
        """
        took = duration(estimate(size, self.kbps))
        if self.limited:
            return f"{took} at the {self.kbps:,.0f} kbit/s allowed"
        if self.measured:
            return f"{took} at the measured {self.kbps:,.0f} kbit/s"
        why = "which is assumed: nothing has been sent from here yet"
        return f"{took} at {self.kbps:,.0f} kbit/s, {why}"


def estimate(size: int, kbps: float) -> float:
    """Return the seconds that so many bytes take.

    >>> estimate(1_000_000, 1000)
    8.0
    """
    return size * 8 / (kbps * 1000)


def duration(seconds: float) -> str:
    """Say a time roughly, rounded up.

    >>> duration(0), duration(31.2), duration(200), duration(5000)
    ('no time', 'about 32 s', 'about 4 min', 'about 1 h 24 min')
    """
    if seconds <= 0:
        return "no time"
    if seconds <= 90:
        return f"about {math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"about {hours} h {rest} min" if hours else f"about {minutes} min"


def recall(folder: Path, max_kbps: int = 0) -> Pace:
    """Return the speed of the last upload, or the assumed one.

    Args:
        folder: where it is remembered, such as `work`.
        max_kbps: what an upload may take now; 0 for all.
    """
    try:
        found = read_json(folder / NAME)
        kbps = float(found["kbps"])
    except (DataError, KeyError, TypeError, ValueError):
        kbps = math.nan  # none was measured, or somebody else wrote there
    measured = math.isfinite(kbps) and kbps > 0
    kbps = kbps if measured else ASSUMED_KBPS
    if 0 < max_kbps < kbps:
        return Pace(float(max_kbps), measured, limited=True)
    return Pace(kbps, measured)


def remember(folder: Path, sent: Sent, now: datetime, max_kbps: int = 0) -> None:
    """Keep the speed of an upload, if it says something about the line.

    Args:
        folder: where to keep it, such as `work`.
        sent: what the upload took.
        now: the time of day.
        max_kbps: what it was allowed to take; one that was held back measures nothing.
    """
    if sent.size < _MEASURABLE or sent.seconds <= 0 or max_kbps:
        return
    kbps = float(f"{sent.size * 8 / sent.seconds / 1000:.4g}")
    when = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    write_json(folder / NAME, {"version": 1, "kbps": kbps, "bytes": sent.size, "measured": when})
