"""The generator's fast engine: the bundle's graph, run by ONNX Runtime.

Legend: T characters, B texts side by side, V ids of the alphabet, H hidden units.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from marfa.bundle import GRAPHS
from marfa.engines.numpy_writer import Ints, State, stretches
from marfa.engines.onnx_session import open_session
from marfa.engines.weights import Floats
from marfa.errors import BundleError


class OnnxWriter:
    """Computes with ONNX Runtime.

    Args:
        graph: the bytes of model.onnx or model.int8.onnx.
        name: which of the two it is, `onnx` or `int8`.
        threads: CPU threads for one call; one is fastest for a single text.

    Raises:
        BundleError: if the graph cannot be loaded, or is none that writes.
    """

    def __init__(self, graph: bytes, name: str = "onnx", threads: int = 1) -> None:
        self.name = name
        self.precision = "int8" if name == "int8" else "float32"
        self._session = open_session(graph, name, threads)
        inputs, results = self._session.get_inputs(), self._session.get_outputs()
        try:
            # First the characters and their logits, then the state, in the same order on both sides.
            self._inputs = [item.name for item in inputs]
            self._results = [item.name for item in results]
            self._hidden, self._vocabulary = inputs[1].shape[2], results[0].shape[2]
        except (IndexError, UnicodeDecodeError):
            message = "the graph is none that writes"
            raise BundleError(message, where=GRAPHS[name]) from None

    def read(self, tokens_TB: Ints, state: State | None = None) -> tuple[Floats, State]:
        """Read a stretch of each of several texts; as `NumpyWriter.read`."""
        steps, batch = tokens_TB.shape
        logits_TBV = np.empty((steps, batch, self._vocabulary), np.float32)
        if state is None:
            zeros_1BH = np.zeros((1, batch, self._hidden), np.float32)
            state = (zeros_1BH,) * (len(self._inputs) - 1)
        for part in stretches(steps, batch, max(4 * self._hidden, self._vocabulary)):
            feed = dict(zip(self._inputs, (tokens_TB[part], *state), strict=True))
            logits_TBV[part], *after = self._session.run(self._results, feed)
            state = tuple(after)
        return logits_TBV, state

    def open(self, tokens_T: Ints) -> OnnxReading:
        """Read the beginning of one text; as `NumpyWriter.open`.

        With eight-bit weights the difference between one pass and several is larger than rounding:
        numbers between the layers are brought to eight bits by the range that they have in a pass.
        """
        assert len(tokens_T), "a beginning has at least one character"
        logits_TBV, state = self.read(tokens_T[:, None])
        return OnnxReading(self._session, logits_TBV[-1, 0].copy(), state)


class OnnxReading:
    """One text on its way; made by `OnnxWriter.open`, and independent of the writer's others.

    Args:
        session: the graph's session.
        logits_V: the numbers for the next character.
        state: after the last character.
    """

    def __init__(self, session: Any, logits_V: Floats, state: State) -> None:
        self.logits_V = logits_V
        self._session = session
        self._token_11 = np.zeros((1, 1), np.int64)
        self._made_11V = np.empty((1, 1, len(logits_V)), np.float32)
        # Two places for the state: a step reads one and writes the other, so that nothing is copied.
        places = tuple(map(np.copy, state)), tuple(map(np.empty_like, state))
        self._places: tuple[State, State] = places
        self._turns = self._bind(0, 1), self._bind(1, 0)
        self._turn = 0

    def _bind(self, source: int, target: int) -> Any:
        """Tell ONNX Runtime, once, where every step finds its inputs and leaves its results."""
        binding = self._session.io_binding()
        before, after = self._places[source], self._places[target]
        taken: list[npt.NDArray[Any]] = [self._token_11, *before]
        left: list[npt.NDArray[Any]] = [self._made_11V, *after]
        for item, array in zip(self._session.get_inputs(), taken, strict=True):
            binding.bind_input(item.name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for item, array in zip(self._session.get_outputs(), left, strict=True):
            binding.bind_output(item.name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        return binding

    def step(self, token: int) -> Floats:
        """Read one more character; as `NumpyReading.step`."""
        self._token_11[0, 0] = token
        self._session.run_with_iobinding(self._turns[self._turn])
        self._turn = 1 - self._turn
        self.logits_V = self._made_11V[0, 0].copy()
        return self.logits_V
