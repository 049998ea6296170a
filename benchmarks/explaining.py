"""Which way of saying what each word adds to a label is the most faithful, and what each costs.

    python benchmarks/explaining.py MODEL DATASET [TEXTS]

MODEL is a model.tar.gz and DATASET the folder of the run's prepared texts, of which the validation part
is read. Words are taken out in the order of their weight, and the label's probability is looked at:
comprehensiveness is by how much it falls without the first 1, 5, 10, 20 and 50 % of the words,
sufficiency by how much with nothing but these, each the mean over the five (DeYoung et al., "ERASER",
ACL 2020, section 4). "Flips" is the share of words without which the label is another one, on
average. Words are taken out, or made rare, so that no way is
measured by itself alone (Samek et al., "Evaluating the visualization of what a deep neural network has
learned", 2017).
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy looks at it when it is imported

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from machine import median_seconds, table

from marfa import bundle, loading
from marfa.data import dataset
from marfa.engines import weights
from marfa.models.classifier import Classifier
from marfa.predictor import Engine, probabilities
from marfa.settings import ModelSettings, from_mapping
from marfa.text.vocab import RARE

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
STEPS = 32
WORDS = (50, 200, 600)
SENTENCE = (
    "It begins slowly and then the story grows on you, the actors are good, the music is not. "
)
WINDOW = 3
FLIPS = np.arange(0.02, 1.0, 0.02)

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Way = Callable[[Ids, int], Floats]
"""From the ids of a text and the index of its label to the weight of each word."""


def share_of(engine: Engine, label: int, texts: list[Ids]) -> Floats:
    """The label's probability in texts, some of which may have no word left."""
    kept = [at for at, ids in enumerate(texts) if len(ids)]
    found = np.full(len(texts), 0.5)
    found[kept] = [row[label] for row in probabilities(engine, [texts[at] for at in kept])]
    return found


def occlusion(engine: Engine, change: Callable[[Ids, int], Ids]) -> Way:
    """Weigh a word by what the label loses where `change` makes the text do without it."""

    def weigh(ids: Ids, label: int) -> Floats:
        texts = [ids, *(change(ids, at) for at in range(len(ids)))]
        whole, *without = share_of(engine, label, texts)
        return whole - np.array(without)

    return weigh


def windows(engine: Engine) -> Way:
    """Weigh a word by the mean of what the label loses without each stretch that it stands in."""

    def weigh(ids: Ids, label: int) -> Floats:
        width = min(WINDOW, len(ids))
        starts = range(len(ids) - width + 1)
        texts = [ids, *(np.delete(ids, np.s_[at : at + width]) for at in starts)]
        whole, *without = share_of(engine, label, texts)
        total, count = np.zeros(len(ids)), np.zeros(len(ids))
        for at, share in zip(starts, without, strict=True):
            total[at : at + width] += (whole - share) / width
            count[at : at + width] += 1
        return total / count

    return weigh


class Gradients:
    """The network in torch, and how its label's probability changes with each word's numbers."""

    def __init__(self, network: Classifier) -> None:
        self._network = network

    def weigh(self, steps: int, ids: Ids, label: int) -> Floats:
        """Gradient times input of one step; of more, integrated gradients (Sundararajan, 2017)."""
        table_VE = self._network.embedding.weight.detach()
        embedded_TE = table_VE[torch.from_numpy(ids)]
        parts = (torch.arange(steps) + 0.5) / steps if steps > 1 else torch.ones(1)
        scaled_BTE = (parts[:, None, None] * embedded_TE).requires_grad_()
        count = torch.full((steps,), len(ids))
        self._network.embedding.forward = lambda _: scaled_BTE.transpose(0, 1)
        logits_BC = self._network(torch.zeros(steps, len(ids), dtype=torch.long), count)
        logits_BC.softmax(1)[:, label].sum().backward()
        return (scaled_BTE.grad.mean(0) * embedded_TE).sum(1).numpy().astype(np.float64)


def measured(
    engine: Engine, ids: Ids, label: int, order: Ids, made: str
) -> tuple[float, float, float]:
    """Comprehensiveness, sufficiency and the share that flips the label, of one order of words."""

    def left(words: Ids) -> Ids:
        if made == "rare":
            changed = ids.copy()
            changed[words] = RARE
            return changed
        return np.delete(ids, words)

    counts = [max(1, round(share * len(ids))) for share in SHARES]
    steps = [max(1, round(share * len(ids))) for share in FLIPS]
    texts = [left(order[:count]) for count in counts]
    texts += [left(order[count:]) for count in counts]
    texts += [left(order[:count]) for count in steps]
    whole, *shares = share_of(engine, label, [ids, *texts])
    fallen = whole - np.array(shares)
    first, second, rest = np.split(fallen, [len(counts), 2 * len(counts)])
    flipped = np.flatnonzero(whole - rest < 0.5)
    flips = FLIPS[flipped[0]] if len(flipped) else 1.0
    return float(first.mean()), float(second.mean()), float(flips)


def costs(path: Path) -> list[tuple[object, ...]]:
    """How long an explanation of so many words takes, by engine, and the plain judgement before it."""
    rows = []
    for name in ("numpy", "onnx", "int8"):
        model = loading.of(bundle.load(path), name)
        for count in WORDS:
            text = " ".join((SENTENCE * count).split()[:count])
            judged = median_seconds(functools.partial(model.judge, [text]), 7)
            explained = median_seconds(functools.partial(model.explain, [text]), 5)
            rows.append((name, count, f"{judged * 1e3:.2f}", f"{explained * 1e3:.0f}"))
    return rows


def main() -> None:
    """Print the tables."""
    path, prepared = Path(sys.argv[1]), Path(sys.argv[2])
    most = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    torch.set_num_threads(1)
    held = bundle.load(path)
    engine = loading.of(held, "onnx").engine
    config = held.json("config.json")
    shape = from_mapping(ModelSettings, config["model"], where="config.json")
    network = Classifier(shape, config["vocabulary"], len(config["labels"])).eval()
    tensors = weights.read(held.contents["weights.safetensors"])
    network.load_state_dict(
        {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}
    )
    split = dataset.read_split(prepared, "validation")
    chance = np.random.default_rng(1)
    chosen = chance.permutation(np.flatnonzero(np.asarray(split.lengths_N) > 1))[:most]
    texts = [np.asarray(split.text_ids(int(at)), np.int64) for at in chosen]
    labels = [int(row.argmax()) for row in probabilities(engine, texts)]
    gradients = Gradients(network)
    ways: dict[str, Way] = {
        "random order": lambda ids, _: chance.permutation(len(ids)).astype(np.float64),
        "each word taken out": occlusion(engine, np.delete),
        "each word made rare": occlusion(engine, lambda ids, at: _with(ids, at, RARE)),
        f"stretches of {WINDOW} taken out": windows(engine),
        "gradient times input": functools.partial(gradients.weigh, 1),
        f"integrated gradients, {STEPS} steps": functools.partial(gradients.weigh, STEPS),
    }
    rows = []
    for name, weigh in ways.items():
        began = time.perf_counter()
        orders = [
            np.argsort(-weigh(ids, label), kind="stable")
            for ids, label in zip(texts, labels, strict=True)
        ]
        took = (time.perf_counter() - began) / len(texts)
        row: list[object] = [name]
        for made in ("out", "rare"):
            found = [
                measured(engine, ids, label, order, made)
                for ids, label, order in zip(texts, labels, orders, strict=True)
            ]
            comprehensive, sufficient, flips = np.mean(found, axis=0)
            row += [f"{comprehensive:.3f}", f"{sufficient:.3f}", f"{flips:.2f}"]
        rows.append((*row, f"{took * 1e3:.0f}"))
    measures = ("comprehensiveness", "sufficiency", "flips")
    table(
        f"Faithfulness, {config['name']}, {len(texts)} validation texts of "
        f"{np.mean([len(ids) for ids in texts]):.0f} words",
        (
            "way",
            *(f"{each}, words out" for each in measures),
            *(f"{each}, words rare" for each in measures),
            "ms a text",
        ),
        rows,
    )
    columns = ("engine", "words", "judged, ms", "explained, ms")
    table(f"What it costs, {config['name']}, one thread", columns, costs(path))


def _with(ids: Ids, at: int, other: int) -> Ids:
    changed = ids.copy()
    changed[at] = other
    return changed


if __name__ == "__main__":
    main()
