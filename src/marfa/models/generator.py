"""The generator: characters -> numbers -> LSTM layers -> scores of the next character.

Long short-term memory after Hochreiter and Schmidhuber (1997), as a model of the next character after
Graves ("Generating Sequences With Recurrent Neural Networks", 2013, section 3). The unknown character
begins as zeros: nothing is known of it until training meets one.

Legend: T characters of a stretch, B stretches, V ids of the alphabet, E embedding, H hidden units.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from marfa.models.classifier import begin_lstm
from marfa.settings import WriterSettings
from marfa.text.alphabet import UNKNOWN

State = list[tuple[Tensor, Tensor]]
"""Of each layer its output and its cell, each of shape (1, B, H)."""


class Generator(nn.Module):
    """The network.

    Args:
        settings: its shape.
        vocabulary: number of ids of the alphabet.

    >>> network = Generator(WriterSettings(embedding=4, hidden=3, layers=2), vocabulary=10).eval()
    >>> logits_TBV, state = network(torch.tensor([[2], [3], [0]]))
    >>> logits_TBV.shape, len(state)
    (torch.Size([3, 1, 10]), 2)
    """

    def __init__(self, settings: WriterSettings, vocabulary: int) -> None:
        super().__init__()
        self.settings, self.vocabulary = settings, vocabulary
        width = vocabulary
        if settings.input == "embedding":
            self.embedding: nn.Module = nn.Embedding(vocabulary, settings.embedding)
            width = settings.embedding
        widths = [width, *[settings.hidden] * (settings.layers - 1)]
        self.lstm = nn.ModuleList(nn.LSTM(width, settings.hidden) for width in widths)
        self.output = nn.Linear(settings.hidden, vocabulary)
        begin_lstm(self.lstm, settings.hidden)
        nn.init.zeros_(self.output.bias)
        with torch.no_grad():
            if settings.input == "embedding":
                weight = cast(nn.Embedding, self.embedding).weight
                nn.init.normal_(weight, std=0.1)
                weight[UNKNOWN] = 0
            else:
                first = cast(nn.LSTM, self.lstm[0])
                cast(Tensor, first.weight_ih_l0)[:, UNKNOWN] = 0

    def forward(self, tokens_TB: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return scores of the character that comes after each one.

        Args:
            tokens_TB: ids of characters.
            state: what the stretches before these have left; zeros if not given.

        Returns:
            logits_TBV, and the state after the last characters.
        """
        if self.settings.input == "embedding":
            states_TBF = self.embedding(tokens_TB)
        else:
            states_TBF = functional.one_hot(tokens_TB, self.vocabulary).float()
        left: State = []
        for index, layer in enumerate(self.lstm):
            states_TBF, after = layer(states_TBF, state[index] if state else None)
            left.append(after)
            states_TBF = functional.dropout(states_TBF, self.settings.dropout, self.training)
        logits_TBV: Tensor = self.output(states_TBF)
        return logits_TBV, left


def cell_size(state: State) -> Tensor:
    """Return the mean square of the cells, summed over the layers.

    A network whose state is carried through a whole text may learn cells that count upwards for ever,
    and is then lost in any text longer, or shorter, than those it was trained on. A small weight on this
    in the loss forbids it, as activations are kept small by Merity, McCann and Socher ("Revisiting
    Activation Regularization for Language RNNs", 2017).
    """
    return torch.stack([cell.float().square().mean() for _, cell in state]).sum()
