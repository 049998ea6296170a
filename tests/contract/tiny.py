"""A model that writes, with random weights, made in a moment."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from marfa import archives, bundle, files
from marfa.bundle import Bundle
from marfa.container import golden
from marfa.engines import onnx_writer_graph, quantise
from marfa.settings import AlphabetSettings, WriterSettings
from marfa.text.alphabet import Alphabet
from marfa.writer import Writer

SYMBOLS = tuple(sorted("\n ,.!'abcdehilnorsty"))
SHAPE = WriterSettings(embedding=6, hidden=8, layers=2)


def weights(seed):
    random = np.random.default_rng(seed)
    vocabulary, gates = len(SYMBOLS) + 1, 4 * SHAPE.hidden
    shapes = {"embedding.weight": (vocabulary, SHAPE.embedding)}
    for layer, width in ((0, SHAPE.embedding), (1, SHAPE.hidden)):
        shapes |= {
            f"lstm.{layer}.weight_ih_l0": (gates, width),
            f"lstm.{layer}.weight_hh_l0": (gates, SHAPE.hidden),
            f"lstm.{layer}.bias_ih_l0": (gates,),
            f"lstm.{layer}.bias_hh_l0": (gates,),
        }
    shapes |= {"output.weight": (vocabulary, SHAPE.hidden), "output.bias": (vocabulary,)}
    return {name: random.normal(0, 1.5, shape).astype(np.float32) for name, shape in shapes.items()}


def contents(seed=1):
    """Every file of the bundle but the manifest."""
    alphabet = Alphabet(AlphabetSettings(case="lower"), SYMBOLS)
    config = {
        "task": "generator",
        "name": "tiny",
        "vocabulary": alphabet.size,
        "model": asdict(SHAPE),
    }
    figures = {"summary": {"bits_per_character": 4.5, "baseline_bits_per_character": 4.25}}
    made = {
        "config.json": files.to_json(config),
        "codec.json": files.to_json(alphabet.to_json()),
        "weights.safetensors": save(weights(seed)),
        "metrics.json": files.to_json(figures),
    }
    made["model.onnx"] = onnx_writer_graph.build(SHAPE, weights(seed))
    made["model.int8.onnx"] = quantise.int8(made["model.onnx"])
    draft = Bundle({"model": bundle.model_id(made)}, made, "draft")
    return made | {"golden.jsonl": golden.record(Writer(draft, "numpy"))}


def write(path: Path, seed=1) -> Path:
    """Write a model.tar.gz."""
    archives.write_tar_gz(path, bundle.seal(contents(seed), {"task": "generator"}))
    return path
