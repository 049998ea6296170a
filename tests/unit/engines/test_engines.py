"""Three engines, one answer."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save
from tests.shapes import LABELS, SHAPES, VOCABULARY

from marfa.engines import onnx_graph, rounding, weights
from marfa.engines.numpy_engine import NumpyEngine
from marfa.engines.onnx_engine import OnnxEngine
from marfa.errors import BundleError
from marfa.models.classifier import Classifier
from marfa.settings import ModelSettings


def engines(shape, small=False):
    torch.manual_seed(0)
    network = Classifier(shape, VOCABULARY, LABELS).eval()
    for weight in network.parameters():  # far from the small first weights
        weight.data.mul_(2)
    if small:
        table = network.embedding.weight.data
        table.copy_(torch.from_numpy(rounding.rounded(table.numpy(), 7)))
    tensors = weights.read(save(network.state_dict()))
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
    lengths_B = np.array(lengths)
    tokens_BT = np.random.default_rng(seed).integers(1, VOCABULARY, (len(lengths), max(lengths)))
    tokens_BT[np.arange(max(lengths)) >= lengths_B[:, None]] = 0
    with torch.inference_mode():
        logits = network(torch.from_numpy(tokens_BT), torch.from_numpy(lengths_B))
    expected = logits.double().softmax(1).numpy()
    np.testing.assert_allclose(reference.probabilities(tokens_BT, lengths_B), expected, atol=2e-6)
    np.testing.assert_allclose(fast.probabilities(tokens_BT, lengths_B), expected, atol=2e-6)


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
    assert found.tobytes() == expected.tobytes()


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
    with pytest.raises(BundleError, match="cannot be loaded"):
        OnnxEngine(b"not a graph")
