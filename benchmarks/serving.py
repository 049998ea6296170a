"""Servers of the same graph side by side: marfa, LitServe, BentoML, and FastAPI with uvicorn.

`make bench-serving` (LOAD_MODEL=model.tar.gz). Each peer has a virtual environment of its own, marfa's
codec and the bundle's own graph; each is asked the same reviews of 200 words by the load tool of
tests/torture, which shares the machine with them. Ten minutes.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from machine import table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.torture.load import asked  # noqa: E402
from tests.torture.load.client import Ask, post  # noqa: E402
from tests.torture.load.drive import closed_load  # noqa: E402
from tests.torture.load.machine import at_rest, shared, sharing  # noqa: E402
from tests.torture.load.served import Served, marfa  # noqa: E402
from tests.torture.load.trivial import ceiling  # noqa: E402

HERE = Path(__file__).parent / "serving_peers"
RUNS = 3
SECONDS = 2.0
CLIENTS = (4, 16, 48)
BATCH = 16
TOLERANCE = 0.002


@dataclass(frozen=True)
class Stack:
    """A server, and how it is asked.

    Attributes:
        name: for the table.
        command: starts it; `{port}` is its port.
        ping: address that answers 200 when it can be asked.
        body: of the question about a text.
        env: its variables.
        read: takes label and score out of an answer.
        path: address of the question.
    """

    name: str
    command: list[str]
    ping: str
    body: Callable[[str], dict]
    env: dict[str, str] = field(default_factory=dict)
    read: Callable[[object], dict] = lambda answer: answer
    path: str = "/predict"


def stacks(model: Path, folder: Path, engine: str, graph: str, workers: int) -> list[Stack]:
    """Return all servers with so many workers each."""
    env = {
        "PYTHONPATH": f"{ROOT / 'src'}:{HERE}",
        "SERVING_MODEL": str(folder),
        "SERVING_GRAPH": graph,
        "SERVING_WORKERS": str(workers),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(folder / "bentoml"),
    }
    flags = ["--workers", str(workers), "--engine", engine]
    one, several = (lambda text: {"text": text}), (lambda text: {"texts": [text]})
    bento = ["-m", "bentoml", "serve", "with_bentoml:Reviews", "--working-dir", str(HERE)]
    bento += ["--host", "127.0.0.1", "--port", "{port}"]
    uvicorn = ["-m", "uvicorn", "with_fastapi:app", "--host", "127.0.0.1", "--port", "{port}"]
    uvicorn += ["--workers", str(workers), "--log-level", "warning"]
    lit = [str(HERE / "with_litserve.py")]
    batched = {**env, "SERVING_BATCH": str(BATCH)}
    found = [
        Stack("marfa", marfa(model, *flags), "/ping", one, path="/v1/predict"),
        Stack("LitServe", _python("litserve", lit), "/health", one, env),
        Stack(f"LitServe, batches of {BATCH}", _python("litserve", lit), "/health", one, batched),
        Stack("BentoML", _python("bentoml", bento), "/readyz", one, env),
        Stack(
            f"BentoML, batches of {BATCH}",
            _python("bentoml", bento),
            "/readyz",
            several,
            batched,
            lambda answer: answer[0],
        ),
        Stack("FastAPI, uvicorn", _python("fastapi", uvicorn), "/health", one, env),
    ]
    return [each for each in found if Path(each.command[0]).exists()]


def _python(stack: str, arguments: list[str]) -> list[str]:
    return [str(ROOT / ".venv-peers" / f"serving-{stack}" / "bin" / "python"), *arguments]


@dataclass
class Found:
    """What one run of a server came to."""

    first: float
    share: float
    resident: float
    p50: float
    p99: float
    best: float
    clients: int


def measure(stack: Stack, due: dict[str, dict]) -> Found:
    """Start a server, ask it, and stop it.

    Args:
        stack: the server.
        due: label and score of each review.
    """
    asks = [
        Ask(
            "a review",
            post(stack.path, json.dumps(stack.body(text)).encode(), "application/json"),
            _right(stack, answer),
        )
        for text, answer in due.items()
    ]
    served = Served(stack.command, ping=stack.ping)
    served.env = {**stack.env, "SERVING_PORT": str(served.port)}
    with served:
        once = closed_load(served.url, asks[:1], 1, 0.001)
        first = time.perf_counter() - served.began
        if once.answered != len(once):
            sys.exit(f"{stack.name} answers otherwise: {once.codes()}; {served.told()[-2000:]}")
        held = at_rest(served.process.pid)
        if others := sharing(served.process.pid):
            sys.exit(f"memory would be told too small: end the processes {others} first")
        closed_load(served.url, asks, 4, 0.5)
        alone = closed_load(served.url, asks, 1, SECONDS)
        best = {clients: closed_load(served.url, asks, clients, SECONDS) for clients in CLIENTS}
    if served.left:  # they would take the time of those that come after
        print(f"{stack.name}: {served.left} processes left after SIGTERM, killed", file=sys.stderr)
    for record in (alone, *best.values()):
        if record.answered < len(record):
            print(f"{stack.name}: {record.codes()}, {sum(record.wrong)} wrong", file=sys.stderr)
    clients = max(best, key=lambda each: best[each].rate)
    return Found(
        first,
        held.share / 1e6,
        held.resident / 1e6,
        alone.at(50) * 1000,
        alone.at(99) * 1000,
        best[clients].rate,
        clients,
    )


def _right(stack: Stack, due: dict) -> asked.Right:
    def right(status: int, body: bytes) -> bool:
        if status != 200:
            return False
        found = stack.read(json.loads(body))
        return found["label"] == due["label"] and abs(found["score"] - due["score"]) <= TOLERANCE

    return right


def _unpacked(model: Path, folder: Path, texts: list[str]) -> tuple[str, str, dict[str, dict]]:
    """Write what peers serve into a folder; return engine, graph, and what is due to each text."""
    from marfa import bundle, loading

    judge = loading.predictor(model)
    graph = bundle.GRAPHS.get(judge.engine.name, "model.onnx")
    for name in ("codec.json", "config.json", graph):
        (folder / name).write_bytes(bundle.load(model).contents[name])
    found = zip(texts, judge.judge(texts), strict=True)
    due = {text: {"label": each.label, "score": each.score} for text, each in found}
    return {file: name for name, file in bundle.GRAPHS.items()}[graph], graph, due


def main() -> None:
    """Print the table for a model.tar.gz."""
    named = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("LOAD_MODEL", "")
    model = Path(named or "work/bench-default/model.tar.gz")
    if not model.exists():
        sys.exit(
            f"{model}: no such model; name one, LOAD_MODEL=model.tar.gz, or make it: make bench"
        )
    texts = [asked.review(number) for number in range(32)]
    with tempfile.TemporaryDirectory(prefix="marfa-") as place:
        folder = Path(place)
        # in a process that ends: libraries that this one mapped too would count as its own in part
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
            engine, graph, due = apart.submit(_unpacked, model, folder, texts).result()
        asked_of = [
            (stack, workers)
            for workers in (1, 2)
            for stack in stacks(model, folder, engine, graph, workers)
        ]
        found: list[list[Found]] = [[] for _ in asked_of]
        for run in range(RUNS):  # in turns, since the pace of a machine moves
            for (stack, workers), runs in zip(asked_of, found, strict=True):
                print(f"{stack.name}, {workers}: run {run + 1}", file=sys.stderr)
                runs.append(measure(stack, due))
        rows = [
            _row(stack, workers, runs)
            for (stack, workers), runs in zip(asked_of, found, strict=True)
        ]
    tool = ceiling([Ask("a review", post("/predict", texts[0].encode(), "text/plain"))], shared())
    print(
        f"\nthe load tool's own ceiling, beside a server that does nothing: {tool.rate:,.0f} a second"
    )
    table(
        f"Servers of one graph ({graph}; reviews of 200 words; median of {RUNS} runs)",
        (
            "server",
            "workers",
            "one client: p50, ms",
            "p99, ms",
            "best throughput, a second",
            "with clients",
            "memory after start: PSS, MB",
            "RSS, MB",
            "cold start to the first answer, s",
        ),
        rows,
    )


def _row(stack: Stack, workers: int, found: list[Found]) -> tuple[object, ...]:
    def middle(name: str) -> float:
        return statistics.median(getattr(each, name) for each in found)

    return (
        stack.name,
        workers,
        f"{middle('p50'):.2f}",
        f"{middle('p99'):.2f}",
        f"{middle('best'):,.0f}",
        f"{middle('clients'):.0f}",
        f"{middle('share'):.0f}",
        f"{middle('resident'):.0f}",
        f"{middle('first'):.2f}",
    )


if __name__ == "__main__":
    main()
