"""The generator as an ONNX graph, built node by node, its state an input and an output.

Legend: T characters, B texts side by side, V ids of the alphabet, H hidden units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import TensorProto, ValueInfoProto, helper

from marfa.engines.onnx_nodes import Graph
from marfa.engines.weights import Floats
from marfa.settings import WriterSettings


def build(settings: WriterSettings, weights: Mapping[str, Floats]) -> bytes:
    """Build the graph.

    In: tokens (T, B) int64, and of each layer h_0, c_0, h_1 … (1, B, H), the state before the first
    character. Out: logits (T, B, V), and h_0_out, c_0_out … (1, B, H), the state after the last one.
    All layers in one tensor would be cut and joined for every character, which takes 7 % of its time.

    Args:
        settings: the shape of the network.
        weights: its tensors, by the names that training gives them.

    Returns:
        A serialised ONNX model, equal bytes for equal input.
    """
    graph = Graph()
    layers, vocabulary = settings.layers, len(weights["output.bias"])
    if settings.input == "embedding":
        table = graph.weight("embedding", weights["embedding.weight"])
        states = graph.add("Gather", table, "tokens")
    else:
        ends = graph.weight("zero_and_one", np.array([0, 1], np.float32))
        states = graph.add("OneHot", "tokens", graph.ints(vocabulary), ends)
    state = []
    for layer in range(layers):
        before = [f"h_{layer}", f"c_{layer}"]
        after = [f"{name}_out" for name in before]
        # No lengths: the texts side by side are equally long.
        node = graph.lstm(layer, weights, [f"lstm.{layer}."], states, "", *before, others=after)
        states = graph.add("Squeeze", node, graph.ints(1))
        state += before
    # MatMul and not Gemm, which is for two axes only.
    output = graph.weight("output.weight", weights["output.weight"].T)
    bias = graph.weight("output.bias", weights["output.bias"])
    graph.add("Add", graph.add("MatMul", states, output), bias, name="logits")
    part: list[int | str] = [1, "batch", settings.hidden]
    return graph.serialise(
        "marfa-writer",
        [
            helper.make_tensor_value_info("tokens", TensorProto.INT64, ["characters", "batch"]),
            *(_floats(name, part) for name in state),
        ],
        [
            _floats("logits", ["characters", "batch", vocabulary]),
            *(_floats(f"{name}_out", part) for name in state),
        ],
    )


def _floats(name: str, shape: Sequence[int | str]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
