"""Small models of both tasks, made in a second, for what is thrown at them."""

from __future__ import annotations

from pathlib import Path

from tests import untrained

from marfa import archives, bundle
from marfa.bundle import Bundle
from marfa.engines import onnx_graph, onnx_writer_graph, weights
from marfa.settings import ModelSettings, TextSettings, WriterSettings

TASKS = ("classifier", "generator")


JUDGE = ModelSettings(embedding=8, hidden=6)
WRITER = WriterSettings(embedding=8, hidden=8, layers=1)


def made(task: str) -> Bundle:
    """Return a small bundle of a task, graph included; what it has learnt is nothing."""
    if task == "classifier":
        found = untrained.judge(JUDGE, TextSettings(vocabulary=400, max_words=60))
        network = weights.read(found.contents["weights.safetensors"])
        graph = onnx_graph.build(JUDGE, network)
    else:
        found = untrained.writer(WRITER)
        network = weights.read(found.contents["weights.safetensors"])
        graph = onnx_writer_graph.build(WRITER, network)
    contents = {**found.contents, "model.onnx": graph}
    return bundle.verify(bundle.seal(contents, {"task": task}), task)


def packed(task: str, folder: Path) -> Path:
    """Write the bundle of a task."""
    path = folder / f"{task}.tar.gz"
    archives.write_tar_gz(path, made(task).members)
    return path
