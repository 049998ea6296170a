"""The classifier as an ONNX graph, built node by node.

torch's exporters do not export an LSTM over texts of different lengths; the ONNX operator itself takes
the lengths (`sequence_lens`), in both directions, so the graph is exact at every batch and length.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, checker, helper, numpy_helper

from marfa.engines.numpy_engine import directions
from marfa.engines.weights import Floats
from marfa.settings import ModelSettings

_OPSET = 18
_IR = 9


def build(settings: ModelSettings, weights: Mapping[str, Floats]) -> bytes:
    """Build the graph: tokens (B, T) int64 and lengths (B,) int32 in, logits (B, C) out.

    Args:
        settings: the shape of the network.
        weights: its tensors, by the names that training gives them.

    Returns:
        A serialised ONNX model, equal bytes for equal input.
    """
    graph = _Graph()
    labels = len(weights["output.bias"])
    embedded = graph.add("Gather", graph.weight("embedding", weights["embedding.weight"]), "tokens")
    embedded = graph.add("Transpose", embedded, perm=[1, 0, 2])  # time first
    states, last = embedded, ""
    for layer in range(settings.layers):
        states, last = _lstm(graph, settings, weights, layer, states)
    inside = _inside(graph)
    count = graph.add(
        "Unsqueeze", graph.add("Cast", "lengths", to=TensorProto.FLOAT), _ints(graph, 1)
    )
    features = []
    if "mean" in settings.pooling:
        features.append(_mean(graph, states, inside, count))
    if "max" in settings.pooling:
        lowest = graph.weight("lowest", np.array(-np.inf, np.float32))
        kept = graph.add("Where", inside, states, lowest)
        features.append(graph.add("ReduceMax", kept, _ints(graph, 0), keepdims=0))
    if settings.pooling == "last":
        features.append(last)
    if settings.skip:
        features.append(_mean(graph, embedded, inside, count))
    joined = graph.add("Concat", *features, axis=1)
    output = graph.weight("output.weight", weights["output.weight"])
    bias = graph.weight("output.bias", weights["output.bias"])
    graph.add("Gemm", joined, output, bias, transB=1, name="logits")
    return graph.serialise(labels)


class _Graph:
    """Nodes and weights as they are added; every node's result gets a name."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._weights: dict[str, TensorProto] = {}

    def add(self, kind: str, *inputs: str, name: str = "", outputs: int = 1, **options: Any) -> str:
        name = name or f"{kind}_{len(self._nodes)}"
        names = [name, *(f"{name}_{index}" for index in range(1, outputs))]
        self._nodes.append(helper.make_node(kind, list(inputs), names, name=name, **options))
        return name

    def weight(self, name: str, array: np.ndarray) -> str:
        self._weights[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def serialise(self, labels: int) -> bytes:
        graph = helper.make_graph(
            self._nodes,
            "marfa-classifier",
            [
                helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "words"]),
                helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
            ],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", labels])],
            list(self._weights.values()),
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR,
            producer_name="marfa",
        )
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))


def _lstm(
    graph: _Graph,
    settings: ModelSettings,
    weights: Mapping[str, Floats],
    layer: int,
    inputs: str,
) -> tuple[str, str]:
    """Add a layer; return its states (T, B, D * H) and its last states (B, D * H)."""
    hidden = settings.hidden
    prefixes = [f"lstm.{layer}.{direction}." for direction in range(directions(settings))]

    def gather(*names: str) -> Floats:
        parts = [
            np.concatenate([_reorder(weights[f"{prefix}{name}"], hidden) for name in names])
            for prefix in prefixes
        ]
        return np.stack(parts)

    node = graph.add(
        "LSTM",
        inputs,
        graph.weight(f"lstm.{layer}.W", gather("weight_ih_l0")),
        graph.weight(f"lstm.{layer}.R", gather("weight_hh_l0")),
        graph.weight(f"lstm.{layer}.B", gather("bias_ih_l0", "bias_hh_l0")),
        "lengths",
        outputs=2,
        hidden_size=hidden,
        direction="bidirectional" if settings.bidirectional else "forward",
    )
    width = hidden * directions(settings)
    states = graph.add("Transpose", node, perm=[0, 2, 1, 3])
    states = graph.add("Reshape", states, _ints(graph, 0, 0, width))
    last = graph.add("Transpose", f"{node}_1", perm=[1, 0, 2])
    return states, graph.add("Reshape", last, _ints(graph, 0, width))


def _reorder(array: Floats, hidden: int) -> Floats:
    """Change the gates' order from torch's (input, forget, cell, output) to ONNX's (i, o, f, c)."""
    opened, kept, new, shown = (array[at : at + hidden] for at in range(0, 4 * hidden, hidden))
    return np.concatenate([opened, shown, kept, new])


def _inside(graph: _Graph) -> str:
    """Add the mask of positions within each text, shape (T, B, 1)."""
    shape = graph.add("Shape", "tokens")
    steps = graph.add("Gather", shape, graph.weight("one", np.array(1, np.int64)))
    zero = graph.weight("zero", np.array(0, np.int64))
    positions = graph.add("Range", zero, steps, graph.weight("step", np.array(1, np.int64)))
    positions = graph.add("Unsqueeze", positions, _ints(graph, 1))
    lengths = graph.add("Cast", "lengths", to=TensorProto.INT64)
    return graph.add("Unsqueeze", graph.add("Less", positions, lengths), _ints(graph, 2))


def _mean(graph: _Graph, states: str, inside: str, count: str) -> str:
    nothing = graph.weight("nothing", np.array(0, np.float32))
    kept = graph.add("Where", inside, states, nothing)
    return graph.add("Div", graph.add("ReduceSum", kept, _ints(graph, 0), keepdims=0), count)


def _ints(graph: _Graph, *values: int) -> str:
    return graph.weight("ints_" + "_".join(map(str, values)), np.array(values, np.int64))
