"""What the graphs of both tasks are made of: nodes, weights, and the LSTM operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper

from marfa.engines import rounding
from marfa.engines.weights import Floats

_OPSET = 18
_IR = 9
_MICROSOFT = "com.microsoft"


class Graph:
    """Nodes and weights as they are added; every node's result gets a name."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._weights: dict[str, TensorProto] = {}

    def add(
        self,
        kind: str,
        *inputs: str,
        name: str = "",
        outputs: int = 1,
        others: Sequence[str] = (),
        **options: Any,
    ) -> str:
        """Add a node.

        Args:
            kind: the operator.
            inputs: names of what it reads.
            name: its own and its first result's; made up if not given.
            outputs: how many of its results are used.
            others: the names of its results after the first; `name_1`, `name_2` if not given.
            options: the operator's attributes.

        Returns:
            The first result's name.
        """
        name = name or f"{kind}_{len(self._nodes)}"
        names = [name, *(others or (f"{name}_{index}" for index in range(1, outputs)))]
        self._nodes.append(helper.make_node(kind, list(inputs), names, name=name, **options))
        return name

    def weight(self, name: str, array: np.ndarray) -> str:
        """Add numbers that belong to the graph; return their name."""
        self._weights[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def ints(self, *values: int) -> str:
        """Add whole numbers, as axes and shapes are given; return their name."""
        return self.weight("ints_" + "_".join(map(str, values)), np.array(values, np.int64))

    def lstm(
        self,
        layer: int,
        weights: Mapping[str, Floats],
        prefixes: Sequence[str],
        *inputs: str,
        bits: int = 0,
        **results: Any,
    ) -> str:
        """Add a layer.

        Args:
            layer: its number, for the names of its weights.
            weights: all tensors, by the names that training gives them.
            prefixes: what the names of its tensors begin with, one for each direction.
            inputs: what it reads; then, as the operator has them, lengths, first states and cells.
            bits: how many each weight is to have, 0 for all; with few of them it is the operator of
                ONNX Runtime that brings what it reads, and its states, to eight bits as well.
            results: as `add` has them: all states, the last states, the last cells.

        Returns:
            The name of all its states, of shape (T, D, B, H).
        """
        hidden = weights[f"{prefixes[0]}weight_hh_l0"].shape[1]

        def gather(*names: str) -> Floats:
            parts = [
                np.concatenate([_reorder(weights[f"{prefix}{name}"], hidden) for name in names])
                for prefix in prefixes
            ]
            return np.stack(parts)

        read, *others = inputs
        matrices = {"W": gather("weight_ih_l0"), "R": gather("weight_hh_l0")}
        bias = self.weight(f"lstm.{layer}.B", gather("bias_ih_l0", "bias_hh_l0"))
        options = {
            **results,
            "hidden_size": hidden,
            "direction": "bidirectional" if len(prefixes) == 2 else "forward",
        }
        if not bits:
            named = [self.weight(f"lstm.{layer}.{kind}", each) for kind, each in matrices.items()]
            return self.add("LSTM", read, *named, bias, *others, **options)
        named, scales = [], []
        for kind, matrix_DGK in matrices.items():
            parts = [rounding.fitted(matrix_KG, bits) for matrix_KG in matrix_DGK.swapaxes(1, 2)]
            steps, of_each = (np.stack(each) for each in zip(*parts, strict=True))
            named.append(self.weight(f"lstm.{layer}.{kind}", steps))
            scales.append(self.weight(f"lstm.{layer}.{kind}.scale", of_each))
            scales.append(self.weight(f"lstm.{layer}.zero", np.zeros(len(prefixes), np.int8)))
        absent = [""] * (4 - len(others))  # lengths, first states and cells, weights of peepholes
        inputs = (read, *named, bias, *others, *absent, *scales)
        return self.add("DynamicQuantizeLSTM", *inputs, **options, domain=_MICROSOFT)

    def serialise(
        self, name: str, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]
    ) -> bytes:
        """Return the whole as an ONNX model, checked; equal bytes for equal graphs."""
        domains = {node.domain: 1 for node in self._nodes} | {"": _OPSET}
        graph = helper.make_graph(self._nodes, name, inputs, outputs, list(self._weights.values()))
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(each, of) for each, of in sorted(domains.items())],
            ir_version=_IR,
            producer_name="marfa",
        )
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))


def _reorder(array: Floats, hidden: int) -> Floats:
    """Change the gates' order from torch's (input, forget, cell, output) to ONNX's (i, o, f, c)."""
    opened, kept, new, shown = (array[at : at + hidden] for at in range(0, 4 * hidden, hidden))
    return np.concatenate([opened, shown, kept, new])
