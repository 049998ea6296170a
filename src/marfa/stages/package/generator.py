"""What a bundle that writes text holds of its network: the same weights, in four bytes and in one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from marfa import files
from marfa.console import Talk
from marfa.data import dataset
from marfa.engines import onnx_writer_graph, weights
from marfa.evaluation.crossentropy import WARM, held_out
from marfa.settings import WriterPackageSettings, WriterSettings, from_mapping

_READ = 10_000
"""Held-out characters that the two kinds of weights are compared on."""


def contents(
    prepared: Path, run: Path, settings: WriterPackageSettings, talk: Talk
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the files of a trained network, and what the manifest says of them besides.

    Args:
        prepared: the dataset's folder, whose held-out part the eight-bit weights are tried on.
        run: the run's folder.
        settings: what eight-bit weights may lose to be the default.
        talk: whom to tell.
    """
    config = files.read_json(run / "config.json")
    network = (run / "weights.safetensors").read_bytes()
    shape = from_mapping(WriterSettings, config["model"], where=str(run / "config.json"))
    graph = onnx_writer_graph.build(shape, weights.read(network))
    found = {
        "config.json": files.to_json(config),
        "weights.safetensors": network,
        "model.onnx": graph,
    }
    if find_spec("onnxruntime") is None:
        talk.warn("package: onnxruntime is not installed, so there are no eight-bit weights")
        return found, {}
    from marfa.engines import quantise

    small = quantise.int8(graph)
    compared = _compare(graph, small, prepared, talk)
    compared["default"] = compared["difference"] < settings.max_int8_loss
    said = "the default" if compared["default"] else "not the default"
    talk.say(
        f"package: eight-bit weights lose {compared['difference']:+.4f} nats a character on held-out "
        f"text: {said}"
    )
    return {**found, "model.int8.onnx": small}, {"int8": compared}


def _compare(graph: bytes, small: bytes, prepared: Path, talk: Talk) -> dict[str, Any]:
    """Return the loss on held-out text with either kind of weights, a character a call as in serving.

    Eight-bit weights meet inputs whose range is taken call by call, so that reading many characters at
    once would measure something else than what is served.
    """
    from marfa.engines.onnx_writer import OnnxWriter

    before, after = (dataset.read_ids(prepared, part) for part in ("train", "validation"))
    before, after = before[-WARM:], after[:_READ]
    ids = np.concatenate([before, after])
    losses = {}
    for name, model in (("onnx", graph), ("int8", small)):
        with talk.bar(f"testing {name}", len(after), "characters") as bar:
            engine = OnnxWriter(model, name)
            losses[name] = held_out(
                engine.read, ids, len(before), streams=1, steps=1, seen=bar.update
            )
    return {
        "float32_loss": round(losses["onnx"], 6),
        "int8_loss": round(losses["int8"], 6),
        "difference": round(losses["int8"] - losses["onnx"], 6),
        "characters": len(after),
    }
