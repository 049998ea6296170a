"""A graph is looked at before anything runs it."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from marfa.engines import onnx_graph, onnx_writer_graph
from marfa.engines.numpy_engine import shapes
from marfa.engines.numpy_writer import shapes as writer_shapes
from marfa.engines.onnx_check import check
from marfa.errors import BundleError
from marfa.settings import ModelSettings, WriterSettings

READ = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])
MADE = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])
ONE = numpy_helper.from_array(np.ones(1, np.float32), "one")
_RANDOM = np.random.default_rng(1)


def graph(*nodes, weights=(), **more):
    made = helper.make_graph(list(nodes), "g", [READ], [MADE], list(weights), **more)
    return helper.make_model(made)


def outside():
    tensor = TensorProto(name="w", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def within():
    body = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "b", [READ], [MADE])
    return helper.make_node("If", ["x"], ["y"], then_branch=body, else_branch=body)


ADD = helper.make_node("Add", ["x", "one"], ["y"])
BAD = {
    "another file": graph(ADD, weights=[ONE, outside()]),
    "operator": graph(helper.make_node("Gelu", ["x"], ["y"], domain="com.evil")),
    "no graph of marfa": graph(helper.make_node("ConstantOfShape", ["x"], ["y"])),
    "of its own": graph(within()),
    "constants alone": graph(helper.make_node("Add", ["one", "one"], ["y"]), weights=[ONE]),
    "too large": graph(ADD, weights=[ONE, numpy_helper.from_array(np.array([1 << 40]), "n")]),
    "more than 512": graph(*[ADD] * 513, weights=[ONE]),
}


@pytest.mark.parametrize("what", BAD)
def test_what_no_graph_of_marfa_holds_is_refused(what):
    with pytest.raises(BundleError, match=what):
        check(BAD[what].SerializeToString(), "model.onnx")


def test_functions_of_its_own_are_refused():
    made = graph(ADD, weights=[ONE])
    function = helper.make_function("", "Add", ["x"], ["y"], [], [helper.make_opsetid("", 18)])
    made.functions.append(function)
    with pytest.raises(BundleError, match="functions"):
        check(made.SerializeToString(), "model.onnx")


def drawn(found):
    made = {name: _RANDOM.normal(size=each).astype(np.float32) for name, each in found.items()}
    if "embedding.weight" in made:
        made["embedding.weight"][0] = 0  # padding is nothing
    return made


@pytest.mark.parametrize("pooling", ["mean+max", "max", "mean", "last"])
@pytest.mark.parametrize("both", [True, False])
def test_marfas_own_graphs_are_what_they_are_expected_to_be(pooling, both):
    shape = ModelSettings(embedding=4, hidden=3, pooling=pooling, bidirectional=both, skip=both)
    check(onnx_graph.build(shape, drawn(shapes(shape, 20, 2))), "model.onnx")


@pytest.mark.parametrize("kind", ["one-hot", "embedding"])
def test_those_that_write_are_too(kind):
    shape = WriterSettings(input=kind, embedding=4, hidden=3, layers=2)
    check(onnx_writer_graph.build(shape, drawn(writer_shapes(shape, 20))), "model.onnx")


@given(st.binary(max_size=60), st.integers(0, 200))
def test_anything_else_is_refused_and_nothing_worse(data, at):
    good = graph(ADD, weights=[ONE]).SerializeToString()
    for each in (data, good[:at] + data + good[at:]):
        with contextlib.suppress(BundleError):
            check(each, "model.onnx")
