"""A training run: where it is, how it is saved, and how it goes on; what it learns, its kinds know."""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors.torch import save
from torch import Tensor, nn

from marfa import files, signals
from marfa.console import Bar, Talk
from marfa.models import checkpoint, tensorboard
from marfa.models.learning import Learner
from marfa.models.team import Team
from marfa.settings import LearningSettings

N = TypeVar("N", bound=nn.Module)
B = TypeVar("B")


@dataclass(frozen=True)
class Conditions:
    """What a run is under.

    Attributes:
        folder: where it writes.
        key: the hash of all that decides its result.
        talk: whom to tell.
        clock: seconds, for the time between checkpoints.
        stop: whether somebody has asked to stop.
        team: who else learns the same.
        device: what computes.
        kept: where checkpoints are, and stay; within the run's own folder if not given.
    """

    folder: Path
    key: str
    talk: Talk
    clock: Callable[[], float]
    stop: signals.Stop
    team: Team = field(default_factory=Team)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    kept: Path | None = None

    @property
    def checkpoints(self) -> Path:
        """Where its checkpoints are: apart from those of a run on other settings."""
        return (self.kept or self.folder / "checkpoints") / self.key[:12]


class Course(ABC, Generic[N, B]):
    """One training run; a kind of it says what a batch is, what is learnt from it, and what is better.

    Args:
        learner: the network that learns.
        settings: how.
        under: what the run is under.

    Attributes:
        epoch: epochs that have been finished.
        number: batches of the present epoch that have been learnt from.
        sums: what has been added up over the present epoch.
        config: what the configuration says of the run besides its settings.
        best: the history's entry of the best epoch, empty before the first.
    """

    def __init__(self, learner: Learner[N], settings: LearningSettings, under: Conditions) -> None:
        self.learner, self._options, self._under = learner, settings, under
        self.epoch = self.number = 0
        self.sums: dict[str, float] = {}
        self.config: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] = {}
        self._best_weights: dict[str, Tensor] = {}
        self._began_at = self._saved_at = under.clock()

    @abstractmethod
    def start(self) -> None:
        """Choose the first weights, where they are not simply random."""

    @abstractmethod
    def batches(self) -> Iterator[B]:
        """Yield the batches of the present epoch, from the one that comes next."""

    @abstractmethod
    def learn_from(self, batch: B) -> str:
        """Learn from a batch; return a few words on how it goes."""

    def kept(self) -> N:
        """Return the network as it would be kept after this epoch; what is judged is what is kept."""
        return self.learner.judged

    @abstractmethod
    def judged(self, network: N) -> dict[str, Any]:
        """Return what training has come to in this epoch, and validation with this network."""

    @abstractmethod
    def rank(self, entry: Mapping[str, Any]) -> tuple[float, ...]:
        """Return what makes an epoch better than another, the greater the better."""

    @abstractmethod
    def news(self, entry: Mapping[str, Any]) -> str:
        """Tell an epoch's figures in a line."""

    def carried(self) -> dict[str, Tensor]:
        """Return the tensors, besides the learner's, that the next step depends on."""
        return {}

    def carry(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back what `carried` returned."""

    def begin(self) -> None:
        """Go back to the newest whole checkpoint of this very run, or take the first weights."""
        newest = checkpoint.read_newest(self._under.checkpoints, self._under.key)
        found = self._under.team.given(newest)
        if found is None:
            shutil.rmtree(self._under.folder / "tensorboard", ignore_errors=True)  # another run's
            self.start()
            for network in (self.learner.network, self.learner.judged):
                self._under.team.begin_as_first(network)
            return
        tensors, state = found
        self.learner.restore(tensors, state["steps"])
        self.epoch, self.number, self.sums = state["epoch"], state["number"], state["sums"]
        self.history, self.best = state["history"], state["best"]
        self.config = state["config"]  # as the run was begun, on whatever machine it goes on
        self._best_weights = checkpoint.under(tensors, "best.")
        self.carry(checkpoint.under(tensors, "carried."))
        self._under.talk.say(
            f"train: going on at epoch {self.epoch + 1}, step {self.number + 1}, from a checkpoint"
        )
        if state["threads"] != torch.get_num_threads():
            self._under.talk.warn(
                f"begun with {state['threads']} thread(s), now {torch.get_num_threads()}: the last "
                "digits will differ from a run that was never interrupted"
            )

    def save(self) -> None:
        """Write a checkpoint."""
        tensors = self.learner.tensors()
        tensors |= {f"best.{name}": tensor for name, tensor in self._best_weights.items()}
        tensors |= {f"carried.{name}": tensor for name, tensor in self.carried().items()}
        self._saved_at = self._under.clock()
        if not self._under.team.is_first:
            return
        state = {
            "key": self._under.key,
            "threads": torch.get_num_threads(),
            "steps": self.learner.steps,
            "epoch": self.epoch,
            "number": self.number,
            "sums": self.sums,
            "config": self.config,
            "history": self.history,
            "best": self.best,
        }
        checkpoint.write(self._under.checkpoints, self.learner.steps, tensors, state)

    def learn(self) -> None:
        """Train to the last epoch, or until validation has stopped getting better."""
        with self._under.talk.bar("training", self.learner.total_steps, "steps") as bar:
            while self.epoch < self._options.epochs and not self._is_enough():
                self._learn_epoch(bar)
        self._check_stop()

    def _is_enough(self) -> bool:
        patience = self._options.patience
        return bool(patience and self.best and self.epoch - self.best["epoch"] >= patience)

    def _learn_epoch(self, bar: Bar) -> None:
        for batch in self.batches():
            self._check_stop()
            note = self.learn_from(batch)
            self.number += 1
            bar.update(self.learner.steps, f"epoch {self.epoch + 1}/{self._options.epochs}  {note}")
            due = self._under.clock() - self._saved_at >= self._options.checkpoint_seconds
            if self._under.team.agree(due)[0]:  # all of them, since each holds a part of the state
                self.save()
        self._end_epoch()

    def _check_stop(self) -> None:
        if self._under.team.agree(bool(self._under.stop.signal_number))[0]:
            self.save()
            where = f"epoch {self.epoch + 1}, step {self.number + 1}"
            if self.epoch >= self._options.epochs:
                where = "the end of the last epoch"
            message = f"stopped at {where}; all is saved"
            raise self._under.stop.error(message, "run the same command again to go on")

    def _end_epoch(self) -> None:
        network = self.kept()
        found = self.judged(network) if self._under.team.is_first else {}
        entry = {"epoch": self.epoch + 1, **self._under.team.told(found)}
        self.history.append(entry)
        if self._under.team.is_first:
            tensorboard.write(self._under.folder / "tensorboard", entry)
        self.epoch, self.number, self.sums = self.epoch + 1, 0, {}
        if not self.best or self.rank(entry) > self.rank(self.best):
            self.best = entry
            self._best_weights = {
                name: tensor.detach().clone() for name, tensor in network.state_dict().items()
            }
        so_far = ", the best so far" if self.best is entry else ""
        self._under.talk.say(f"epoch {entry['epoch']}: {self.news(entry)}{so_far}")
        self._write_history()
        self.save()

    def _write_history(self) -> Path:
        """Write all epochs so far, one a line, so that a run under way can be followed."""
        path = self._under.folder / "history.jsonl"
        lines = (json.dumps(entry, sort_keys=True).encode() + b"\n" for entry in self.history)
        files.write_bytes(path, b"".join(lines))
        return path

    def finish(self) -> list[Path]:
        """Write the best weights and the history; say how long it took."""
        weights = self._under.folder / "weights.safetensors"
        files.write_bytes(weights, save({k: v.contiguous() for k, v in self._best_weights.items()}))
        history = self._write_history()
        seconds = self._under.clock() - self._began_at
        self._under.talk.say(
            f"train: best epoch {self.best['epoch']}, {seconds:.0f} s in this call"
        )
        return [weights, history]
