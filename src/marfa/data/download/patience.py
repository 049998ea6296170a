"""How often to try again, and how long to wait in between."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_WAIT = 60.0
"""Seconds between two attempts at most, unless the server asks for more."""

LONGEST_RETRY_AFTER = 120.0
"""Seconds that a server's Retry-After can make us wait at most."""

PROGRESS = 4096
"""Bytes that count as progress: a line that gives a byte per request must not keep us for ever."""


@dataclass
class Patience:
    """How often to try again: progress restores it, starting over from nothing uses it up.

    Attributes:
        attempts: failures in a row, and also starts from nothing, that are borne.
        mark: the length at which progress was last noticed.

    >>> patience = Patience(attempts=4)
    >>> [patience.failed(0) for _ in range(4)], patience.failed(5000)
    ([1.0, 2.0, 4.0, None], 0.0)
    """

    attempts: int
    mark: int = 0
    failures: int = 0
    restarts: int = 0

    def failed(self, length: int, after: float | None = None) -> float | None:
        """Take note of a failure.

        Args:
            length: bytes at hand now.
            after: seconds that the server asked us to wait.

        Returns:
            Seconds to wait before the next attempt; None when patience is at its end.
        """
        if length - self.mark >= PROGRESS:
            self.mark, self.failures = length, 0
        else:
            self.failures += 1
        if max(self.failures, self.restarts) >= self.attempts:
            return None
        if after is not None:
            return after
        return min(2.0 ** min(self.failures - 1, 30), LONGEST_WAIT) if self.failures else 0.0

    def started_over(self) -> None:
        """Take note that all bytes were thrown away; a line that never holds must end some day."""
        self.restarts += 1
        self.mark = 0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After, capped; a date is compared with the server's own clock, not with ours.

    >>> retry_after({"retry-after": "86400"}), retry_after({"retry-after": "soon"})
    (120.0, None)
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        then = email.utils.parsedate_to_datetime(value)
        now = email.utils.parsedate_to_datetime(headers.get("date", ""))
        seconds = (then - now).total_seconds()
    except (ValueError, TypeError):  # TypeError: only one of the two names its time zone
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
