"""One step of learning, and all that must be kept to take the next one as it would have been."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import hashlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import numpy.typing as npt
import torch
from torch import Tensor, nn

from marfa import environment
from marfa.errors import TrainingError
from marfa.models import checkpoint
from marfa.models.team import Team
from marfa.settings import LearningSettings

N = TypeVar("N", bound=nn.Module)


class Learner(Generic[N]):
    """A network with its optimiser and its running average.

    All chance in a step comes from (seed, epoch, step), so there is no generator state to keep.

    Args:
        network: what learns.
        settings: how.
        total_steps: steps of the whole run, for the schedule.
        shares: parameters, by name, whose step size is another share of the others' than 1.
        team: who else learns the same; nobody if not given.
        device: what computes; the processor if not given.
    """

    def __init__(
        self,
        network: N,
        settings: LearningSettings,
        total_steps: int,
        shares: Mapping[str, float] | None = None,
        team: Team | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.team = team or Team()
        self.device = device or torch.device("cpu")
        self.network = network.to(self.device)
        self.settings = settings
        self.total_steps = total_steps
        self.steps = 0
        shares = shares or {}
        groups = [
            {"params": [weight], "share": shares[name]}
            for name, weight in network.named_parameters()
            if name in shares
        ]
        others = [weight for name, weight in network.named_parameters() if name not in shares]
        self.optimiser = torch.optim.AdamW(
            [*groups, {"params": others, "share": 1.0}],
            lr=settings.learning_rate,
            betas=(settings.beta1, settings.beta2),
            weight_decay=settings.weight_decay,
        )
        self._averaged = copy.deepcopy(network) if settings.average else network

    @property
    def judged(self) -> N:
        """The network to validate and to keep: the running average where there is one."""
        return self._averaged

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take these for the first weights, by name; only before the first step."""
        for network in (self.network, self._averaged):
            network.load_state_dict(weights, strict=False)

    def tensor(self, array: npt.NDArray[Any]) -> Tensor:
        """Put numbers where the network is."""
        return torch.from_numpy(array).to(self.device)

    def step(
        self, key: tuple[int, int, int], loss_of: Callable[[N], Tensor], share: float = 1.0
    ) -> float:
        """Learn from one batch.

        Args:
            key: (seed, epoch, step), both counted from 0, from which all chance comes.
            loss_of: returns the mean loss of this process's rows, given the network in training mode.
            share: how much of the batch those rows are; 0 for none, and then nothing is asked.

        Returns:
            The loss of the whole batch, in nats.

        Raises:
            TrainingError: if the loss or the gradient is not a finite number.
        """
        _, epoch, number = key
        # who is alone draws as nobody's first, so that a team of one is no other run
        torch.manual_seed(_seed(*key, self.team.rank) if self.team.rank else _seed(*key))
        rate = self._rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.network.train()
        self.optimiser.zero_grad(set_to_none=False)
        mine = 0.0
        if share:
            loss = loss_of(self.network) * share if share < 1 else loss_of(self.network)
            loss.backward()  # type: ignore[no-untyped-call]
            mine = loss.item()
        self.team.sum_gradients(self.network)
        (found,) = self.team.total(mine)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        if not (math.isfinite(found) and torch.isfinite(norm)):
            message = (
                f"the loss is no longer a number (epoch {epoch + 1}, step {number + 1}, "
                f"learning rate {rate:.3g})"
            )
            hint = "lower --learning-rate or --clip; the last whole checkpoint is kept"
            raise TrainingError(message, hint=hint)
        self.optimiser.step()
        self.steps += 1
        self._follow()
        return found

    def _rate(self) -> float:
        """Return the step size: constant, or up for a tenth of the run and then down to zero."""
        peak = self.settings.learning_rate
        if self.settings.schedule == "constant":
            return peak
        warm = max(1, self.total_steps // 10)
        if self.steps < warm:
            return peak * (self.steps + 1) / warm
        return peak * (self.total_steps - self.steps) / max(1, self.total_steps - warm)

    def _follow(self) -> None:
        """Move the average towards the network (Polyak and Juditsky, 1992), faster at first."""
        if self._averaged is self.network:
            return
        decay = min(self.settings.average, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self._averaged.parameters()), list(self.network.parameters()), 1 - decay
            )

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor that the next step depends on, by name."""
        kept = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        if self._averaged is not self.network:
            for name, tensor in self._averaged.state_dict().items():
                kept[f"average.{name}"] = tensor
        for index, moments in self.optimiser.state_dict()["state"].items():
            for moment in ("exp_avg", "exp_avg_sq", "step"):
                kept[f"adam.{index}.{moment}"] = moments[moment]
        return kept

    def restore(self, tensors: Mapping[str, Tensor], steps: int) -> None:
        """Go back to where `tensors` was taken, after `steps` steps."""
        self.steps = steps
        self.network.load_state_dict(checkpoint.under(tensors, "network."))
        if self._averaged is not self.network:
            self._averaged.load_state_dict(checkpoint.under(tensors, "average."))
        state = self.optimiser.state_dict()
        state["state"] = {}
        for name, tensor in checkpoint.under(tensors, "adam.").items():
            index, moment = name.split(".")
            state["state"].setdefault(int(index), {})[moment] = tensor
        self.optimiser.load_state_dict(state)


def _seed(*key: int) -> int:
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:7], "big")


def thread_count(settings: LearningSettings) -> int:
    """Return how many threads to compute with.

    Two busy OpenMP threads on two cores stand still for each other as soon as a third process wants
    one, so one core is left to the others unless `threads` or OMP_NUM_THREADS says otherwise.

    Args:
        settings: `threads`, 0 for all cores but one and four at most.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    chosen = settings.threads or environment.read().omp_threads
    return chosen or max(1, min(4, (available or 1) - 1))


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads, and as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def keep_memory() -> None:
    """Ask the allocator to reuse memory instead of giving it back after every step.

    glibc returns blocks over 128 KiB to the system at once and then pays for every page again: 40 % of
    a padded LSTM step. Elsewhere than with glibc this does nothing.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD
