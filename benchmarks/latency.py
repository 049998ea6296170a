"""One review over HTTP, one client after the other request: p50, p99, and the engines behind it."""

from __future__ import annotations

import http.client
import sys
import time
from urllib.parse import urlsplit

import numpy as np
from machine import table

from marfa.loading import load
from marfa.settings import ServeSettings
from marfa.stages.serve import Running

REQUESTS = 1000
SENTENCE = (
    "The film begins slowly and then the story grows on you, the actors are good, "
    "the music is not, "
)
REVIEW = (SENTENCE * 11)[:1100]  # about 200 words


def over_http(model: str, engine: str) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds."""
    with Running(model, ServeSettings(port=0, engine=engine)) as server:
        line = http.client.HTTPConnection(urlsplit(server.url).netloc)
        times = []
        for number in range(REQUESTS + 50):
            began = time.perf_counter()
            line.request("POST", "/invocations", REVIEW, {"Content-Type": "text/plain"})
            answer = line.getresponse()
            answer.read()
            if answer.status != 200:
                sys.exit(f"status {answer.status}")
            if number >= 50:
                times.append((time.perf_counter() - began) * 1000)
        line.close()
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))


def alone(model: str, engine: str) -> float:
    """Return the median milliseconds of one text without a server."""
    loaded = load(model, engine=engine)
    times = []
    for _ in range(300):
        began = time.perf_counter()
        loaded.judge([REVIEW])
        times.append((time.perf_counter() - began) * 1000)
    return float(np.median(times))


def main() -> None:
    """Print the table for a model.tar.gz."""
    model = sys.argv[1] if len(sys.argv) > 1 else "work/bench-default/model.tar.gz"
    rows = []
    for engine in ("onnx", "numpy"):
        p50, p99 = over_http(model, engine)
        rows.append(
            (engine, len(REVIEW.split()), f"{p50:.2f}", f"{p99:.2f}", f"{alone(model, engine):.2f}")
        )
    table(
        "One review over HTTP",
        ("engine", "words", "p50, ms", "p99, ms", "without the server, ms"),
        rows,
    )


if __name__ == "__main__":
    main()
