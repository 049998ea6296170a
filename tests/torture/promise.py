"""What a torture reports: how much was done to marfa, and how much of it marfa bore."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, put to the test.

    A room of `tests/torture` has a module `promises` with a function `promises(seed: int, full: bool) ->
    Iterator[Promise]`, which yields each as soon as it is known; the time between two is what it took.

    Attributes:
        name: what is promised, in a few words.
        injected: inputs, faults or kills that were tried.
        survived: how many of them were borne as promised.
        note: a figure, or what the first that was not borne did; never anything that was sent.
        pace: a machine that is slow, or has something else to do, can break it: it is about time or
            capacity. What is not is to be kept whatever the machine does.
    """

    name: str
    injected: int
    survived: int
    note: str = ""
    pace: bool = False

    @property
    def kept(self) -> bool:
        """Whether something was tried, and all of it was borne."""
        return 0 < self.injected == self.survived

    def line(self, seconds: float) -> str:
        """Return the one line that is printed of it."""
        mark = "kept  " if self.kept else "BROKEN"
        told = f"  {self.note}" if self.note else ""
        counts = f"{self.survived:>9,} / {self.injected:<9,}"
        return f"{mark} {self.name:<58} {counts} {seconds:>7.1f} s{told}"
