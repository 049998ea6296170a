"""A prompt of 200 characters over HTTP: how long until the first character, and how fast the rest."""

from __future__ import annotations

import sys

import numpy as np
from machine import table

from marfa.container.client import Client
from marfa.settings import ServeSettings
from marfa.stages.serve import Running

REQUESTS = 60
PROMPT = ("We shall be there before the tide; make ready all the sails. " * 4)[:200]
LENGTH = 2200


def measured(model: str, engine: str) -> tuple[float, float, float]:
    """Return p50 and p99 of the milliseconds to the first character, and characters a second."""
    first, speeds = [], []
    with Running(model, ServeSettings(port=0, engine=engine)) as server:
        client = Client(server.url)
        for _ in range(REQUESTS):
            heard, count, seconds = 0.0, 0, 0.0
            pieces = client.stream(PROMPT, length=LENGTH, seed=1)
            next(pieces)  # the prompt
            for seconds, piece in pieces:
                heard = heard or seconds
                count += len(piece)
            first.append(1000 * heard)
            speeds.append(count / seconds)
    low, high = np.percentile(first, [50, 99])
    return float(low), float(high), float(np.median(speeds))


def main() -> None:
    """Print the table for a model.tar.gz."""
    model = sys.argv[1] if len(sys.argv) > 1 else "work/bench-writing-default/model.tar.gz"
    rows = []
    for engine in ("int8", "onnx", "numpy"):
        p50, p99, speed = measured(model, engine)
        rows.append((engine, f"{p50:.1f}", f"{p99:.1f}", f"{speed:,.0f}"))
    table(
        "A text over HTTP, as server-sent events, prompt of 200 characters",
        ("engine", "first character p50, ms", "p99, ms", "characters a second"),
        rows,
    )


if __name__ == "__main__":
    main()
