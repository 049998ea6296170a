"""How one long text becomes batches whose state can be carried along.

The text is cut into B stretches of equal length, read side by side; a step reads the next T characters
of each, and the state after them is where the next step begins. Inputs are the text less its last
character, targets the text less its first.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from marfa.data.dataset import Ints
from marfa.errors import DataError

Ids = npt.NDArray[np.int64]


class Stretches:
    """A text laid out for learning.

    Args:
        ids: of its characters, shape (N,).
        batch_size: stretches read side by side, B.
        unroll: characters of each in a step, T; the last step of an epoch may have fewer.

    Raises:
        DataError: if there are fewer characters than stretches need.

    >>> text = Stretches(np.arange(10), batch_size=3, unroll=2)
    >>> [(inputs.tolist(), targets.tolist()) for inputs, targets in text.steps()]
    [([[0, 3, 6], [1, 4, 7]], [[1, 4, 7], [2, 5, 8]]), ([[2, 5, 8]], [[3, 6, 9]])]
    >>> len(text)
    2
    """

    def __init__(self, ids: Ints, batch_size: int, unroll: int) -> None:
        self._unroll = unroll
        self.length = (len(ids) - 1) // batch_size
        if self.length < 1:
            message = f"{len(ids)} characters to learn from, too few for {batch_size} stretches"
            raise DataError(
                message, where="batch_size", hint="give a longer text, or a lower --batch-size"
            )
        used = self.length * batch_size
        self._inputs_BL = ids[:used].reshape(batch_size, self.length)
        self._targets_BL = ids[1 : used + 1].reshape(batch_size, self.length)

    def __len__(self) -> int:
        return -(-self.length // self._unroll)

    def steps(self, first: int = 0) -> Iterator[tuple[Ids, Ids]]:
        """Yield inputs_TB and targets_TB of an epoch's steps, from step `first` on."""
        for step in range(first, len(self)):
            at = slice(step * self._unroll, (step + 1) * self._unroll)
            yield _first_axis(self._inputs_BL[:, at]), _first_axis(self._targets_BL[:, at])


def _first_axis(part_BT: Ints) -> Ids:
    return np.ascontiguousarray(part_BT.T, dtype=np.int64)
