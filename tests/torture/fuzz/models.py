"""Small models of both tasks, made in a second, for what is thrown at them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from tests import untrained

from marfa import archives, bundle
from marfa.bundle import Bundle
from marfa.engines import onnx_graph, onnx_writer_graph, weights
from marfa.settings import ModelSettings, TextSettings, WriterSettings

T = TypeVar("T")

TASKS = ("classifier", "generator")
JUDGE = ModelSettings(embedding=8, hidden=6)
TEXT = TextSettings(vocabulary=400, max_words=60)
WRITER = WriterSettings(embedding=8, hidden=8, layers=1)


def made(task: str) -> Bundle:
    """Return a small bundle of a task, graph included; what it has learnt is nothing."""
    return judging(JUDGE, TEXT) if task == "classifier" else writing(WRITER)


def judging(shape: ModelSettings, text: TextSettings) -> Bundle:
    """Return a bundle that judges."""
    found = untrained.judge(shape, text)
    network = weights.read(found.contents["weights.safetensors"])
    return _with(found, onnx_graph.build(shape, network), "classifier")


def writing(shape: WriterSettings) -> Bundle:
    """Return a bundle that writes."""
    found = untrained.writer(shape)
    network = weights.read(found.contents["weights.safetensors"])
    return _with(found, onnx_writer_graph.build(shape, network), "generator")


def _with(found: Bundle, graph: bytes, task: str) -> Bundle:
    contents = {**found.contents, "model.onnx": graph}
    return bundle.verify(bundle.seal(contents, {"task": task}), task)


def drawn(task: str, seed: int) -> Iterator[Bundle]:
    """Yield bundles of a task without end, no two of the same settings.

    Whatever has a few values to choose from takes any of them; sizes are small, and odd as well as even.
    """
    dice, seen = random.Random(seed), set()
    while True:
        shape = {"embedding": dice.randint(1, 24), "hidden": dice.randint(1, 24)}
        shape["layers"] = dice.randint(1, 3)
        words = {"vocabulary": dice.randint(20, 500), "max_words": dice.randint(1, 80)}
        if task == "classifier":
            asked = (_chosen(ModelSettings, dice, shape), _chosen(TextSettings, dice, words))
        else:
            asked = (_chosen(WriterSettings, dice, shape),)
        if asked not in seen:
            seen.add(asked)
            yield (judging if task == "classifier" else writing)(*asked)


def _chosen(kind: type[T], dice: random.Random, sizes: dict[str, int]) -> T:
    """Return settings of some sizes, each other one that has a few values having any of them."""
    few = {
        item.name: (True, False) if item.type == "bool" else item.metadata["choices"]
        for item in fields(kind)  # type: ignore[arg-type]
    }
    return kind(**{name: dice.choice(each) for name, each in few.items() if each}, **sizes)


def packed(task: str, folder: Path) -> Path:
    """Write the bundle of a task."""
    path = folder / f"{task}.tar.gz"
    archives.write_tar_gz(path, made(task).members)
    return path
