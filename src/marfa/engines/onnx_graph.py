"""The classifier as an ONNX graph, built node by node.

torch's exporters do not export an LSTM over texts of different lengths; the ONNX operator itself takes
the lengths (`sequence_lens`), in both directions, so the graph is exact at every batch and length.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import TensorProto, helper

from marfa.engines import rounding
from marfa.engines.numpy_engine import directions
from marfa.engines.onnx_nodes import Graph
from marfa.engines.weights import Floats
from marfa.settings import ModelSettings


def build(settings: ModelSettings, weights: Mapping[str, Floats]) -> bytes:
    """Build the graph: tokens (B, T) int64 and lengths (B,) int32 in, logits (B, C) out.

    Args:
        settings: the shape of the network.
        weights: its tensors, by the names that training gives them.

    Returns:
        A serialised ONNX model, equal bytes for equal input.
    """
    graph = Graph()
    labels = len(weights["output.bias"])
    embedded = _embedded(graph, weights["embedding.weight"])
    embedded = graph.add("Transpose", embedded, perm=[1, 0, 2])  # time first
    states, last = embedded, ""
    for layer in range(settings.layers):
        states, last = _layer(graph, settings, weights, layer, states)
    inside = _inside(graph)
    count = graph.add(
        "Unsqueeze", graph.add("Cast", "lengths", to=TensorProto.FLOAT), graph.ints(1)
    )
    features = []
    if "mean" in settings.pooling:
        features.append(_mean(graph, states, inside, count))
    if "max" in settings.pooling:
        lowest = graph.weight("lowest", np.array(-np.inf, np.float32))
        kept = graph.add("Where", inside, states, lowest)
        features.append(graph.add("ReduceMax", kept, graph.ints(0), keepdims=0))
    if settings.pooling == "last":
        features.append(last)
    if settings.skip:
        features.append(_mean(graph, embedded, inside, count))
    joined = graph.add("Concat", *features, axis=1)
    output = graph.weight("output.weight", weights["output.weight"])
    bias = graph.weight("output.bias", weights["output.bias"])
    graph.add("Gemm", joined, output, bias, transB=1, name="logits")
    return graph.serialise(
        "marfa-classifier",
        [
            helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "words"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", labels])],
    )


def _embedded(graph: Graph, table_VE: Floats) -> str:
    """Add the embeddings of the tokens; rounded ones are bytes until their rows are looked up."""
    small = rounding.whole(table_VE)
    if small is None:
        return graph.add("Gather", graph.weight("embedding", table_VE), "tokens")
    steps_VE, scale = small
    rows = graph.add("Gather", graph.weight("embedding", steps_VE), "tokens")
    # A plain product, exact as it is: what ONNX Runtime does to DequantizeLinear has no part in it.
    rows = graph.add("Cast", rows, to=TensorProto.FLOAT)
    return graph.add("Mul", rows, graph.weight("scale", np.array(scale)))


def _layer(
    graph: Graph,
    settings: ModelSettings,
    weights: Mapping[str, Floats],
    layer: int,
    inputs: str,
) -> tuple[str, str]:
    """Add a layer; return its states (T, B, D * H) and its last states (B, D * H)."""
    prefixes = [f"lstm.{layer}.{direction}." for direction in range(directions(settings))]
    node = graph.lstm(layer, weights, prefixes, inputs, "lengths", outputs=2)
    width = settings.hidden * directions(settings)
    states = graph.add("Transpose", node, perm=[0, 2, 1, 3])
    states = graph.add("Reshape", states, graph.ints(0, 0, width))
    last = graph.add("Transpose", f"{node}_1", perm=[1, 0, 2])
    return states, graph.add("Reshape", last, graph.ints(0, width))


def _inside(graph: Graph) -> str:
    """Add the mask of positions within each text, shape (T, B, 1)."""
    shape = graph.add("Shape", "tokens")
    steps = graph.add("Gather", shape, graph.weight("one", np.array(1, np.int64)))
    zero = graph.weight("zero", np.array(0, np.int64))
    positions = graph.add("Range", zero, steps, graph.weight("step", np.array(1, np.int64)))
    positions = graph.add("Unsqueeze", positions, graph.ints(1))
    lengths = graph.add("Cast", "lengths", to=TensorProto.INT64)
    return graph.add("Unsqueeze", graph.add("Less", positions, lengths), graph.ints(2))


def _mean(graph: Graph, states: str, inside: str, count: str) -> str:
    nothing = graph.weight("nothing", np.array(0, np.float32))
    kept = graph.add("Where", inside, states, nothing)
    return graph.add("Div", graph.add("ReduceSum", kept, graph.ints(0), keepdims=0), count)
