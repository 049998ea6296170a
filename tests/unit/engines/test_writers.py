"""Numpy, ONNX Runtime and torch: one network, one answer, however the text is cut."""

import logging
import tempfile
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from marfa.engines import onnx_writer_graph, quantise
from marfa.engines.numpy_writer import NumpyWriter, shapes, stretches
from marfa.engines.onnx_writer import OnnxWriter
from marfa.engines.sampling import Sampler, Sampling
from marfa.errors import BundleError
from marfa.settings import WriterSettings

VOCABULARY = 11
SHAPES = {
    f"{kind}-{layers}": WriterSettings(input=kind, embedding=5, hidden=6, layers=layers)
    for kind in ("embedding", "one-hot")
    for layers in (1, 2, 3)
}
EXACT = 1e-5


def tensors(shape, vocabulary=VOCABULARY, size=1.5):
    generator = np.random.default_rng(0)
    return {
        name: (generator.standard_normal(axes) * size / axes[-1] ** 0.5).astype(np.float32)
        for name, axes in shapes(shape, vocabulary).items()
    }


class TorchWriter:
    """The same network of torch's own layers."""

    def __init__(self, shape, weights):
        self.layers = torch.nn.ModuleList()
        given = {name: torch.from_numpy(array) for name, array in weights.items()}
        for layer in range(shape.layers):
            prefix = f"lstm.{layer}."
            own = {k.removeprefix(prefix): v for k, v in given.items() if k.startswith(prefix)}
            module = torch.nn.LSTM(own["weight_ih_l0"].shape[1], shape.hidden)
            module.load_state_dict(own)
            self.layers.append(module)
        vocabulary = len(given["output.bias"])
        self.table = given.get("embedding.weight", torch.eye(vocabulary))
        self.output = given["output.weight"], given["output.bias"]

    @torch.inference_mode()
    def read(self, tokens_TB):
        states = self.table[torch.from_numpy(tokens_TB)]
        for layer in self.layers:
            states, _ = layer(states)
        return torch.nn.functional.linear(states, *self.output).numpy()


def engines(shape):
    weights = tensors(shape)
    graph = onnx_writer_graph.build(shape, weights)
    return (
        TorchWriter(shape, weights),
        NumpyWriter(shape, weights, VOCABULARY),
        OnnxWriter(graph),
        OnnxWriter(quantise.int8(graph), "int8"),
    )


MADE = {name: engines(shape) for name, shape in SHAPES.items()}
INFO = Path("/proc/cpuinfo")
EIGHT_BITS = 0.06 if not INFO.exists() or "vnni" in INFO.read_text() else 0.3
"""Without VNNI a sum of two products of eight bits is cut off at sixteen, now and then."""
WRITERS = [(name, place) for name in SHAPES for place in (1, 2, 3)]


def characters(*axes, seed=0):
    return np.random.default_rng(seed).integers(0, VOCABULARY, axes)


@pytest.mark.parametrize("name", SHAPES)
@given(steps=st.integers(1, 30), batch=st.integers(1, 4), seed=st.integers(0, 99))
@settings(max_examples=15)
def test_torch_numpy_and_onnx_agree_at_every_length_and_batch(name, steps, batch, seed):
    torch_network, reference, fast, small = MADE[name]
    tokens_TB = characters(steps, batch, seed=seed)
    expected = torch_network.read(tokens_TB)
    for engine, tolerance in ((reference, EXACT), (fast, EXACT), (small, EIGHT_BITS)):
        logits_TBV, _ = engine.read(tokens_TB)
        assert logits_TBV.dtype == np.float32
        np.testing.assert_allclose(logits_TBV, expected, atol=tolerance)


@pytest.mark.parametrize("name", SHAPES)
@given(cut=st.integers(0, 20), second=st.integers(0, 20), seed=st.integers(0, 99))
@settings(max_examples=10)
def test_a_text_read_in_pieces_is_the_text_read_at_once(name, cut, second, seed):
    cut, second = sorted((cut, second))
    tokens_TB = characters(20, 3, seed=seed)
    for engine in MADE[name][1:3]:
        whole, end = engine.read(tokens_TB)
        state, parts = None, []
        for part in (slice(0, cut), slice(cut, second), slice(second, 20)):
            logits, state = engine.read(tokens_TB[part], state)
            parts.append(logits)
        np.testing.assert_allclose(np.concatenate(parts), whole, atol=EXACT)
        for found, expected in zip(state, end, strict=True):
            np.testing.assert_allclose(found, expected, atol=EXACT)


@pytest.mark.parametrize(("name", "place"), WRITERS)
def test_reading_on_does_not_change_the_state_it_was_given(name, place):
    engine = MADE[name][place]
    tokens_TB = characters(6, 2)
    _, state = engine.read(tokens_TB)
    before = [part.copy() for part in state]
    first, _ = engine.read(tokens_TB, state)
    second, _ = engine.read(tokens_TB, state)
    np.testing.assert_array_equal(first, second)
    for part, kept in zip(state, before, strict=True):
        np.testing.assert_array_equal(part, kept)


@pytest.mark.parametrize(("name", "place"), WRITERS)
@pytest.mark.parametrize("opened", [1, 2, 9])
def test_steps_after_a_beginning_are_the_text_read_at_once(name, place, opened):
    engine = MADE[name][place]
    tokens_T = characters(25, seed=opened)
    expected, _ = engine.read(tokens_T[:, None])
    tolerance = EIGHT_BITS if engine.precision == "int8" else EXACT
    reading = engine.open(tokens_T[:opened])
    np.testing.assert_allclose(reading.logits_V, expected[opened - 1, 0], atol=tolerance)
    for position in range(opened, 25):
        logits_V = reading.step(int(tokens_T[position]))
        assert logits_V is reading.logits_V
        np.testing.assert_allclose(logits_V, expected[position, 0], atol=tolerance)


def written(reading, seed, count=40):
    sampler, tokens = Sampler(Sampling(seed=seed)), []
    for position in range(count):
        tokens.append(sampler.draw(reading.logits_V, position))
        reading.step(tokens[-1])
        yield tokens[-1]


@pytest.mark.parametrize(("name", "place"), WRITERS)
def test_two_readings_in_turns_are_each_alone(name, place):
    engine = MADE[name][place]
    beginnings = [characters(5, seed=1), characters(3, seed=2)]
    alone = [list(written(engine.open(tokens), 7)) for tokens in beginnings]
    first, second = (written(engine.open(tokens), 7) for tokens in beginnings)
    in_turns = [list(line) for line in zip(*zip(first, second, strict=True), strict=True)]
    assert in_turns == alone


@pytest.mark.parametrize("place", [1, 2, 3])
def test_readings_of_several_threads_are_each_alone(place):
    engine = MADE["embedding-2"][place]
    alone = [list(written(engine.open(characters(4, seed=i)), i)) for i in range(4)]
    found = [[] for _ in range(4)]

    def write(line):
        found[line] += written(engine.open(characters(4, seed=line)), line)

    threads = [threading.Thread(target=write, args=(line,)) for line in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


@pytest.mark.parametrize(("name", "place"), WRITERS)
def test_the_same_steps_give_the_same_bytes_and_earlier_logits_stay(name, place):
    engine = MADE[name][place]
    tokens = characters(30).tolist()

    def steps():
        reading = engine.open(characters(4))
        made = [reading.step(token) for token in tokens]
        reading = engine.open(characters(4))
        return made, [reading.step(token).copy() for token in tokens]

    made, copied_at_once = steps()
    np.testing.assert_array_equal(made, copied_at_once)
    np.testing.assert_array_equal(steps(), [made, made])


@pytest.mark.parametrize("place", [1, 2])
def test_a_long_beginning_is_read_in_bounded_pieces_with_the_same_end(place):
    shape = WriterSettings(embedding=2, hidden=256, layers=1)
    weights = tensors(shape)
    engine = (
        NumpyWriter(shape, weights, VOCABULARY)
        if place == 1
        else OnnxWriter(onnx_writer_graph.build(shape, weights))
    )
    tokens_T = characters(4200)
    assert len(list(stretches(4200, 1, 1024))) == 2
    last = engine.open(tokens_T).logits_V
    np.testing.assert_allclose(engine.read(tokens_T[:, None])[0][-1, 0], last, atol=EXACT)
    # what lies far back is forgotten, so the second piece alone must end alike, if it is the end
    np.testing.assert_allclose(engine.open(tokens_T[-300:]).logits_V, last, atol=1e-3)


def test_weights_far_from_zero_do_not_overflow():
    shape = SHAPES["embedding-2"]
    weights = tensors(shape, size=1e4)
    engine = NumpyWriter(shape, weights, VOCABULARY)
    assert np.isfinite(engine.read(characters(9, 2))[0]).all()
    assert np.isfinite(engine.open(characters(9)).step(3)).all()


def test_engines_say_what_they_are():
    assert [(engine.name, engine.precision) for engine in MADE["one-hot-1"][1:]] == [
        ("numpy", "float32"),
        ("onnx", "float32"),
        ("int8", "int8"),
    ]


def test_tensors_that_do_not_fit_are_named():
    shape = SHAPES["embedding-2"]
    weights = tensors(shape)
    with pytest.raises(BundleError, match=r"embedding\.weight.*\(11, 5\).*\(12, 5\)"):
        NumpyWriter(shape, weights, VOCABULARY + 1)
    with pytest.raises(BundleError, match=r"embedding\.weight.*nothing"):
        NumpyWriter(SHAPES["one-hot-2"], weights, VOCABULARY)
    del weights["lstm.1.bias_hh_l0"]
    with pytest.raises(BundleError, match=r"lstm\.1\.bias_hh_l0"):
        NumpyWriter(shape, weights, VOCABULARY)


@pytest.mark.parametrize(("name", "file"), [("onnx", "model.onnx"), ("int8", "model.int8.onnx")])
def test_no_graph_is_no_engine(name, file):
    with pytest.raises(BundleError, match="cannot be loaded") as refused:
        OnnxWriter(b"not a graph", name)
    assert refused.value.where == file


def test_a_graph_whose_names_are_no_text_is_no_engine():
    shape = SHAPES["embedding-2"]
    graph = onnx_writer_graph.build(shape, tensors(shape))
    with pytest.raises(BundleError, match="none that writes"):
        OnnxWriter(graph.replace(b"batch", b"ba\xffch"))


@pytest.mark.parametrize("name", SHAPES)
def test_graphs_are_the_same_bytes_every_time(name):
    weights = tensors(SHAPES[name])
    graph = onnx_writer_graph.build(SHAPES[name], weights)
    backwards = dict(reversed(weights.items()))
    assert onnx_writer_graph.build(SHAPES[name], backwards) == graph
    assert quantise.int8(graph) == quantise.int8(graph)


def test_every_large_weight_has_eight_bits():
    shape = WriterSettings(embedding=8, hidden=32)
    graph = onnx_writer_graph.build(shape, tensors(shape))
    model = onnx.load_model_from_string(quantise.int8(graph))
    arrays = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    large = {name: array.dtype for name, array in arrays.items() if array.size >= 32 * VOCABULARY}
    assert len(large) == 5
    assert set(large.values()) == {np.dtype(np.int8)}


def test_quantising_leaves_no_file_and_says_nothing(tmp_path, capfd, caplog):
    shape = SHAPES["embedding-2"]
    graph = onnx_writer_graph.build(shape, tensors(shape))
    handlers = list(logging.getLogger().handlers)
    usual, tempfile.tempdir = tempfile.tempdir, str(tmp_path)
    try:
        quantise.int8(graph)
    finally:
        tempfile.tempdir = usual
    assert list(tmp_path.iterdir()) == []
    assert logging.getLogger().handlers == handlers
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
