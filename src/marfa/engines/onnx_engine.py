"""The fast engine: the bundle's graph, run by ONNX Runtime."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from marfa.engines.onnx_session import open_session

Ints = npt.NDArray[np.int64]


class OnnxEngine:
    """Computes with ONNX Runtime.

    Args:
        model: the bytes of model.onnx.
        threads: CPU threads for one call; one is fastest for a single text.

    Raises:
        BundleError: if the graph cannot be loaded.
    """

    name = "onnx"

    def __init__(self, model: bytes, threads: int = 1) -> None:
        self._session = open_session(model, threads, "model.onnx")

    def probabilities(self, tokens_BT: Ints, lengths_B: Ints) -> npt.NDArray[np.float64]:
        """Return the probability of each label; as `NumpyEngine.probabilities`."""
        feed = {"tokens": tokens_BT.astype(np.int64), "lengths": lengths_B.astype(np.int32)}
        (logits_BC,) = self._session.run(["logits"], feed)
        logits_BC = logits_BC.astype(np.float64)
        powers_BC = np.exp(logits_BC - logits_BC.max(axis=1, keepdims=True))
        return np.asarray(powers_BC / powers_BC.sum(axis=1, keepdims=True))
