"""Bundles with random weights, of any shape: what matters is their size, and that they answer."""

from dataclasses import asdict

import numpy as np
from safetensors.numpy import save

from marfa import bundle, files, loading
from marfa.bundle import Bundle
from marfa.container import golden
from marfa.engines import numpy_engine, numpy_writer, rounding
from marfa.settings import (
    AlphabetSettings,
    ModelSettings,
    TextSettings,
    TrainSettings,
    WriterSettings,
)
from marfa.text.alphabet import Alphabet
from marfa.text.codec import Codec
from marfa.text.vocab import PADDING, Vocab

KNOWN = ("a", "wonderful", "evening", "dull", "waste", "of", "time", "good", "film", "movi")
LETTERS = tuple(
    sorted("\n !$&',-.3:;?" + "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
)


def judge(shape=None, text=None) -> Bundle:
    """A model that judges, of the default preset's shape and size if not told otherwise."""
    shape, text = shape or ModelSettings(), text or TextSettings()
    random = np.random.default_rng(1)
    made = {"".join(random.choice(list("etaoinshrdlu"), 7)) for _ in range(2 * text.vocabulary)}
    words = (*KNOWN, *sorted(made))[: text.vocabulary - 2]
    codec = Codec(text, Vocab(words))
    config = {
        "task": "classifier",
        "vocabulary": codec.vocab.size,
        "labels": ["negative", "positive"],
        "min_known_share": 0.5,
        "min_words": 2,
        "scripts": ["Latn", "Arab"],
    }
    tensors = _random(numpy_engine.shapes(shape, codec.vocab.size, 2), random)
    tensors["embedding.weight"][PADDING] = 0
    bits = TrainSettings().embedding_bits
    tensors["embedding.weight"] = rounding.rounded(tensors["embedding.weight"], bits)
    return _sealed(config, shape, codec, rounding.stored(tensors, "embedding.weight"))


def writer(shape=None) -> Bundle:
    """A model that writes, of the default preset's shape and size if not told otherwise."""
    shape = shape or WriterSettings()
    alphabet = Alphabet(AlphabetSettings(), LETTERS)
    config = {"task": "generator", "vocabulary": alphabet.size}
    random = np.random.default_rng(1)
    tensors = _random(numpy_writer.shapes(shape, alphabet.size), random)
    return _sealed(config, shape, alphabet, tensors)


def _random(shapes, random):
    return {name: random.normal(0, 0.3, each).astype(np.float32) for name, each in shapes.items()}


def _sealed(config, shape, codec, tensors) -> Bundle:
    contents = {
        "config.json": files.to_json({**config, "name": "untrained", "model": asdict(shape)}),
        "codec.json": files.to_json(codec.to_json()),
        "weights.safetensors": save(tensors),
        "model.onnx": b"nobody reads this",
        "code/inference.py": b"# nor this\n",
    }
    draft = Bundle({"model": bundle.model_id(contents)}, contents, "draft")
    contents["golden.jsonl"] = golden.record(loading.of(draft, engine="numpy"))
    return bundle.verify(bundle.seal(contents, {"task": config["task"]}), "untrained")
