"""The fast engine: the bundle's graph, run by ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from marfa.errors import BundleError

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
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = (
            4  # its warnings can quote the graph; errors come as exceptions
        )
        # Without these two, memory grows with the largest batch ever seen and threads burn while idle.
        options.enable_cpu_mem_arena = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: Any = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            message = "the graph cannot be loaded"
            raise BundleError(message, where="model.onnx") from error

    def probabilities(self, tokens_BT: Ints, lengths_B: Ints) -> npt.NDArray[np.float64]:
        """Return the probability of each label; as `NumpyEngine.probabilities`."""
        feed = {"tokens": tokens_BT.astype(np.int64), "lengths": lengths_B.astype(np.int32)}
        (logits_BC,) = self._session.run(["logits"], feed)
        logits_BC = logits_BC.astype(np.float64)
        powers_BC = np.exp(logits_BC - logits_BC.max(axis=1, keepdims=True))
        return np.asarray(powers_BC / powers_BC.sum(axis=1, keepdims=True))
