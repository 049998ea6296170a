"""The fast engine: the bundle's graph, run by ONNX Runtime."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from marfa.engines.onnx_session import open_session

Ints = npt.NDArray[np.int64]


class OnnxEngine:
    """Computes with ONNX Runtime.

    Args:
        graph: the bytes of model.onnx or model.int8.onnx.
        name: which of the two it is, `onnx` or `int8`.
        threads: CPU threads for one call; one is fastest for a single text.

    Attributes:
        at_once: words, padding counted, with which a call is fastest: more do not fit beside the weights
            in the second cache (1 MB), and the memory that a call takes grows with them.

    Raises:
        BundleError: if the graph cannot be loaded.
    """

    at_once = 1600

    def __init__(self, graph: bytes, name: str = "onnx", threads: int = 1) -> None:
        self.name = name
        self._session = open_session(graph, name, threads)

    def probabilities(self, tokens_BT: Ints, lengths_B: Ints) -> npt.NDArray[np.float64]:
        """Return the probability of each label; as `NumpyEngine.probabilities`."""
        feed = {"tokens": tokens_BT, "lengths": lengths_B.astype(np.int32)}
        (logits_BC,) = self._session.run(["logits"], feed)
        logits_BC = logits_BC.astype(np.float64)
        powers_BC = np.exp(logits_BC - logits_BC.max(axis=1, keepdims=True))
        return np.asarray(powers_BC / powers_BC.sum(axis=1, keepdims=True))
