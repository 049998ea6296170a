"""How marfa opens a graph with ONNX Runtime."""

from __future__ import annotations

from typing import Any

from marfa import environment
from marfa.bundle import GRAPHS
from marfa.engines.onnx_check import check
from marfa.errors import BundleError

environment.keep_onnxruntime_to_itself()
import onnxruntime  # noqa: E402 - it looks at the environment when it is imported


def open_session(graph: bytes, name: str, threads: int) -> Any:
    """Open a graph for the CPU.

    Args:
        graph: a serialised ONNX model.
        name: the engine's, one of bundle.GRAPHS, whose file is named where it cannot be loaded.
        threads: CPU threads for one call.

    Returns:
        An `onnxruntime.InferenceSession`.

    Raises:
        BundleError: if the graph cannot be loaded, or is made of anything that marfa's are not made of.
    """
    check(graph, GRAPHS[name])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # its warnings can quote the graph; errors come as exceptions
    # Without these three, memory grows with the largest batch ever seen, and with the number of sizes
    # ever seen, and threads burn while idle.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        message = "the graph cannot be loaded"
        raise BundleError(message, where=GRAPHS[name]) from error
    # It would keep the graph, to open it once more for another kind of processor, which there is not: as
    # much memory again as the weights take.
    session.disable_fallback()
    session._model_bytes = None  # noqa: SLF001
    return session
