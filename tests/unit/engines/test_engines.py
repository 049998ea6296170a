"""Three engines, one answer."""

import sys

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from safetensors.torch import save
from tests.shapes import LABELS, SHAPES, VOCABULARY

from marfa.bundle import GRAPHS
from marfa.engines import bounds, onnx_graph, rounding, weights
from marfa.engines.numpy_engine import NumpyEngine
from marfa.engines.onnx_engine import OnnxEngine
from marfa.errors import BundleError
from marfa.models.classifier import Classifier
from marfa.settings import ModelSettings

REFERENCES = {}


def engines(shape, small=False):
    torch.manual_seed(0)
    network = Classifier(shape, VOCABULARY, LABELS).eval()
    for weight in network.parameters():  # far from the small first weights
        weight.data.mul_(2)
    if small:
        table = network.embedding.weight.data
        table.copy_(torch.from_numpy(rounding.rounded(table.numpy(), 7)))
    tensors = weights.read(save(network.state_dict()))
    REFERENCES[f"{'rounded, ' if small else ''}{shape}"] = shape, tensors
    return (
        network,
        NumpyEngine(shape, tensors, VOCABULARY, LABELS),
        OnnxEngine(onnx_graph.build(shape, tensors)),
    )


MADE = {str(shape): engines(shape) for shape in SHAPES}
MADE |= {f"rounded, {shape}": engines(shape, small=True) for shape in SHAPES[-2:]}
LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=6)


@pytest.mark.parametrize("shape", MADE)
@given(lengths=LENGTHS, seed=st.integers(0, 99))
@settings(max_examples=15)
def test_torch_numpy_and_onnx_agree_at_every_batch_and_length(shape, lengths, seed):
    network, reference, fast = MADE[shape]
    tokens_BT, lengths_B = padded(lengths, seed)
    with torch.inference_mode():
        logits = network(torch.from_numpy(tokens_BT), torch.from_numpy(lengths_B))
    expected = logits.double().softmax(1).numpy()
    np.testing.assert_allclose(reference.probabilities(tokens_BT, lengths_B), expected, atol=2e-6)
    np.testing.assert_allclose(fast.probabilities(tokens_BT, lengths_B), expected, atol=2e-6)


def test_an_engine_does_not_keep_what_it_was_made_of():
    shape, tensors = next(iter(REFERENCES.values()))
    graph = onnx_graph.build(shape, tensors)
    before = sys.getrefcount(graph)
    engine = OnnxEngine(graph)
    assert sys.getrefcount(graph) == before
    assert engine.probabilities(*padded([3], 1)).shape == (1, LABELS)


def test_the_graph_is_the_same_bytes_every_time():
    shape = ModelSettings(embedding=5, hidden=4)
    network = Classifier(shape, VOCABULARY, LABELS)
    tensors = weights.read(save(network.state_dict()))
    assert onnx_graph.build(shape, tensors) == onnx_graph.build(shape, tensors)


def test_rounded_embeddings_are_bytes_in_the_graph_and_the_same_rows():
    """Beside them stand the same numbers in 32 bits, kept so by one row that does not fit."""
    shape = ModelSettings(embedding=50, hidden=4)
    tensors = weights.read(save(Classifier(shape, VOCABULARY, LABELS).state_dict()))
    small = tensors | {"embedding.weight": rounding.rounded(tensors["embedding.weight"], 7)}
    mixed = small["embedding.weight"].copy()
    mixed[-1, 0] *= 0.99
    graphs = [
        onnx_graph.build(shape, tensors | {"embedding.weight": table})
        for table in (small["embedding.weight"], mixed)
    ]
    assert len(graphs[0]) < len(graphs[1]) - 2 * mixed.size
    tokens_BT, lengths_B = np.arange(VOCABULARY - 1)[None], np.array([VOCABULARY - 1])
    found, expected = (OnnxEngine(graph).probabilities(tokens_BT, lengths_B) for graph in graphs)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def padded(lengths, seed):
    lengths_B = np.array(lengths)
    tokens_BT = np.random.default_rng(seed).integers(1, VOCABULARY, (len(lengths), max(lengths)))
    tokens_BT[np.arange(max(lengths)) >= lengths_B[:, None]] = 0
    return tokens_BT, lengths_B


SMALL = {
    name: OnnxEngine(onnx_graph.build(shape, tensors, small=True), "int8")
    for name, (shape, tensors) in REFERENCES.items()
}


@pytest.mark.parametrize("name", SMALL)
@given(lengths=LENGTHS, seed=st.integers(0, 99))
@settings(max_examples=10)
def test_eight_bits_are_near(name, lengths, seed):
    """With weights of usual size; what is far from it makes much of little, in four units."""
    shape, tensors = REFERENCES[name]
    usual = {each: array / 2 for each, array in tensors.items()}
    asked = padded(lengths, seed)
    expected = NumpyEngine(shape, usual, VOCABULARY, LABELS).probabilities(*asked)
    engine = OnnxEngine(onnx_graph.build(shape, usual, small=True), "int8")
    np.testing.assert_allclose(engine.probabilities(*asked), expected, atol=0.02)


@pytest.mark.parametrize("name", [name for name in SMALL if "layers=1" in name])
@given(lengths=LENGTHS, seed=st.integers(0, 99))
@settings(max_examples=10)
def test_in_eight_bits_a_text_is_answered_alike_whatever_stands_beside_it(name, lengths, seed):
    tokens_BT, lengths_B = padded(lengths, seed)
    together = SMALL[name].probabilities(tokens_BT, lengths_B)
    for line, length, row_C in zip(tokens_BT, lengths, together, strict=True):
        (alone_C,) = SMALL[name].probabilities(line[None, :length], np.array([length]))
        np.testing.assert_allclose(alone_C, row_C, atol=1e-6)


@pytest.mark.parametrize("name", SMALL)
def test_bounds_change_no_answer(name):
    """They do not in 32 bits; what they are for is above."""
    shape, tensors = REFERENCES[name]
    asked = padded([3, 17, 9], seed=5)
    wider, more = bounds.bounded(shape, bounds.unscaled(tensors, shape.skip))
    found = NumpyEngine(wider, more, VOCABULARY, LABELS).probabilities(*asked)
    np.testing.assert_allclose(found, MADE[name][1].probabilities(*asked), atol=2e-6)


def test_a_text_of_the_longest_and_one_of_one_word_share_a_batch_in_eight_bits():
    engine = SMALL[next(iter(SMALL))]
    tokens_BT, lengths_B = padded([700, 1], seed=1)
    long, short = engine.probabilities(tokens_BT, lengths_B)
    assert (engine.probabilities(tokens_BT[:1], lengths_B[:1])[0] == long).all()
    assert (engine.probabilities(tokens_BT[1:, :1], lengths_B[1:])[0] == short).all()


def test_few_bits_cannot_overflow_where_a_processor_adds_pairs_in_sixteen():
    shape, tensors = REFERENCES[list(SMALL)[-1]]
    model = onnx.load_model_from_string(onnx_graph.build(shape, tensors, small=True))
    kept = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    for name in ("lstm.0.W", "lstm.0.R"):
        assert kept[name].dtype == np.int8
        assert 32 < np.abs(kept[name].astype(int)).max() <= (2**15 - 1) // (2 * 255)
    assert kept["embedding"].dtype == np.int8


def test_extreme_weights_do_not_overflow():
    shape = ModelSettings(embedding=5, hidden=4)
    network = Classifier(shape, VOCABULARY, LABELS)
    tensors = {k: v * 1e4 for k, v in weights.read(save(network.state_dict())).items()}
    found = NumpyEngine(shape, tensors, VOCABULARY, LABELS).probabilities(
        np.array([[3, 4]]), np.array([2])
    )
    assert np.isfinite(found).all()


def test_tensors_that_do_not_fit_are_named():
    shape = ModelSettings(embedding=5, hidden=4)
    tensors = weights.read(save(Classifier(shape, VOCABULARY, LABELS).state_dict()))
    with pytest.raises(BundleError, match=r"embedding\.weight.*\(20, 5\).*\(21, 5\)"):
        NumpyEngine(shape, tensors, VOCABULARY + 1, LABELS)
    del tensors["output.bias"]
    with pytest.raises(BundleError, match=r"output\.bias"):
        NumpyEngine(shape, tensors, VOCABULARY, LABELS)


def test_no_graph_is_no_engine():
    for name, file in GRAPHS.items():
        with pytest.raises(BundleError, match="cannot be loaded") as refused:
            OnnxEngine(b"not a graph", name)
        assert refused.value.where == file
