"""The classifier: words -> embedding -> LSTM, in one or both directions -> pooling -> labels.

Long short-term memory after Hochreiter and Schmidhuber (1997), with the forget gate's bias at one
(Jozefowicz et al., 2015, section 4). Batches are padded, never packed: on a CPU that is four times
faster. The backward LSTM reads each text reversed within its own length, so padding only ever comes
after the words, and no direction sees it.

Legend: B texts, T words of the longest, E embedding, H hidden units, D directions, F features,
C labels. Time comes first inside, because the LSTM reads it so.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from marfa.settings import ModelSettings
from marfa.text.vocab import PADDING


class Classifier(nn.Module):
    """The network.

    Args:
        settings: its shape.
        vocabulary: number of word ids, the embedding's rows.
        labels: number of labels.

    >>> network = Classifier(ModelSettings(embedding=4, hidden=3), vocabulary=10, labels=2).eval()
    >>> network(torch.tensor([[2, 3, 0], [4, 5, 6]]), torch.tensor([2, 3])).shape
    torch.Size([2, 2])
    """

    def __init__(self, settings: ModelSettings, vocabulary: int, labels: int) -> None:
        super().__init__()
        self.settings = settings
        directions = 2 if settings.bidirectional else 1
        self.embedding = nn.Embedding(vocabulary, settings.embedding, padding_idx=PADDING)
        width = settings.embedding
        self.lstm = nn.ModuleList()
        for _ in range(settings.layers):
            self.lstm.append(
                nn.ModuleList(nn.LSTM(width, settings.hidden) for _ in range(directions))
            )
            width = settings.hidden * directions
        features = width * (2 if settings.pooling == "mean+max" else 1)
        if settings.skip:
            features += settings.embedding
        self.output = nn.Linear(features, labels)
        self._begin()

    def _begin(self) -> None:
        """Set the first weights: small embeddings, and the LSTMs'."""
        nn.init.normal_(self.embedding.weight, std=0.1)
        with torch.no_grad():
            self.embedding.weight[PADDING] = 0
        begin_lstm(self.lstm, self.settings.hidden)
        nn.init.zeros_(self.output.bias)

    def forward(self, tokens_BT: Tensor, lengths_B: Tensor) -> Tensor:
        """Return one unnormalised score a label.

        Args:
            tokens_BT: word ids, padded with 0.
            lengths_B: number of words of each text, at least 1.

        Returns:
            logits_BC.
        """
        embedded_TBE = self.embedding(tokens_BT.t())
        if self.training and self.settings.embedding_dropout:
            embedded_TBE = functional.dropout(embedded_TBE, self.settings.embedding_dropout)
        position_T1 = torch.arange(tokens_BT.shape[1], device=tokens_BT.device)[:, None]
        inside_TB1 = (position_T1 < lengths_B)[:, :, None]
        states_TBF = embedded_TBE
        for layer in self.lstm:
            states_TBF = self._read(cast(nn.ModuleList, layer), states_TBF, lengths_B)
        features = self._pool(states_TBF, inside_TB1, lengths_B)
        if self.settings.skip:
            features.append((embedded_TBE * inside_TB1).sum(0) / lengths_B[:, None])
        features_BF = functional.dropout(
            torch.cat(features, 1), self.settings.dropout, self.training
        )
        logits_BC: Tensor = self.output(features_BF)
        return logits_BC

    @staticmethod
    def _read(layer: nn.ModuleList, inputs_TBE: Tensor, lengths_B: Tensor) -> Tensor:
        forward_TBH, _ = layer[0](inputs_TBE)
        if len(layer) == 1:
            return cast(Tensor, forward_TBH)
        flipped_TB1 = _flip(inputs_TBE.shape[0], lengths_B)[:, :, None]
        backward_TBH, _ = layer[1](
            inputs_TBE.gather(0, flipped_TB1.expand(-1, -1, inputs_TBE.shape[2]))
        )
        backward_TBH = backward_TBH.gather(0, flipped_TB1.expand(-1, -1, backward_TBH.shape[2]))
        return torch.cat([forward_TBH, backward_TBH], 2)

    def _pool(self, states_TBF: Tensor, inside_TB1: Tensor, lengths_B: Tensor) -> list[Tensor]:
        pooling = self.settings.pooling
        features = []
        if "mean" in pooling:
            features.append((states_TBF * inside_TB1).sum(0) / lengths_B[:, None])
        if "max" in pooling:
            features.append(states_TBF.masked_fill(~inside_TB1, -torch.inf).amax(0))
        if pooling == "last":
            # forwards the last word's state; backwards the first word's, which was read last
            batch = torch.arange(len(lengths_B), device=lengths_B.device)
            last_BF = states_TBF[lengths_B - 1, batch]
            if self.settings.bidirectional:
                hidden = self.settings.hidden
                last_BF = torch.cat([last_BF[:, :hidden], states_TBF[0, :, hidden:]], 1)
            features.append(last_BF)
        return features


def begin_lstm(layers: nn.Module, hidden: int) -> None:
    """Set the first weights of LSTMs: orthogonal recurrences, open forget gates.

    Args:
        layers: a module that holds LSTMs.
        hidden: units of each.
    """
    for name, weight in layers.named_parameters():
        if "weight_hh" in name:
            for gate in torch.split(weight.data, hidden):
                nn.init.orthogonal_(gate)
        elif "weight_ih" in name:
            nn.init.xavier_uniform_(weight)
        else:
            nn.init.zeros_(weight)
            if "bias_ih" in name:
                weight.data[hidden : 2 * hidden] = 1.0


def _flip(steps: int, lengths_B: Tensor) -> Tensor:
    """Return for each position the one that mirrors it within its text, shape (T, B).

    >>> _flip(3, torch.tensor([2, 3])).tolist()
    [[1, 2], [0, 1], [2, 0]]
    """
    position_T1 = torch.arange(steps, device=lengths_B.device)[:, None]
    mirrored_TB = lengths_B[None, :] - 1 - position_T1
    return torch.where(mirrored_TB >= 0, mirrored_TB, position_T1)
