"""One step of LSTM cells (Hochreiter and Schmidhuber, 1997), in place: what both numpy engines take.

Legend: H hidden units; of four gates, the first axis where there is one for them. Other axes may stand
between them and before H, the same in all arrays.
"""

from __future__ import annotations

import numpy as np

from marfa.engines.weights import Floats

_HALF = np.array(0.5, np.float32)  # a number of Python's own would be made one of numpy's each time


class Cells:
    """What cells remember, and one step of it: nothing is allocated on the way.

    Args:
        gates: where sums are put before each step, of shape (4, ..., H) and in the order of `ordered`;
            used up by it. In one piece of memory it is three times as fast.
        cells: what is remembered, of shape (..., H); changed by each step.
    """

    def __init__(self, gates: Floats, cells: Floats) -> None:
        self._gates, self._shares, self._cells = gates, gates[:3], cells
        self._opened, self._kept, self._shown, self._new = gates

    def step(self, states: Floats) -> None:
        """Take one step, and write the states after it to `states`, of shape (..., H)."""
        np.tanh(self._gates, out=self._gates)
        self._shares *= _HALF
        self._shares += _HALF
        self._new *= self._opened
        self._cells *= self._kept
        self._cells += self._new
        np.tanh(self._cells, out=states)
        states *= self._shown


def ordered(array: Floats) -> Floats:
    """Order gates input, forget, output, new, so that the first three, which are shares, are one piece.

    Those are halved: sigmoid(x) = (1 + tanh(x / 2)) / 2, and one tanh does for all four.

    Args:
        array: of 4 H rows, the gates as torch has them: input, forget, new, output.
    """
    opened, kept, new, shown = np.split(array, 4)
    return np.concatenate([0.5 * opened, 0.5 * kept, 0.5 * shown, new]).astype(np.float32)


def by_gate(gates: Floats) -> Floats:
    """See numbers of shape (..., B, 4 H), whatever stands before, as of shape (..., 4, B, H).

    >>> by_gate(np.zeros((7, 2, 12), np.float32)).shape
    (7, 4, 2, 3)
    """
    *others, width = gates.shape
    return gates.reshape(*others, 4, width // 4).swapaxes(-3, -2)
