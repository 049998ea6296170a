"""What all peers share: marfa's path from text to ids, and ONNX Runtime with the bundle's own graph.

Each peer imports this within its own virtual environment, where marfa's source is on the path and
nothing of its server is used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from marfa.text.codec import Codec

WORKERS = int(os.environ.get("SERVING_WORKERS", "1"))
BATCH = int(os.environ.get("SERVING_BATCH", "0"))
PORT = int(os.environ.get("SERVING_PORT", "8000"))


class Judge:
    """A model that judges: SERVING_MODEL is a bundle's folder, SERVING_GRAPH the name of its graph."""

    def __init__(self) -> None:
        folder = Path(os.environ["SERVING_MODEL"])
        self._codec = Codec.from_json(json.loads((folder / "codec.json").read_text("utf-8")))
        self._labels = json.loads((folder / "config.json").read_text("utf-8"))["labels"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = (
            1  # one text on one core is fastest; the other has a worker too
        )
        graph = folder / os.environ["SERVING_GRAPH"]
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )

    def judge(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return the label of each text, and its probability."""
        ids = [self._codec.encode(text).ids for text in texts]
        lengths_B = np.array([len(each) for each in ids], dtype=np.int32)
        tokens_BT = np.zeros((len(ids), int(lengths_B.max())), dtype=np.int64)
        for line, each in zip(tokens_BT, ids, strict=True):
            line[: len(each)] = each
        (logits_BC,) = self._session.run(["logits"], {"tokens": tokens_BT, "lengths": lengths_B})
        logits_BC = logits_BC.astype(np.float64)
        powers_BC = np.exp(logits_BC - logits_BC.max(axis=1, keepdims=True))
        shares_BC = powers_BC / powers_BC.sum(axis=1, keepdims=True)
        return [
            {"label": self._labels[int(row.argmax())], "score": round(float(row.max()), 4)}
            for row in shares_BC
        ]
