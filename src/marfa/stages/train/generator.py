"""Learning to write, one character after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from marfa import bundle as bundles
from marfa import files, loading
from marfa.bundle import Bundle
from marfa.data import dataset
from marfa.engines import weights
from marfa.errors import SettingsError
from marfa.evaluation.crossentropy import WARM, bits, held_out, steps_of
from marfa.model import configuration
from marfa.models.course import Conditions, Course
from marfa.models.generator import Generator, State, cell_size
from marfa.models.learning import Learner
from marfa.models.reading import computes_bfloat16, reader, trains_bfloat16
from marfa.models.stretches import Ids, Stretches
from marfa.recipes import GeneratorSettings
from marfa.settings import WriterSettings, from_mapping
from marfa.text.alphabet import Alphabet
from marfa.writer import Writer

Batch = tuple[Ids, Ids]


class GeneratorCourse(Course[Generator, Batch]):
    """A generator's training run.

    Args:
        settings: the sections `model` and `train` decide the result.
        prepared: the dataset's folder.
        under: what the run is under.

    Raises:
        DataError: if the text is too short for the batches.
        SettingsError: if the network is to begin as one of another shape.
    """

    def __init__(self, settings: GeneratorSettings, prepared: Path, under: Conditions) -> None:
        options = settings.train
        self._settings, self._talk = settings, under.talk
        if options.batch_size < under.team.size:
            message = (
                f"{options.batch_size} stretches cannot be shared by {under.team.size} processes"
            )
            raise SettingsError(
                message, where="batch_size", hint="--batch-size, or fewer --machines"
            )
        self._codec = Alphabet.from_json(files.read_json(prepared / "codec.json"))
        training = dataset.read_ids(prepared, "train")
        training = training[: options.sample or None]
        self._text = Stretches(training, options.batch_size, options.unroll)
        self._begin = min(WARM, len(training))
        after = dataset.read_ids(prepared, "validation")
        self._held_out = np.concatenate([training[len(training) - self._begin :], after])
        self._state: State | None = None
        precision = options.precision
        if precision == "auto":
            precision = "bfloat16" if computes_bfloat16(under.device) else "float32"
        torch.manual_seed(options.seed)
        network = Generator(settings.model, self._codec.size)
        total = len(self._text) * options.epochs
        learner = Learner(network, options, total, None, under.team, under.device)
        super().__init__(learner, options, under)
        self.config = {"precision": precision}

    @cached_property
    def _small(self) -> bool:
        """Whether it is trained in bfloat16, as it was begun."""
        small = bool(self.config["precision"] == "bfloat16")
        if small and not trains_bfloat16(self.learner.device):
            message = "this processor cannot train in bfloat16"
            hint = (
                "--precision float32 or auto; a run begun in bfloat16 goes on where it was, or begins "
                "anew under another --name"
            )
            raise SettingsError(message, where="precision", hint=hint)
        return small

    def start(self) -> None:
        """Begin as an earlier model ended, if so set; symbols that only one knows begin at random."""
        path = self._settings.train.from_
        if not path:
            return
        earlier = bundles.load(Path(path))
        codec = _like(earlier, self._settings.model, path)
        known = weights.read(earlier.contents["weights.safetensors"])
        one_hot = self._settings.model.input == "one-hot"
        by_symbol = {"embedding.weight": 0, "output.weight": 0, "output.bias": 0}
        if one_hot:
            by_symbol["lstm.0.weight_ih_l0"] = 1
        first = {name: each.cpu() for name, each in self.learner.network.state_dict().items()}
        for name, fresh in first.items():
            found = torch.from_numpy(known[name].copy())
            if name in by_symbol:
                found = _placed(found, codec, fresh, self._codec, by_symbol[name])
            first[name] = found
        self.learner.begin_with(first)
        same = len(set(codec.symbols) & set(self._codec.symbols))
        self._talk.say(
            f"train: beginning as model {earlier.model_id} ended; it knows {same} of the "
            f"{len(self._codec.symbols)} symbols"
        )

    def batches(self) -> Iterator[Batch]:
        """Yield inputs_TB and targets_TB; each epoch begins without a state."""
        if self.number == 0:
            self._state = None
        yield from self._text.steps(self.number)

    def learn_from(self, batch: Batch) -> str:
        """Learn from the next characters of all stretches, and carry the state on."""
        team = self.learner.team
        inputs_TB, targets_TB = (self.learner.tensor(part[:, team.mine]) for part in batch)
        key = (self._settings.train.seed, self.epoch, self.number)
        entropy = 0.0

        def loss_of(network: Generator) -> Tensor:
            nonlocal entropy
            kind = self.learner.device.type
            with torch.autocast(kind, dtype=torch.bfloat16, enabled=self._small):
                logits_TBV, state = network(inputs_TB, self._state)
            self._state = [(output.detach(), cell.detach()) for output, cell in state]
            loss = functional.cross_entropy(logits_TBV.float().flatten(0, 1), targets_TB.flatten())
            entropy = loss.item()
            return loss + self._settings.train.cell_penalty * cell_size(state)

        share, count = inputs_TB.numel() / batch[0].size, batch[0].size
        self.learner.step(key, loss_of, share)
        (entropy,) = team.total(entropy * share)
        self.sums["loss"] = self.sums.get("loss", 0.0) + entropy * count
        self.sums["seen"] = self.sums.get("seen", 0) + count
        return f"{bits(self.sums['loss'] / self.sums['seen']):.3f} bits a character"

    def judged(self, network: Generator) -> dict[str, Any]:
        """Return cross-entropy, in nats and in bits a character, of both parts."""
        train = self.sums["loss"] / self.sums["seen"]
        validation = held_out(
            reader(network),
            self._held_out,
            self._begin,
            steps=steps_of(self._codec.size),
        )
        return {
            "characters": int(self.sums["seen"])
            + sum(item["characters"] for item in self.history[-1:]),
            "train_loss": round(train, 6),
            "train_bits": round(bits(train), 6),
            "validation_loss": round(validation, 6),
            "validation_bits": round(bits(validation), 6),
        }

    def rank(self, entry: Mapping[str, Any]) -> tuple[float, ...]:
        """Return the loss on the held-out part, the lower the better."""
        return (-entry["validation_loss"],)

    def news(self, entry: Mapping[str, Any]) -> str:
        """Tell the bits a character."""
        return (
            f"{entry['train_bits']:.4f} bits a character, held out {entry['validation_bits']:.4f} "
            f"({entry['validation_loss']:.4f} nats)"
        )

    def carried(self) -> dict[str, Tensor]:
        """Return the state that the next step begins in."""
        rows = self._settings.train.batch_size
        return {
            f"{layer}.{part}": self.learner.team.whole(tensor, rows)
            for layer, pair in enumerate(self._state or [])
            for part, tensor in enumerate(pair)
        }

    def carry(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the state back."""
        layers = range(len(tensors) // 2)
        mine = {
            name: whole[:, self.learner.team.mine].contiguous().to(self.learner.device)
            for name, whole in tensors.items()
        }
        found = [(mine[f"{layer}.0"], mine[f"{layer}.1"]) for layer in layers]
        self._state = found or None


def origin(settings: GeneratorSettings) -> dict[str, str]:
    """Return which model's weights are the first ones, for comparing runs; empty for none.

    Raises:
        BundleError: if there is no such model.
        SettingsError: if it is the model that this very run is to make.
    """
    path = settings.train.from_
    if not path:
        return {}
    if Path(path).resolve() == settings.model_file.resolve():
        message = "this run would write over the model that it is to begin with"
        raise SettingsError(message, where=path, hint="give the run a name of its own: --name NAME")
    return {"from": bundles.load(Path(path)).model_id}


def _like(earlier: Bundle, mine: WriterSettings, path: str) -> Alphabet:
    """Return the alphabet of a model that writes and has this shape.

    Raises:
        SettingsError: if it is another model.
        BundleError: if its parts do not fit each other.
    """
    model = loading.of(earlier, "numpy")
    if not isinstance(model, Writer):
        message = "it is no model that writes"
        raise SettingsError(message, where=path, hint="give a model made by marfa run shakespeare")
    its = from_mapping(WriterSettings, configuration(earlier)["model"], where=path)
    for name in ("input", "embedding", "hidden", "layers"):
        found, wanted = getattr(its, name), getattr(mine, name)
        if found != wanted and not (name == "embedding" and mine.input == "one-hot"):
            message = f"that model has another shape: its {name} is {found}, this run's is {wanted}"
            raise SettingsError(message, where=path, hint=f"give --{name} {found}")
    return model.codec


def _placed(found: Tensor, codec: Alphabet, fresh: Tensor, mine: Alphabet, axis: int) -> Tensor:
    """Return a tensor whose rows, or columns, of symbols are put where ours are; new ones stay fresh."""
    placed = fresh.clone()
    pairs = [(0, 0), *((mine.ids[s], codec.ids[s]) for s in mine.symbols if s in codec.ids)]
    to, of = (torch.tensor(list(side)) for side in zip(*pairs, strict=True))
    placed.index_copy_(axis, to, found.index_select(axis, of))
    return placed
