"""The model card: README.md of a bundle, with front matter that model hubs read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def write(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Write the card.

    Args:
        config: the run's config.json.
        metrics: the run's metrics.json.

    Returns:
        Markdown with front matter; JSON values are valid YAML, so any label can stand in it.
    """
    summary, data = metrics["summary"], config["data"]
    front = {
        "library_name": "marfa",
        "pipeline_tag": "text-classification",
        "tags": ["lstm", "text-classification", "onnx"],
        "datasets": [data["data"] if data["data"] in {"imdb", "sample"} else "own data"],
        "metrics": ["accuracy", "f1", "roc_auc"],
        "model-index": [
            {
                "name": config["name"],
                "results": [
                    {
                        "task": {"type": "text-classification"},
                        "dataset": {"name": data["data"], "type": data["data"], "split": "test"},
                        "metrics": [{"type": "accuracy", "value": summary["accuracy"]}],
                    }
                ],
            }
        ],
    }
    lines = "\n".join(f"{key}: {json.dumps(value)}" for key, value in front.items())
    low, high = summary["accuracy_95"]
    shape = config["model"]
    directions = "bidirectional" if shape["bidirectional"] else "unidirectional"
    return f"""---
{lines}
---

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

It knows the language and the kind of text that it was trained on ({data["data"]}), and nothing of the
world. Where fewer than {config["min_known_share"]:.0%} of a text's words are known it declines to
judge. Irony, quotation and mixed views mislead it. It must not decide about people.

## Files

`manifest.json` lists every file with its SHA-256. There is no pickle in this archive.
"""
