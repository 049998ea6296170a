"""What a network says of whole texts: the one function that training, validation and evaluation use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from marfa.data.dataset import Split
from marfa.models import batches
from marfa.models.classifier import Classifier

Floats = npt.NDArray[np.float64]
_BATCH = 128


def probabilities(
    network: Classifier, split: Split, seen: Callable[[int], None] = lambda done: None
) -> Floats:
    """Return the probability of each label for each text of a split, without learning from it.

    Args:
        network: the network, in any mode; it is left as it was.
        split: the texts.
        seen: called with the number of texts read so far.

    Returns:
        probabilities_NC; each row sums to 1.
    """
    found_NC = np.zeros((len(split), network.output.out_features))
    was_training, where = network.training, network.output.weight.device
    network.eval()
    done = 0
    with torch.inference_mode():
        for indices_B in batches.by_length(split.lengths_N.astype(np.int64), _BATCH):
            tokens_BT, lengths_B, _ = batches.rectangle(split, indices_B)
            logits_BC = network(
                *(torch.from_numpy(each).to(where) for each in (tokens_BT, lengths_B))
            )
            found_NC[indices_B] = functional.softmax(logits_BC.double(), dim=1).cpu().numpy()
            done += len(indices_B)
            seen(done)
    network.train(was_training)
    return found_NC


def loss_and_accuracy(
    probabilities_NC: Floats, labels_N: npt.NDArray[np.integer]
) -> tuple[float, float]:
    """Return mean cross-entropy in nats and the share of right answers.

    >>> loss_and_accuracy(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1]))
    (0.34657..., 1.0)
    """
    right_N = probabilities_NC[np.arange(len(labels_N)), labels_N]
    loss = -np.log(np.maximum(right_N, 1e-12)).mean()
    return float(loss), float((probabilities_NC.argmax(1) == labels_N).mean())
