"""The generator's reference engine: characters in, the next character's logits out, numpy alone.

Legend: T characters, B texts side by side, V ids of the alphabet, H hidden units, G = 4 H gates,
L layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from marfa.engines.cells import Cells, by_gate, ordered
from marfa.engines.numpy_engine import check
from marfa.engines.weights import Floats
from marfa.settings import WriterSettings

Ints = npt.NDArray[np.int64]
State = tuple[Floats, ...]
"""What a network remembers of the characters so far; here states_LBH and cells_LBH."""

_NUMBERS_AT_ONCE = 1 << 22


class NumpyWriter:
    """Computes with numpy alone.

    Args:
        settings: the shape of the network.
        weights: its tensors, by the names that training gives them.
        vocabulary: V, the unknown character's 0 included.

    Raises:
        BundleError: if a tensor is missing, left over or of another shape.
    """

    name = "numpy"
    precision = "float32"

    def __init__(
        self, settings: WriterSettings, weights: Mapping[str, Floats], vocabulary: int
    ) -> None:
        check(weights, shapes(settings, vocabulary))
        self.hidden, self.count = settings.hidden, settings.layers
        self.table_VG, self.layers = _fold(settings, weights)
        self.output_VH = weights["output.weight"]
        self.bias_V = weights["output.bias"]

    def read(self, tokens_TB: Ints, state: State | None = None) -> tuple[Floats, State]:
        """Read a stretch of each of several texts.

        Args:
            tokens_TB: ids, 0 to V - 1, any number of characters.
            state: what an earlier call returned, to go on where it ended; nothing at a beginning.

        Returns:
            logits_TBV, after each character those of the next, and the state after the last one.
        """
        steps, batch = tokens_TB.shape
        logits_TBV = np.empty((steps, batch, len(self.bias_V)), np.float32)
        state = self._begin(batch) if state is None else state
        for part in stretches(steps, batch, max(4 * self.hidden, len(self.bias_V))):
            states_TBH, state = self._advance(tokens_TB[part], state)
            flat = states_TBH.reshape(-1, self.hidden) @ self.output_VH.T
            flat += self.bias_V
            logits_TBV[part] = flat.reshape(-1, batch, len(self.bias_V))
        return logits_TBV, state

    def open(self, tokens_T: Ints) -> NumpyReading:
        """Read the beginning of one text, to go on from there character by character.

        The beginning is read in one pass. Sums are then added up in another order than step by step,
        which changes their last digits: who has to draw the same characters again opens the same
        beginning and takes the same steps.

        Args:
            tokens_T: ids, at least one.
        """
        assert len(tokens_T), "a beginning has at least one character"
        state = self._begin(1)
        for part in stretches(len(tokens_T), 1, 4 * self.hidden):
            _, state = self._advance(tokens_T[part, None], state)
        return NumpyReading(self, state)

    def _begin(self, batch: int) -> State:
        shape = (self.count, batch, self.hidden)
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def _advance(self, tokens_TB: Ints, state: State) -> tuple[Floats, State]:
        """Return the last layer's states and the state after the stretch; change no argument."""
        steps, batch = tokens_TB.shape
        states_LBH, cells_LBH = state[0].copy(), state[1].copy()
        states_TBH = np.empty((0,), np.float32)
        for layer, (matrix_GK, bias_G) in enumerate(self.layers):
            recurrent_HG = matrix_GK[:, -self.hidden :].T
            if layer == 0:
                gates_TBG = self.table_VG[tokens_TB]
            else:
                flat = states_TBH.reshape(-1, self.hidden) @ matrix_GK[:, : self.hidden].T
                flat += bias_G
                gates_TBG = flat.reshape(steps, batch, -1)
            states_TBH = np.empty((steps, batch, self.hidden), np.float32)
            state_BH, product_BG = states_LBH[layer], np.empty_like(gates_TBG[0])
            gates_4BH = np.empty((4, batch, self.hidden), np.float32)
            product_4BH, inputs_T4BH = by_gate(product_BG), by_gate(gates_TBG)
            cells = Cells(gates_4BH, cells_LBH[layer])
            for step in range(steps):
                after_BH = states_TBH[step]
                np.matmul(state_BH, recurrent_HG, out=product_BG)
                np.add(product_4BH, inputs_T4BH[step], out=gates_4BH)
                cells.step(after_BH)
                state_BH = after_BH
            states_LBH[layer] = state_BH
        return states_TBH, (states_LBH, cells_LBH)


class NumpyReading:
    """One text on its way; made by `NumpyWriter.open`, and independent of the writer's others."""

    def __init__(self, writer: NumpyWriter, state: State) -> None:
        self._writer = writer
        # The layers' states side by side, so that what a layer reads, the states of the layer below and
        # its own, is one piece of memory.
        self._states_LH = np.ascontiguousarray(state[0][:, 0])
        self._gates_G = np.empty(4 * writer.hidden, np.float32)
        gates_4H = self._gates_G.reshape(4, -1)
        self._cells = [Cells(gates_4H, cells_H) for cells_H in state[1][:, 0].copy()]
        self.logits_V = self._logits()

    def step(self, token: int) -> Floats:
        """Read one more character.

        Args:
            token: its id.

        Returns:
            logits_V of the next one; they stay as they are when the text goes on.
        """
        writer, gates_G = self._writer, self._gates_G
        hidden, flat = writer.hidden, self._states_LH.reshape(-1)
        for layer, (matrix_GK, bias_G) in enumerate(writer.layers):
            below = max(layer - 1, 0)
            np.dot(matrix_GK, flat[below * hidden : (layer + 1) * hidden], out=gates_G)
            gates_G += bias_G if layer else writer.table_VG[token]
            self._cells[layer].step(self._states_LH[layer])
        self.logits_V = self._logits()
        return self.logits_V

    def _logits(self) -> Floats:
        return np.asarray(self._writer.output_VH @ self._states_LH[-1] + self._writer.bias_V)


def stretches(steps: int, batch: int, width: int) -> Iterator[slice]:
    """Cut a long text, so that memory stays bounded whatever its length.

    >>> list(stretches(5, 2, 1 << 20))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    length = max(1, _NUMBERS_AT_ONCE // (batch * width))
    return (slice(start, start + length) for start in range(0, steps, length))


def shapes(settings: WriterSettings, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every tensor that a network of this shape has.

    >>> shapes(WriterSettings(input="one-hot", hidden=3), 10)["lstm.0.weight_ih_l0"]
    (12, 10)
    """
    hidden = settings.hidden
    found: dict[str, tuple[int, ...]] = {}
    width = vocabulary
    if settings.input == "embedding":
        width = settings.embedding
        found["embedding.weight"] = (vocabulary, width)
    for layer in range(settings.layers):
        name = f"lstm.{layer}."
        found[f"{name}weight_ih_l0"] = (4 * hidden, width)
        found[f"{name}weight_hh_l0"] = (4 * hidden, hidden)
        found[f"{name}bias_ih_l0"] = found[f"{name}bias_hh_l0"] = (4 * hidden,)
        width = hidden
    found["output.weight"] = (vocabulary, hidden)
    found["output.bias"] = (vocabulary,)
    return found


def _fold(
    settings: WriterSettings, weights: Mapping[str, Floats]
) -> tuple[Floats, list[tuple[Floats, Floats]]]:
    """Return what each character adds to the first layer's gates, and each layer's matrix and bias.

    The first layer's matrix is for its own states, the others' for the states below and their own.
    """
    gates = {name: ordered(each) for name, each in weights.items() if name.startswith("lstm.")}
    layers = []
    for layer in range(settings.layers):
        name = f"lstm.{layer}."
        parts = [gates[f"{name}weight_ih_l0"]] if layer else []
        matrix_GK = np.concatenate([*parts, gates[f"{name}weight_hh_l0"]], axis=1)
        layers.append((matrix_GK, gates[f"{name}bias_ih_l0"] + gates[f"{name}bias_hh_l0"]))
    table_VG: Floats = gates["lstm.0.weight_ih_l0"].T
    if settings.input == "embedding":
        table_VG = weights["embedding.weight"] @ table_VG
    return np.ascontiguousarray(table_VG + layers[0][1]), layers
