"""The reference engine: the classifier's forward pass in numpy, as plain as the formulas.

Legend: B texts, T words of the longest, E embedding, H hidden units, D directions, F features,
C labels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

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
    at_once = 6400

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
        embedded_TBE = self._embedding_VE[tokens_BT.T]
        states_TBF = embedded_TBE
        for layer in self._layers:
            states_TBF = layer.read(states_TBF, lengths_B)
        features_BF = self._pool(states_TBF, embedded_TBE, lengths_B)
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
        self._hidden = settings.hidden
        names = [f"lstm.{layer}.{direction}." for direction in range(directions(settings))]
        self._input_DEG = np.stack([weights[f"{name}weight_ih_l0"].T for name in names])
        self._state_DHG = np.stack([weights[f"{name}weight_hh_l0"].T for name in names])
        self._bias_DG = np.stack(
            [weights[f"{name}bias_ih_l0"] + weights[f"{name}bias_hh_l0"] for name in names]
        )

    def read(self, inputs_TBE: Floats, lengths_B: Ints) -> Floats:
        """Return the states of all directions side by side, shape (T, B, D * H)."""
        steps, batch, width = inputs_TBE.shape
        count, hidden = len(self._input_DEG), self._hidden
        flipped_TB = flip(steps, lengths_B)
        lines_B = np.arange(batch)
        gates_DTBG = np.empty((count, steps, batch, 4 * hidden), np.float32)
        for direction in range(count):
            source_TBE = inputs_TBE[flipped_TB, lines_B] if direction else inputs_TBE
            flat = source_TBE.reshape(-1, width) @ self._input_DEG[direction]
            flat += self._bias_DG[direction]
            gates_DTBG[direction] = flat.reshape(steps, batch, -1)
        states_DTBH = np.empty((count, steps, batch, hidden), np.float32)
        state_DBH = np.zeros((count, batch, hidden), np.float32)
        cell_DBH = np.zeros_like(state_DBH)
        for step in range(steps):  # padding comes last in every direction, so it needs no mask
            gates_DBG = gates_DTBG[:, step]
            gates_DBG += state_DBH @ self._state_DHG
            sigmoid_DBG = 0.5 + 0.5 * np.tanh(0.5 * gates_DBG)  # cannot overflow
            opened, kept = sigmoid_DBG[..., :hidden], sigmoid_DBG[..., hidden : 2 * hidden]
            new = np.tanh(gates_DBG[..., 2 * hidden : 3 * hidden])
            cell_DBH = kept * cell_DBH + opened * new
            state_DBH = sigmoid_DBG[..., 3 * hidden :] * np.tanh(cell_DBH)
            states_DTBH[:, step] = state_DBH
        if count == 1:
            return np.asarray(states_DTBH[0])
        return np.concatenate([states_DTBH[0], states_DTBH[1][flipped_TB, lines_B]], axis=2)


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
            message = f"tensor {name!r} has shape {shape}, the configuration says {wanted}"
            raise BundleError(message, where="weights.safetensors")
