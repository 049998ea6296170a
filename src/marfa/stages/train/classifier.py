"""Learning to sort texts."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from marfa import files
from marfa.data import dataset
from marfa.data.dataset import Split
from marfa.engines import rounding
from marfa.models import batches, cooccurrence
from marfa.models.batches import Ints
from marfa.models.classifier import Classifier
from marfa.models.course import Conditions, Course
from marfa.models.learning import Learner
from marfa.models.scoring import loss_and_accuracy, probabilities
from marfa.recipes import ClassifierSettings


class ClassifierCourse(Course[Classifier, Ints]):
    """A classifier's training run.

    Args:
        settings: the sections `model` and `train` decide the result.
        prepared: the dataset's folder.
        under: what the run is under.
    """

    def __init__(self, settings: ClassifierSettings, prepared: Path, under: Conditions) -> None:
        options = settings.train
        self._settings, self._talk = settings, under.talk
        document = files.read_json(prepared / "dataset.json")
        self._vocabulary: int = document["vocabulary"]
        self._training = _first(dataset.read_split(prepared, "train"), options.sample)
        self._validation = dataset.read_split(prepared, "validation")
        longest = options.window or np.iinfo(np.int64).max
        self._lengths_N = np.minimum(self._training.lengths_N, longest).astype(np.int64)
        steps = -(-len(self._training) // options.batch_size)
        torch.manual_seed(options.seed)
        network = Classifier(settings.model, self._vocabulary, len(document["labels"]))
        shares = {"embedding.weight": options.embedding_rate}
        learner = Learner(
            network, options, steps * options.epochs, shares, under.team, under.device
        )
        super().__init__(learner, options, under)
        self.config = {"labels": document["labels"]}

    def start(self) -> None:
        """Begin with embeddings from which words stand near which, if so set."""
        options = self._settings.train
        if options.start == "random":
            return
        self._talk.say("train: first embeddings from which words stand near which")
        size = self._settings.model.embedding
        found = cooccurrence.embeddings(self._training, self._vocabulary, size, options)
        if found is None:
            self._talk.say("train: too little text for that; they are random")
        else:
            self.learner.begin_with({"embedding.weight": torch.from_numpy(found)})

    def batches(self) -> Iterator[Ints]:
        """Yield which texts make each batch."""
        options = self._settings.train
        order = batches.order(self._lengths_N, options.batch_size, options.seed, self.epoch)
        yield from order[self.number :]

    def learn_from(self, batch: Ints) -> str:
        """Learn from windows of texts, some words of them hidden."""
        options = self._settings.train
        key = (options.seed, self.epoch, self.number)
        team = self.learner.team
        tokens_BT, lengths_B, labels_B = (
            self.learner.tensor(array[team.mine])
            for array in batches.augmented(
                self._training,
                batch,
                window=options.window,
                word_dropout=options.word_dropout,
                key=key,
            )
        )
        right = 0

        def loss_of(network: Classifier) -> Tensor:
            nonlocal right
            logits_BC = network(tokens_BT, lengths_B)
            right = int((logits_BC.argmax(1) == labels_B).sum())
            return functional.cross_entropy(
                logits_BC, labels_B, label_smoothing=options.label_smoothing
            )

        loss = self.learner.step(key, loss_of, len(labels_B) / len(batch))
        (right_in_all,) = team.total(right)
        for name, value in (
            *(("loss", loss * len(batch)), ("right", int(right_in_all))),
            ("seen", len(batch)),
        ):
            self.sums[name] = self.sums.get(name, 0) + value
        loss, accuracy = self._training_figures()
        return f"loss {loss:.3f}  accuracy {accuracy:.3f}"

    def _training_figures(self) -> tuple[float, float]:
        return self.sums["loss"] / self.sums["seen"], self.sums["right"] / self.sums["seen"]

    def kept(self) -> Classifier:
        """Return the network with its embeddings rounded, if so set; what learns is left alone."""
        network, bits = self.learner.judged, self._settings.train.embedding_bits
        if bits not in rounding.BITS:
            return network
        network = copy.deepcopy(network)
        table_VE = network.embedding.weight.data
        table_VE.copy_(torch.from_numpy(rounding.rounded(table_VE.cpu().numpy(), bits)))
        return network

    def judged(self, network: Classifier) -> dict[str, Any]:
        """Return loss and accuracy of both parts."""
        found_NC = probabilities(network, self._validation)
        loss, accuracy = loss_and_accuracy(found_NC, self._validation.labels_N)
        train_loss, train_accuracy = self._training_figures()
        return {
            "train_loss": round(train_loss, 6),
            "train_accuracy": round(train_accuracy, 6),
            "validation_loss": round(loss, 6),
            "validation_accuracy": round(accuracy, 6),
        }

    def rank(self, entry: Mapping[str, Any]) -> tuple[float, ...]:
        """Return accuracy before loss, or loss before accuracy, as set."""
        loss, accuracy = entry["validation_loss"], entry["validation_accuracy"]
        by_accuracy = self._settings.train.best_by == "accuracy"
        return (accuracy, -loss) if by_accuracy else (-loss, accuracy)

    def news(self, entry: Mapping[str, Any]) -> str:
        """Tell the losses and validation's accuracy."""
        return (
            f"loss {entry['train_loss']:.4f}, validation loss {entry['validation_loss']:.4f}, "
            f"accuracy {entry['validation_accuracy']:.4f}"
        )


def _first(split: Split, count: int) -> Split:
    """Keep the first `count` texts (they stand in an order as good as random), or all for 0."""
    if not count or count >= len(split):
        return split
    return Split(split.ids, split.offsets[: count + 1], split.labels_N[:count])
