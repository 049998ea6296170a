"""One text, one character after the other, drawn by the sampler: characters a second, beside torch.

The engines and the peers take turns, so that whatever else the machine does hits all of them; the best
of the short runs is what the machine can do, the median what it did.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from machine import median_seconds, table

from marfa import bundle
from marfa.engines import onnx_writer_graph, quantise, weights
from marfa.engines.numpy_writer import NumpyWriter, shapes
from marfa.engines.onnx_writer import OnnxWriter
from marfa.engines.sampling import Sampler, Sampling
from marfa.settings import WriterSettings, from_mapping

Floats = npt.NDArray[np.float32]
CHARACTERS = 2000
RUNS = 7
PROMPT = 200
VOCABULARY = 66


class TorchWriter:
    """What tutorials do: nn.LSTM called with one character at a time, its state handed back to it."""

    def __init__(
        self, settings: WriterSettings, tensors: Mapping[str, Floats], onednn: bool
    ) -> None:
        given = {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}
        vocabulary, hidden = given["output.weight"].shape
        self.name = f"torch, oneDNN {'on' if onednn else 'off'}"
        self._onednn = onednn
        self.table = given.get("embedding.weight", torch.eye(vocabulary))
        self.lstm = torch.nn.LSTM(self.table.shape[1], hidden, settings.layers)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        self.lstm.load_state_dict(
            {
                f"{name}_l{layer}": given[f"lstm.{layer}.{name}_l0"]
                for layer in range(settings.layers)
                for name in names
            }
        )
        self.output = given["output.weight"], given["output.bias"]

    def open(self, tokens_T: npt.NDArray[np.int64]) -> TorchWriter:
        """Read the prompt in one call."""
        torch.backends.mkldnn.set_flags(self._onednn)
        self._state: Any = None
        self._read(torch.from_numpy(tokens_T))
        return self

    def step(self, token: int) -> Floats:
        """Read one character."""
        return self._read(torch.tensor([token]))

    def _read(self, tokens_T: torch.Tensor) -> Floats:
        with torch.inference_mode():
            states, self._state = self.lstm(self.table[tokens_T][:, None], self._state)
            logits = torch.nn.functional.linear(states[-1, 0], *self.output)
        self.logits_V: Floats = logits.numpy()
        return self.logits_V


def given(model: str) -> tuple[str, WriterSettings, dict[str, Floats], bytes, bytes]:
    """Return title, shape, tensors and both graphs of a bundle, or of random weights."""
    if model:
        held = bundle.load(Path(model))
        settings = from_mapping(WriterSettings, held.json("config.json")["model"], where=model)
        tensors = weights.read(held.contents["weights.safetensors"])
        graph = held.contents["model.onnx"]
        small = held.contents.get("model.int8.onnx") or quantise.int8(graph)
        return model, settings, tensors, graph, small
    settings = WriterSettings(embedding=64, hidden=512, layers=2)
    numbers = np.random.default_rng(0)
    tensors = {
        name: (numbers.standard_normal(axes) / axes[-1] ** 0.5).astype(np.float32)
        for name, axes in shapes(settings, VOCABULARY).items()
    }
    graph = onnx_writer_graph.build(settings, tensors)
    return "random weights", settings, tensors, graph, quantise.int8(graph)


def seconds_of(work: Callable[[int], object], count: int) -> float:
    """Time of one call among `count`."""
    began = time.perf_counter()
    for position in range(count):
        work(position)
    return (time.perf_counter() - began) / count


def written(engine: Any, prompt_T: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return seconds a character with the sampler, and without it."""
    sampler, reading = Sampler(Sampling()), engine.open(prompt_T)

    def write(position: int) -> None:
        reading.step(sampler.draw(reading.logits_V, position))

    return seconds_of(write, CHARACTERS), seconds_of(lambda _: reading.step(1), CHARACTERS // 4)


def main() -> None:
    """Print the table, for a model.tar.gz or for random weights."""
    warnings.filterwarnings("ignore", "TF32 acceleration")  # of another maker's processors
    title, settings, tensors, graph, small = given(sys.argv[1] if len(sys.argv) > 1 else "")
    torch.set_num_threads(1)  # as fast for one text, and not slowed by what else runs
    vocabulary = len(tensors["output.bias"])
    engines: list[Any] = [
        TorchWriter(settings, tensors, onednn=True),
        TorchWriter(settings, tensors, onednn=False),
        NumpyWriter(settings, tensors, vocabulary),
        OnnxWriter(graph),
        OnnxWriter(small, "int8"),
    ]
    prompt_T = np.random.default_rng(1).integers(1, vocabulary, PROMPT)
    turns = [[written(engine, prompt_T) for engine in engines] for _ in range(RUNS)]
    whole, steps = (np.array(turns)[:, :, column] for column in (0, 1))
    peer = statistics.median(whole[:, 0])
    rows = []
    for column, engine in enumerate(engines):
        median = statistics.median(whole[:, column])
        opened = median_seconds(lambda engine=engine: engine.open(prompt_T), 11)
        rows.append(
            (
                engine.name,
                f"{1 / median:,.0f}",
                f"{1 / whole[:, column].min():,.0f}",
                f"{peer / median:.1f}",
                f"{steps[:, column].min() * 1e6:.1f}",
                f"{opened * 1e3:.2f}",
            )
        )
    load = " ".join(f"{share:.1f}" for share in os.getloadavg())
    layers = f"{settings.layers} x {settings.hidden} units, {vocabulary} ids"
    table(
        f"Writing, one text: {title}, {layers}; {RUNS} runs of {CHARACTERS} characters, load {load}",
        (
            "engine",
            "characters a second",
            "of the best run",
            "times torch",
            "a step, µs, at best",
            f"prompt of {PROMPT}, ms",
        ),
        rows,
    )


if __name__ == "__main__":
    main()
