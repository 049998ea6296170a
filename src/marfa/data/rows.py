"""One labelled text, as every reader yields it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text.

    Attributes:
        text: the text as found, neither cleaned nor stripped.
        label: the name of its class.
        split: "train" or "test" where the origin says so, otherwise "".
        origin: where in the source it stands ("train/pos/0_9.txt", "reviews.csv:17").
    """

    text: str
    label: str
    split: str
    origin: str
