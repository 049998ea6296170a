"""The reference engine: the classifier's forward pass in numpy, as plain as the formulas.

Legend: B texts, T words of the longest, U distinct words, E embedding, H hidden units, G = 4 H gates,
D directions, F features, C labels.

An embedding is multiplied for the words at hand and not, at loading, for the whole vocabulary: that
would be 61 MB of the default preset's gates and 8 MB of the tutorial's, in a Lambda function too, and
save a thirtieth of the time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from marfa.engines.cells import Cells, by_gate, ordered
from marfa.engines.weights import Floats
from marfa.errors import BundleError
from marfa.settings import ModelSettings

Ints = npt.NDArray[np.int64]


class NumpyEngine:
    """Computes with numpy alone.

    Args:
        settings: the shape of the network.
        weights: its tensors, by the names that training gives them.
        vocabulary: number of word ids.
        labels: number of labels.

    Raises:
        BundleError: if a tensor is missing, left over or of another shape.
    """

    name = "numpy"
    at_once = 3200

    def __init__(
        self, settings: ModelSettings, weights: Mapping[str, Floats], vocabulary: int, labels: int
    ) -> None:
        check(weights, shapes(settings, vocabulary, labels))
        self._settings = settings
        self._embedding_VE = weights["embedding.weight"]
        self._layers = [_Layer(settings, weights, layer) for layer in range(settings.layers)]
        self._output_FC = np.ascontiguousarray(weights["output.weight"].T)
        self._bias_C = weights["output.bias"]

    def probabilities(self, tokens_BT: Ints, lengths_B: Ints) -> npt.NDArray[np.float64]:
        """Return the probability of each label.

        Args:
            tokens_BT: word ids, padded with 0.
            lengths_B: number of words of each text, at least 1.

        Returns:
            probabilities_BC; each row sums to 1.
        """
        # Each word is looked up and multiplied once, however often it stands there.
        words_U, places_BT = np.unique(tokens_BT, return_inverse=True)
        places_TB = places_BT.reshape(tokens_BT.shape).T
        embedded_UE = self._embedding_VE[words_U]
        states_TBF = self._layers[0].read(embedded_UE, places_TB, lengths_B)
        for layer in self._layers[1:]:
            steps, batch, width = states_TBF.shape
            each_TB = np.arange(steps * batch).reshape(steps, batch)
            states_TBF = layer.read(states_TBF.reshape(-1, width), each_TB, lengths_B)
        features_BF = self._pool(states_TBF, embedded_UE[places_TB], lengths_B)
        logits_BC = (features_BF @ self._output_FC + self._bias_C).astype(np.float64)
        powers_BC = np.exp(logits_BC - logits_BC.max(axis=1, keepdims=True))
        return np.asarray(powers_BC / powers_BC.sum(axis=1, keepdims=True))

    def _pool(self, states_TBF: Floats, embedded_TBE: Floats, lengths_B: Ints) -> Floats:
        steps, batch = states_TBF.shape[:2]
        inside_TB1 = (np.arange(steps)[:, None] < lengths_B)[:, :, None]
        count_B1 = lengths_B[:, None].astype(np.float32)
        pooling, hidden = self._settings.pooling, self._settings.hidden
        features = []
        if "mean" in pooling:
            features.append((states_TBF * inside_TB1).sum(axis=0) / count_B1)
        if "max" in pooling:
            features.append(np.where(inside_TB1, states_TBF, -np.inf).max(axis=0))
        if pooling == "last":
            last_BF = states_TBF[lengths_B - 1, np.arange(batch)]
            # the backward direction ends at the first word
            features.append(
                np.concatenate([last_BF[:, :hidden], states_TBF[0, :, hidden:]], axis=1)
            )
        if self._settings.skip:
            features.append((embedded_TBE * inside_TB1).sum(axis=0) / count_B1)
        return np.concatenate(features, axis=1).astype(np.float32)


class _Layer:
    """One LSTM layer, both directions in one loop."""

    def __init__(self, settings: ModelSettings, weights: Mapping[str, Floats], layer: int) -> None:
        names = [f"lstm.{layer}.{direction}." for direction in range(directions(settings))]

        def gates(kind: str) -> Floats:
            return np.stack([ordered(weights[f"{name}{kind}"]).T for name in names])

        self._input_DEG, self._state_DHG = gates("weight_ih_l0"), gates("weight_hh_l0")
        self._bias_D1G = (gates("bias_ih_l0") + gates("bias_hh_l0"))[:, None]

    def read(self, inputs_NE: Floats, places_TB: Ints, lengths_B: Ints) -> Floats:
        """Read texts.

        Args:
            inputs_NE: what stands in them, each once.
            places_TB: which of it stands where.
            lengths_B: words of each text.

        Returns:
            The states of all directions side by side, shape (T, B, D * H).
        """
        steps, batch = places_TB.shape
        count, hidden, _ = self._state_DHG.shape
        lines_B = np.arange(batch)
        flipped_TB = flip(steps, lengths_B)
        inputs_DNG = inputs_NE @ self._input_DEG
        inputs_DNG += self._bias_D1G
        # The gates first, so that what each step does to one of them is done to one piece of memory.
        inputs_T4DBH = np.empty((steps, 4, count, batch, hidden), np.float32)
        for direction, order_TB in enumerate((places_TB, places_TB[flipped_TB, lines_B])[:count]):
            inputs_T4DBH[:, :, direction] = by_gate(inputs_DNG[direction][order_TB])
        states_TDBH = np.empty((steps, count, batch, hidden), np.float32)
        state_DBH = np.zeros((count, batch, hidden), np.float32)
        product_DBG = np.empty((count, batch, 4 * hidden), np.float32)
        gates_4DBH = np.empty((4, count, batch, hidden), np.float32)
        product_4DBH = by_gate(product_DBG).swapaxes(0, 1)
        cells = Cells(gates_4DBH, np.zeros_like(state_DBH))
        # Padding comes last in every direction, so it needs no mask.
        for step in range(steps):
            np.matmul(state_DBH, self._state_DHG, out=product_DBG)
            np.add(product_4DBH, inputs_T4DBH[step], out=gates_4DBH)
            state_DBH = states_TDBH[step]
            cells.step(state_DBH)
        if count == 1:
            return states_TDBH[:, 0]
        backwards_TBH = states_TDBH[flipped_TB, 1, lines_B]
        return np.concatenate([states_TDBH[:, 0], backwards_TBH], axis=2)


def flip(steps: int, lengths_B: Ints) -> Ints:
    """Return for each position the one that mirrors it within its text, shape (T, B).

    >>> flip(3, np.array([2, 3])).tolist()
    [[1, 2], [0, 1], [2, 0]]
    """
    position_T1 = np.arange(steps)[:, None]
    mirrored_TB = lengths_B[None, :] - 1 - position_T1
    return np.where(mirrored_TB >= 0, mirrored_TB, position_T1)


def directions(settings: ModelSettings) -> int:
    """Return 2 when the network reads backwards as well, otherwise 1."""
    return 2 if settings.bidirectional else 1


def shapes(settings: ModelSettings, vocabulary: int, labels: int) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every tensor that a network of this shape has.

    >>> shapes(ModelSettings(embedding=4, hidden=3, bidirectional=False, skip=False), 10, 2)[
    ...     "lstm.0.0.weight_hh_l0"]
    (12, 3)
    """
    hidden, count = settings.hidden, directions(settings)
    found: dict[str, tuple[int, ...]] = {"embedding.weight": (vocabulary, settings.embedding)}
    width = settings.embedding
    for layer in range(settings.layers):
        for direction in range(count):
            name = f"lstm.{layer}.{direction}"
            found[f"{name}.weight_ih_l0"] = (4 * hidden, width)
            found[f"{name}.weight_hh_l0"] = (4 * hidden, hidden)
            found[f"{name}.bias_ih_l0"] = found[f"{name}.bias_hh_l0"] = (4 * hidden,)
        width = hidden * count
    features = width * (2 if settings.pooling == "mean+max" else 1)
    features += settings.embedding if settings.skip else 0
    found["output.weight"] = (labels, features)
    found["output.bias"] = (labels,)
    return found


def check(
    found: Mapping[str, Floats | tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuse weights that do not fit the network's shape.

    Args:
        found: tensors by name, or their shapes alone.
        expected: what `shapes` returned.

    Raises:
        BundleError: naming the first tensor that is missing, left over or of another shape.
    """
    for name in sorted(set(found) | set(expected)):
        each = found.get(name, "nothing")
        shape = each.shape if isinstance(each, np.ndarray) else each
        wanted = expected.get(name, "nothing")
        if shape != wanted:
            message = (
                f"tensor {name!r:.80} has shape {shape!s:.60}, the configuration says {wanted}"
            )
            raise BundleError(message, where="weights.safetensors")
