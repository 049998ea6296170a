"""What a bundle that judges texts holds of its network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.numpy import save

from marfa import files
from marfa.engines import onnx_graph, rounding, weights
from marfa.settings import ModelSettings, PackageSettings, from_mapping


def contents(run: Path, settings: PackageSettings) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the files of a trained network, and what the manifest says of them besides.

    Args:
        run: the run's folder.
        settings: `min_known_share`, which travels in the configuration.
    """
    config = {**files.read_json(run / "config.json"), "min_known_share": settings.min_known_share}
    network = weights.read((run / "weights.safetensors").read_bytes())
    shape = from_mapping(ModelSettings, config["model"], where=str(run / "config.json"))
    return {
        "config.json": files.to_json(config),
        "weights.safetensors": save(rounding.stored(network, "embedding.weight")),
        "model.onnx": onnx_graph.build(shape, network),
    }, {}
