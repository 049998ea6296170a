"""train: numbers become weights, and an interruption costs seconds, never the result.

The same command after any interruption goes on from the newest checkpoint and ends, on the same
machine with the same number of threads, with the same bytes as a run that was never interrupted.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from marfa import files, record, signals
from marfa.console import Bar, Silence, Talk
from marfa.data import dataset
from marfa.data.dataset import Split
from marfa.models import batches, checkpoint, cooccurrence, tensorboard
from marfa.models.classifier import Classifier
from marfa.models.learning import Learner, keep_memory, thread_count, threads
from marfa.models.scoring import loss_and_accuracy, probabilities
from marfa.recipes import Settings
from marfa.settings import outcome

STAGE = "train"
FORMAT = 1


def train(
    settings: Settings, talk: Talk | None = None, clock: Callable[[], float] = time.monotonic
) -> dict[str, Any]:
    """Train the classifier on the prepared texts, or go on where an earlier call was stopped.

    Args:
        settings: the sections `model` and `train` decide the result.
        talk: whom to tell; nobody if not given.
        clock: seconds, for the time between checkpoints.

    Returns:
        The best epoch and what it reached on validation, and the history of all epochs.

    Raises:
        DataError: if nothing has been prepared.
        TrainingError: if the loss stops being a number.
        StoppedError: after SIGTERM or Ctrl-C; the state is saved.
        BusyError: if another marfa is at work in the folder.
    """
    talk = talk or Silence()
    prepared = settings.folder / "dataset"
    inputs = record.outputs(prepared, "prepare")
    deciding = outcome(settings.model, settings.train)
    folder = settings.run_folder
    with files.lock(folder):
        if record.is_done(folder, STAGE, inputs, deciding):
            talk.say(f"train: nothing has changed, {folder} is kept")
        else:
            count = thread_count(settings.train)
            record.forget(folder, STAGE)
            same = {name: value for name, value in deciding.items() if name != "threads"}
            key = files.hash_json({"settings": same, "inputs": inputs})
            with threads(count), signals.caught() as stop:
                keep_memory()
                run = _Run(settings, prepared, folder, key, talk, clock, stop)
                run.begin()
                run.learn()
                paths = run.finish()
                record.write(folder, STAGE, inputs, deciding, paths)
                checkpoint.clear(run.checkpoints)
                if stop.signal_number:
                    message = "stopped when training was just done; all is saved"
                    raise stop.error(message, "run the same command again to go on")
        return _summary(folder)


def _summary(folder: Path) -> dict[str, Any]:
    config = files.read_json(folder / "config.json")
    with open(folder / "history.jsonl", encoding="utf-8") as lines:
        history = [json.loads(line) for line in lines]
    return {"best": config["best"], "epochs": history, "folder": str(folder)}


class _Run:
    """One training run: where it is, and how it is saved."""

    def __init__(
        self,
        settings: Settings,
        prepared: Path,
        folder: Path,
        key: str,
        talk: Talk,
        clock: Callable[[], float],
        stop: signals.Stop,
    ) -> None:
        self.settings, self.folder, self.key = settings, folder, key
        # of each key apart, so that a run on other settings leaves this one's alone
        self.checkpoints = folder / "checkpoints" / key[:12]
        self.talk, self.clock, self.stop = talk, clock, stop
        self.document = files.read_json(prepared / "dataset.json")
        self.training = _first(dataset.read_split(prepared, "train"), settings.train.sample)
        self.validation = dataset.read_split(prepared, "validation")
        self.lengths_N = np.minimum(
            self.training.lengths_N, settings.train.window or np.iinfo(np.int64).max
        ).astype(np.int64)
        steps = -(-len(self.training) // settings.train.batch_size)
        self.total = steps * settings.train.epochs
        torch.manual_seed(settings.train.seed)
        network = Classifier(
            settings.model, self.document["vocabulary"], len(self.document["labels"])
        )
        self.learner = Learner(network, settings.train, self.total)
        self.epoch = self.number = 0
        self.loss_sum = 0.0
        self.right = self.seen = 0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] = {}
        self.best_weights: dict[str, Tensor] = {}
        self.saved_at = clock()
        self.began_at = clock()

    def begin(self) -> None:
        """Go back to the newest whole checkpoint of this very run, or take the first weights."""
        found = checkpoint.read_newest(self.checkpoints, self.key)
        if found is None:
            self._start()
            return
        tensors, state = found
        self.learner.restore(tensors, state["steps"])
        self.epoch, self.number = state["epoch"], state["number"]
        self.loss_sum, self.right, self.seen = state["loss_sum"], state["right"], state["seen"]
        self.history, self.best = state["history"], state["best"]
        self.best_weights = {
            name.removeprefix("best."): tensor
            for name, tensor in tensors.items()
            if name.startswith("best.")
        }
        self.talk.say(
            f"train: going on at epoch {self.epoch + 1}, step {self.number + 1}, from a checkpoint"
        )
        if state["threads"] != torch.get_num_threads():
            self.talk.warn(
                f"begun with {state['threads']} thread(s), now {torch.get_num_threads()}: the last "
                "digits will differ from a run that was never interrupted"
            )

    def _start(self) -> None:
        shutil.rmtree(self.folder / "tensorboard", ignore_errors=True)  # curves of another run
        if self.settings.train.start == "random":
            return
        self.talk.say("train: first embeddings from which words stand near which")
        found = cooccurrence.embeddings(
            self.training,
            self.document["vocabulary"],
            self.settings.model.embedding,
            self.settings.train,
        )
        if found is None:
            self.talk.say("train: too little text for that; they are random")
        else:
            self.learner.set_embeddings(torch.from_numpy(found))

    def save(self) -> None:
        """Write a checkpoint."""
        tensors = self.learner.tensors() | {
            f"best.{name}": tensor for name, tensor in self.best_weights.items()
        }
        state = {
            "key": self.key,
            "threads": torch.get_num_threads(),
            "steps": self.learner.steps,
            "epoch": self.epoch,
            "number": self.number,
            "loss_sum": self.loss_sum,
            "right": self.right,
            "seen": self.seen,
            "history": self.history,
            "best": self.best,
        }
        checkpoint.write(self.checkpoints, self.learner.steps, tensors, state)
        self.saved_at = self.clock()

    def learn(self) -> None:
        """Train to the last epoch, or until validation has stopped getting better."""
        with self.talk.bar("training", self.total, "steps") as bar:
            while self.epoch < self.settings.train.epochs and not self._is_enough():
                self._learn_epoch(bar)
        self._check_stop()

    def _is_enough(self) -> bool:
        patience = self.settings.train.patience
        return bool(patience and self.best and self.epoch - self.best["epoch"] >= patience)

    def _learn_epoch(self, bar: Bar) -> None:
        options = self.settings.train
        order = batches.order(self.lengths_N, options.batch_size, options.seed, self.epoch)
        for indices_B in order[self.number :]:
            self._check_stop()
            loss, right = self.learner.step(self.training, indices_B, self.epoch, self.number)
            self.number += 1
            self.loss_sum += loss * len(indices_B)
            self.right += right
            self.seen += len(indices_B)
            bar.update(
                self.learner.steps,
                f"epoch {self.epoch + 1}/{options.epochs}  loss {self.loss_sum / self.seen:.3f}  "
                f"accuracy {self.right / self.seen:.3f}",
            )
            if self.clock() - self.saved_at >= options.checkpoint_seconds:
                self.save()
        self._end_epoch()

    def _check_stop(self) -> None:
        if self.stop.signal_number:
            self.save()
            message = f"stopped at epoch {self.epoch + 1}, step {self.number + 1}; all is saved"
            raise self.stop.error(message, "run the same command again to go on")

    def _end_epoch(self) -> None:
        judged = self.learner.judged
        loss, accuracy = loss_and_accuracy(
            probabilities(judged, self.validation), self.validation.labels_N
        )
        entry = {
            "epoch": self.epoch + 1,
            "train_loss": round(self.loss_sum / self.seen, 6),
            "train_accuracy": round(self.right / self.seen, 6),
            "validation_loss": round(loss, 6),
            "validation_accuracy": round(accuracy, 6),
        }
        self.history.append(entry)
        tensorboard.write(self.folder / "tensorboard", entry)
        self.epoch, self.number = self.epoch + 1, 0
        self.loss_sum, self.right, self.seen = 0.0, 0, 0
        if not self.best or self._rank(entry) > self._rank(self.best):
            self.best = entry
            self.best_weights = {
                name: tensor.detach().clone() for name, tensor in judged.state_dict().items()
            }
        self.talk.say(
            f"epoch {entry['epoch']}: loss {entry['train_loss']:.4f}, "
            f"validation loss {loss:.4f}, accuracy {accuracy:.4f}"
            + (", the best so far" if self.best is entry else "")
        )
        self._write_history()
        self.save()

    def _rank(self, entry: dict[str, Any]) -> tuple[float, float]:
        loss, accuracy = entry["validation_loss"], entry["validation_accuracy"]
        return (accuracy, -loss) if self.settings.train.best_by == "accuracy" else (-loss, accuracy)

    def _write_history(self) -> Path:
        """Write all epochs so far, one a line, so that a run under way can be followed."""
        path = self.folder / "history.jsonl"
        lines = (json.dumps(entry, sort_keys=True).encode() + b"\n" for entry in self.history)
        files.write_bytes(path, b"".join(lines))
        return path

    def finish(self) -> list[Path]:
        """Write the weights, the configuration and the history; say how long it took."""
        weights = self.folder / "weights.safetensors"
        files.write_bytes(weights, save({k: v.contiguous() for k, v in self.best_weights.items()}))
        config = self.folder / "config.json"
        files.write_json(
            config,
            {
                "format": FORMAT,
                "task": "sentiment",
                "name": self.settings.run_name,
                "preset": self.settings.preset,
                "labels": self.document["labels"],
                "vocabulary": self.document["vocabulary"],
                "model": asdict(self.settings.model),
                "train": outcome(self.settings.train),
                # the file's name says what it was; its folder is nobody else's business
                "data": {**self.document["settings"], "data": Path(self.settings.data.data).name},
                "best": self.best,
            },
        )
        history = self._write_history()
        seconds = self.clock() - self.began_at
        self.talk.say(f"train: best epoch {self.best['epoch']}, {seconds:.0f} s in this call")
        return [weights, config, history]


def _first(split: Split, count: int) -> Split:
    """Keep the first `count` texts (they stand in an order as good as random), or all for 0."""
    if not count or count >= len(split):
        return split
    return Split(split.ids, split.offsets[: count + 1], split.labels_N[:count])
