"""The embedded reviews, written for this project: what marfa shows when no data set can be had.

They are in English, Arabic and French, and about films, restaurants, books and gadgets. They show
that everything works; they are too few to say how good a model is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources

from marfa.data.rows import Row

_NAME = "sample.jsonl"


def read() -> Iterator[Row]:
    """Read the embedded reviews.

    Returns:
        Rows labelled "positive" or "negative", in the order of the file, with no split.

    >>> row = next(read())
    >>> row.label in ("positive", "negative"), row.split, row.origin
    (True, '', 'sample.jsonl:1')
    """
    lines = resources.files("marfa").joinpath("data", _NAME).read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        entry = json.loads(line)
        yield Row(entry["text"], entry["label"], "", f"{_NAME}:{number}")
