"""What the page's own weights lose, measured on texts that were not learnt from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from marfa.bundle import Bundle
from marfa.console import Talk
from marfa.container import own
from marfa.data import dataset
from marfa.engines import weights
from marfa.engines.numpy_engine import NumpyEngine
from marfa.engines.numpy_writer import NumpyWriter
from marfa.engines.weights import Floats
from marfa.evaluation.crossentropy import WARM, held_out
from marfa.model import configuration
from marfa.predictor import probabilities
from marfa.settings import ModelSettings, WriterSettings, from_mapping

_TEXTS = 500
_CHARACTERS = 10_000
_MARGIN = 2
"""Times the largest difference measured: what other texts may come to."""


def measured(made: Bundle, prepared: Path, talk: Talk) -> dict[str, Any]:
    """Compare the page's own weights with those of the bundle.

    Both are run by the reference engine; the page's engine computes the same from the same weights.

    Args:
        made: a bundle, which need not be sealed yet.
        prepared: the dataset's folder, whose validation part is read.
        talk: whom to tell.

    Returns:
        The manifest's entry `page`; nothing where the page cannot read as the model does.
    """
    if not own.is_possible(made):
        return {}
    full = weights.read(made.contents["weights.safetensors"])
    small = own.tensors(made)
    kinds = full, {name: tensor.floats for name, tensor in small.items()}
    size = len(own.write(made, small))
    if size > own.LIMIT:
        talk.warn(f"package: the page's own model has {size:,} bytes, more than {own.LIMIT:,}")
    judges = configuration(made)["task"] == "classifier"
    found = _judged(made, prepared, *kinds) if judges else _written(made, prepared, *kinds)
    talk.say(f"package: the page's own model has {size:,} bytes; {_said(found)}")
    return {"page": {"bytes": size, **found}}


def _said(found: dict[str, Any]) -> str:
    if "texts" in found:
        return f"of {found['texts']} validation texts {found['changed']} get another label from it"
    return f"it loses {found['difference']:+.4f} nats a character on held-out text"


def _judged(made: Bundle, prepared: Path, full: dict[str, Floats], small: Any) -> dict[str, Any]:
    config = configuration(made)
    shape = from_mapping(ModelSettings, config["model"], where="config.json")
    split = dataset.read_split(prepared, "validation")
    chosen = [index for index in range(min(len(split), _TEXTS)) if split.lengths_N[index]]
    texts = [split.text_ids(index).tolist() for index in chosen]
    labels_N = split.labels_N[chosen]
    one_NC, other_NC = (
        np.array(
            probabilities(
                NumpyEngine(shape, each, config["vocabulary"], len(config["labels"])), texts
            )
        )
        for each in (full, small)
    )
    difference = float(np.abs(one_NC - other_NC).max(initial=0))
    one_N, other_N = one_NC.argmax(axis=1), other_NC.argmax(axis=1)
    return {
        "texts": len(texts),
        "accuracy": round(float((one_N == labels_N).mean()), 4),
        "page_accuracy": round(float((other_N == labels_N).mean()), 4),
        "changed": int((one_N != other_N).sum()),
        "difference": round(difference, 6),
        "tolerance": max(made.manifest["tolerance"], math.ceil(_MARGIN * difference * 1e4) / 1e4),
    }


def _written(made: Bundle, prepared: Path, full: dict[str, Floats], small: Any) -> dict[str, Any]:
    config = configuration(made)
    shape = from_mapping(WriterSettings, config["model"], where="config.json")
    before, after = (dataset.read_ids(prepared, part) for part in ("train", "validation"))
    before, after = before[-WARM:], after[:_CHARACTERS]
    ids = np.concatenate([before, after])
    one, other = (
        held_out(NumpyWriter(shape, each, config["vocabulary"]).read, ids, len(before), streams=1)
        for each in (full, small)
    )
    return {
        "characters": len(after),
        "float32_loss": round(one, 6),
        "page_loss": round(other, 6),
        "difference": round(other - one, 6),
    }
