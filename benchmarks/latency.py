"""One review over HTTP, one client after the other request, and the engines behind it, alone.

The engines' figures are of one thread: medians of rounds in which all of them take turns, so that what
else the machine does hits all of them. The floor is what the multiplications alone would take, at the
speed at which this core multiplies large matrices of 32 bits; eight bits may go below it.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy looks at it when it is imported

import functools
import http.client
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from machine import median_seconds, table
from onnx import helper

from marfa import bundle, loading
from marfa.bundle import GRAPHS, Bundle
from marfa.engines.onnx_nodes import Graph
from marfa.engines.onnx_session import open_session
from marfa.loading import load
from marfa.predictor import probabilities
from marfa.settings import ModelSettings, ServeSettings, from_mapping
from marfa.stages.serve import Running

REQUESTS = 1000
WORDS = 200
BATCHES = (1, 4, 8, 16, 32)
ROUNDS = 15
SIDE = 1024
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


def engines_of(held: Bundle) -> list[str]:
    """The engines that a bundle has."""
    return [*(name for name, file in GRAPHS.items() if file in held.contents), "numpy"]


def gigaflops() -> float:
    """What one core does in 32 bits, by ONNX Runtime's own product of two large matrices."""
    graph = Graph()
    graph.add("MatMul", "a", "b", name="c")
    a, b, c = (helper.make_tensor_value_info(name, 1, [SIDE, SIDE]) for name in "abc")
    session = open_session(graph.serialise("product", [a, b], [c]), "onnx", 1)
    one, other = np.random.default_rng(1).standard_normal((2, SIDE, SIDE), np.float32)
    return 2 * SIDE**3 / median_seconds(lambda: session.run(None, {"a": one, "b": other}), 11) / 1e9


def floor(held: Bundle, rate: float) -> float:
    """Milliseconds of the multiplications that a text takes, each word's input among them."""
    shape = from_mapping(ModelSettings, held.json("config.json")["model"], where=held.where)
    count = 2 if shape.bidirectional else 1
    width, products = shape.embedding, 0
    for _ in range(shape.layers):
        products += count * 4 * shape.hidden * (width + shape.hidden)
        width = count * shape.hidden
    return WORDS * products * 2 / rate / 1e6


def engines(model: str) -> list[tuple[object, ...]]:
    """Return a row for each engine of a model."""
    held = bundle.load(Path(model))
    size = held.json("config.json")["vocabulary"]
    # As common as words are: the hundredth is a hundredth as common as the first.
    chance = np.random.default_rng(1)
    shares = 1 / np.arange(1, size - 1)
    drawn = chance.choice(np.arange(2, size), (max(BATCHES), WORDS), p=shares / shares.sum())
    texts = drawn.tolist()
    loaded = {name: loading.of(held, name).engine for name in engines_of(held)}
    seconds = {(name, count): [] for name in loaded for count in BATCHES}
    for _ in range(ROUNDS):
        for (name, count), taken in seconds.items():
            work = functools.partial(
                loaded[name].probabilities, drawn[:count], np.full(count, WORDS)
            )
            taken.append(median_seconds(work, 5))
    rows = []
    least = floor(held, gigaflops())
    for name, engine in loaded.items():
        medians = {count: float(np.median(seconds[name, count])) for count in BATCHES}
        whole = median_seconds(functools.partial(probabilities, engine, texts), 15)
        speeds = [f"{count / medians[count]:,.0f}" for count in BATCHES]
        one = f"{medians[1] * 1e3:.2f}", f"{least:.2f}"
        cut = f"{engine.at_once:,}", f"{len(texts) / whole:,.0f}"
        rows.append((held.json("config.json")["name"], name, *one, *speeds, *cut))
    return rows


def main() -> None:
    """Print the tables, of one model.tar.gz over HTTP and of all that are given alone."""
    models = sys.argv[1:] or ["work/bench-default/model.tar.gz"]
    table(
        f"Engines alone, texts of {WORDS} words, one thread, load {os.getloadavg()[0]:.1f}",
        (
            *("model", "engine", "one text, ms", "floor, ms"),
            *(f"texts a second, {count} a call" for count in BATCHES),
            *("words a call, as cut", f"{max(BATCHES)} texts as cut, a second"),
        ),
        [row for model in models for row in engines(model)],
    )
    rows = []
    for engine in engines_of(bundle.load(Path(models[0]))):
        p50, p99 = over_http(models[0], engine)
        took = f"{alone(models[0], engine):.2f}"
        rows.append((engine, len(REVIEW.split()), f"{p50:.2f}", f"{p99:.2f}", took))
    table(
        "One review over HTTP",
        ("engine", "words", "p50, ms", "p99, ms", "without the server, ms"),
        rows,
    )


if __name__ == "__main__":
    main()
