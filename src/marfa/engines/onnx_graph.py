"""The classifier as an ONNX graph, built node by node.

torch's exporters do not export an LSTM over texts of different lengths; the ONNX operator itself takes
the lengths (`sequence_lens`), in both directions, so the graph is exact at every batch and length.

Legend: B texts, T words of the longest, V word ids, E embedding, D directions, H hidden units, C labels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import TensorProto, helper

from marfa.engines import bounds, rounding
from marfa.engines.numpy_engine import directions
from marfa.engines.onnx_nodes import Graph
from marfa.engines.weights import Floats
from marfa.settings import ModelSettings
from marfa.text.vocab import PADDING

BITS = 7
"""Of a weight in the graph of few: with eight, processors without VNNI would overflow in sixteen bits
where they add two products, and answer otherwise without a word."""
_AT_ONCE = 16
"""Words whose greatest number is found at once."""


def build(settings: ModelSettings, weights: Mapping[str, Floats], *, small: bool = False) -> bytes:
    """Build the graph: tokens (B, T) int64 and lengths (B,) int32 in, logits (B, C) out.

    Tokens behind a text's length must be 0, whose embedding is nothing.

    Args:
        settings: the shape of the network.
        weights: its tensors, by the names that training gives them.
        small: the LSTM's weights are to have few bits, and what it reads eight; a text's logits are the
            same whatever stands beside it (of one layer; of several, once texts have some ten words).

    Returns:
        A serialised ONNX model, equal bytes for equal input.
    """
    assert not weights["embedding.weight"][PADDING].any(), "padding is nothing"
    graph, bits = Graph(), BITS if small else 0
    labels = len(weights["output.bias"])
    weights = bounds.unscaled(weights, settings.skip)
    if small:
        settings, weights = bounds.bounded(settings, weights)
    embedded = _embedded(graph, weights["embedding.weight"])
    states, last, read = "", "", embedded
    for layer in range(settings.layers):
        if layer:
            read = graph.add("Transpose", states, perm=[0, 2, 1, 3])
            read = graph.add("Reshape", read, graph.ints(0, 0, -1))
        prefixes = [f"lstm.{layer}.{direction}." for direction in range(directions(settings))]
        states = graph.lstm(layer, weights, prefixes, read, "lengths", bits=bits, outputs=2)
        last = f"{states}_1"
    counts = graph.add("Cast", "lengths", to=TensorProto.FLOAT)
    counts = graph.add("Unsqueeze", counts, graph.ints(1))
    features = []
    if "mean" in settings.pooling:
        features.append(_joined(graph, _mean(graph, states, counts)))
    if "max" in settings.pooling:
        features.append(_joined(graph, _greatest(graph, states, settings)))
    if settings.pooling == "last":
        features.append(_joined(graph, last))
    if settings.skip:
        features.append(_mean(graph, embedded, counts))
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
    """Add the embeddings of the tokens, time first; whole numbers are bytes until they are looked up."""
    tokens = graph.add("Transpose", "tokens", perm=[1, 0])
    small = rounding.as_bytes(table_VE)
    if small is None:
        return graph.add("Gather", graph.weight("embedding", table_VE), tokens)
    rows = graph.add("Gather", graph.weight("embedding", small), tokens)
    return graph.add("Cast", rows, to=TensorProto.FLOAT)


def _mean(graph: Graph, states: str, counts: str) -> str:
    """Add the mean over the words of each text; behind its length, states are nothing."""
    return graph.add("Div", graph.add("ReduceSum", states, graph.ints(0), keepdims=0), counts)


def _greatest(graph: Graph, states: str, settings: ModelSettings) -> str:
    """Add the greatest number of each unit over the words of each text.

    Pooling before ReduceMax takes a quarter of the time of ReduceMax alone, and Add half of Where's.
    """
    nothing = graph.weight("nothing", np.array(0, np.float32))
    lowest = graph.weight("lowest", np.array(-np.inf, np.float32))
    mask = graph.add("Where", _inside(graph), nothing, lowest)  # (T, B)
    mask = graph.add("Unsqueeze", mask, graph.ints(1, 3))
    rows = graph.add("Flatten", graph.add("Add", states, mask), axis=1)  # a row a word
    sheet = graph.add("Unsqueeze", rows, graph.ints(0, 1))
    window = [_AT_ONCE, 1]
    pooled = graph.add("MaxPool", sheet, kernel_shape=window, strides=window, ceil_mode=1)
    found = graph.add("ReduceMax", pooled, graph.ints(2), keepdims=0)
    return graph.add("Reshape", found, graph.ints(directions(settings), -1, settings.hidden))


def _inside(graph: Graph) -> str:
    """Add the mask of positions within each text, shape (T, B)."""
    steps = graph.add("Squeeze", graph.add("Shape", "tokens", start=1, end=2), graph.ints(0))
    zero, one = (graph.weight(f"number_{each}", np.array(each, np.int64)) for each in (0, 1))
    positions = graph.add("Range", zero, steps, one)
    lengths = graph.add("Cast", "lengths", to=TensorProto.INT64)
    return graph.add("Less", graph.add("Unsqueeze", positions, graph.ints(1)), lengths)


def _joined(graph: Graph, states: str) -> str:
    """Add both directions' numbers side by side: (D, B, H) to (B, D * H)."""
    return graph.add("Flatten", graph.add("Transpose", states, perm=[1, 0, 2]), axis=1)
