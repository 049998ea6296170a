"""What a bundle that judges texts holds of its network: the same weights, in four bytes and in one."""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from marfa import files
from marfa.console import Talk
from marfa.data import dataset
from marfa.engines import onnx_graph, rounding, weights
from marfa.evaluation import refusal
from marfa.predictor import probabilities
from marfa.settings import ModelSettings, PackageSettings, from_mapping
from marfa.text import scripts
from marfa.text.clean import clean

MOST_MOVED = 0.001
"""Below this difference of the accuracy on validation, the graph in eight bits is what answers."""
_MARGIN = 2
"""Times the largest difference measured: what other texts may come to."""


def contents(
    prepared: Path, run: Path, settings: PackageSettings, talk: Talk
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the files of a trained network, and what the manifest says of them besides.

    Args:
        prepared: the dataset's folder, on whose validation part the eight-bit graph is tried.
        run: the run's folder.
        settings: `min_known_share`, which travels in the configuration.
        talk: whom to tell.
    """
    declared = {"min_known_share": refusal.DECLARED}  # of runs evaluated before there was a choice
    measured = files.read_json(run / "metrics.json").get("refusal", declared)
    config = {
        **files.read_json(run / "config.json"),
        "min_known_share": settings.min_known_share or measured["min_known_share"],
        "min_words": 1,
        "scripts": scripts.trained_on(map(clean, dataset.read_texts(prepared, "train"))),
    }
    network = weights.read((run / "weights.safetensors").read_bytes())
    shape = from_mapping(ModelSettings, config["model"], where=str(run / "config.json"))
    graph = onnx_graph.build(shape, network)
    found = {
        "config.json": files.to_json(config),
        "weights.safetensors": save(rounding.stored(network, "embedding.weight")),
        "model.onnx": graph,
    }
    if find_spec("onnxruntime") is None:
        talk.warn("package: onnxruntime is not installed, so there is no graph in eight bits")
        return found, {}
    small = onnx_graph.build(shape, network, small=True)
    compared = _compare(graph, small, prepared)
    said = "packaged, and the default" if compared["default"] else "not packaged"
    talk.say(
        f"package: eight bits are right on {compared['int8_accuracy']:.2%} of validation texts, "
        f"32 bits on {compared['float32_accuracy']:.2%}: {said}"
    )
    return found | ({"model.int8.onnx": small} if compared["default"] else {}), {"int8": compared}


def _compare(graph: bytes, small: bytes, prepared: Path) -> dict[str, Any]:
    """Return how right either graph is on the validation part, and how far their numbers lie apart."""
    from marfa.engines.onnx_engine import OnnxEngine

    split = dataset.read_split(prepared, "validation")
    chosen = [index for index in range(len(split)) if split.lengths_N[index]]
    texts = [split.text_ids(index).tolist() for index in chosen]
    labels_N = split.labels_N[chosen]
    one_NC, other_NC = (
        np.array(probabilities(OnnxEngine(each, name), texts))
        for each, name in ((graph, "onnx"), (small, "int8"))
    )
    one_N, other_N = one_NC.argmax(axis=1), other_NC.argmax(axis=1)
    moved = float((other_N == labels_N).mean() - (one_N == labels_N).mean())
    difference = float(np.abs(one_NC - other_NC).max())
    return {
        "texts": len(texts),
        "float32_accuracy": round(float((one_N == labels_N).mean()), 6),
        "int8_accuracy": round(float((other_N == labels_N).mean()), 6),
        "changed": int((one_N != other_N).sum()),
        "difference": round(difference, 6),
        "tolerance": min(1.0, math.ceil(_MARGIN * difference * 1e4) / 1e4),
        "default": abs(moved) < MOST_MOVED,
    }
