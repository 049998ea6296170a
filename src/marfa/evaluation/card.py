"""The model card: README.md of a bundle, with front matter that model hubs read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def write(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Write the card of a classifier or of a generator.

    Args:
        config: the run's config.json; a `task` of "generator" is a generator's.
        metrics: the run's metrics.json.

    Returns:
        Markdown with front matter; JSON values are valid YAML, so any label can stand in it.
    """
    kind = _generator if config.get("task") == "generator" else _classifier
    return kind(config, metrics["summary"])


def _front(
    config: Mapping[str, Any],
    kind: str,
    public: Sequence[str],
    metrics: Sequence[str],
    measured: Mapping[str, float],
    split: str = "test",
) -> str:
    data = config["data"]["data"]
    front = {
        "library_name": "marfa",
        "pipeline_tag": kind,
        "tags": ["lstm", kind, "onnx"],
        "datasets": [data if data in public else "own data"],
        "metrics": metrics,
        "model-index": [
            {
                "name": config["name"],
                "results": [
                    {
                        "task": {"type": kind},
                        "dataset": {"name": data, "type": data, "split": split},
                        "metrics": [
                            {"type": name, "value": value} for name, value in measured.items()
                        ],
                    }
                ],
            }
        ],
    }
    lines = "\n".join(f"{key}: {json.dumps(value)}" for key, value in front.items())
    return f"---\n{lines}\n---"


_FILES = """## Files

`bundle.json` lists every file with its SHA-256. There is no pickle in this archive.
"""


def _classifier(config: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    front = _front(
        config,
        "text-classification",
        ("imdb", "sample"),
        ["accuracy", "f1", "roc_auc"],
        {"accuracy": summary["accuracy"]},
    )
    low, high = summary["accuracy_95"]
    shape, data = config["model"], config["data"]["data"]
    directions = "bidirectional" if shape["bidirectional"] else "unidirectional"
    return f"""{front}

# {config["name"]}

A {directions} LSTM of {shape["hidden"]} units that sorts a text into: {", ".join(config["labels"])}.

| on {summary["n"]} test texts | accuracy |
|---|---|
| this network | {summary["accuracy"]:.4f} (95 % interval {low:.4f} to {high:.4f}) |
| bag of words, n-gram logistic regression | {summary["baseline_accuracy"]:.4f} |
| always the commonest label | {summary["majority_accuracy"]:.4f} |

## Use

    marfa serve model.tar.gz
    marfa predict model.tar.gz "A film I would gladly see again."

SageMaker unpacks this archive to /opt/ml/model and calls `code/inference.py`, which needs numpy alone.

## Limits

It knows the language and the kind of text that it was trained on ({data}), and nothing of the
world. Where fewer than {config["min_known_share"]:.0%} of a text's words are known it declines to
judge. Irony, quotation and mixed views mislead it. It must not decide about people.

{_FILES}"""


def _generator(config: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    front = _front(
        config,
        "text-generation",
        ("shakespeare", "sample"),
        ["bits_per_character", "perplexity"],
        {name: summary[name] for name in ("bits_per_character", "perplexity")},
        split="validation",
    )
    shape, data = config["model"], config["data"]["data"]
    least = f"{summary['baseline_bits_per_character']:.4f}"
    memory, copied = (_characters(summary[key]) for key in ("median_memory", "longest_copy"))
    layers = "one layer" if shape["layers"] == 1 else f"{shape['layers']} layers"
    return f"""{front}

# {config["name"]}

A character-level LSTM ({layers} of {shape["hidden"]} units) that continues a text.

| on {summary["n"]:,} characters kept from it while it learned | bits a character |
|---|---|
| this network | {summary["bits_per_character"]:.4f} (perplexity {summary["perplexity"]:.3f}) |
| {summary["baseline"]}, interpolated modified Kneser-Ney | {least} |
| the frequency of each character alone | {summary["unigram_bits_per_character"]:.4f} |

Fewer bits are better. These characters are the end of the text; they also chose the best epoch.

## Use

    marfa serve model.tar.gz
    marfa generate model.tar.gz --prompt "The ship came in"

SageMaker unpacks this archive to /opt/ml/model and calls `code/inference.py`, which needs numpy alone.

## Limits

It writes what looks like the text that it was trained on ({data}), and repeats what is wrong
or offensive there. It is not a source of facts. It has passages by heart: given a prompt from the
training text and continued with the likeliest character each time, half of its answers agree with
that text for {memory} or fewer, and the longest passage of its samples that
stands there word for word has {copied}. Do not train it on what must not be repeated.

{_FILES}"""


def _characters(count: int) -> str:
    return f"{count:,} character{'' if count == 1 else 's'}"
