"""The processes that train one network together, as torchrun starts them; usually one, alone.

Each takes its share of every batch, and their gradients are summed, so that a step is the step that one
process would have taken, up to the last digits (data parallelism; Li et al., "PyTorch Distributed",
2020, section 2). What must be the same everywhere, such as whether to stop, is agreed upon.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, distributed, nn

from marfa import environment

Checkpoint = tuple[dict[str, Tensor], dict[str, Any]]
"""The tensors of a checkpoint, and everything else of it."""


class Team:
    """One process's view of all of them.

    Args:
        rank: which one this is, from 0.
        size: how many there are.

    >>> alone = Team()
    >>> alone.total(2.0, 3.0), alone.agree(False), alone.told({"epoch": 1})
    ([2.0, 3.0], [False], {'epoch': 1})
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def is_first(self) -> bool:
        """Return whether this is the one that writes."""
        return self.rank == 0

    @property
    def mine(self) -> slice:
        """Return which rows of a batch are this one's.

        >>> list(range(5))[Team(1, 2).mine]
        [1, 3]
        """
        return slice(self.rank, None, self.size)

    def sum_gradients(self, network: nn.Module) -> None:
        """Add up what all have found; who had no rows has found nothing."""
        if self.size == 1:
            return
        weights = list(network.parameters())
        found = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        flat = torch.cat([gradient.reshape(-1) for gradient in found])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [weight.numel() for weight in weights])
        for weight, part in zip(weights, parts, strict=True):
            weight.grad = part.view_as(weight)

    def begin_as_first(self, network: nn.Module) -> None:
        """Take the first one's weights, whatever another machine has made of the same seed."""
        if self.size > 1:
            for weight in network.parameters():
                distributed.broadcast(weight.data, src=0)

    def total(self, *numbers: float) -> list[float]:
        """Add up numbers of all."""
        if self.size == 1:
            return list(numbers)
        summed = torch.tensor(numbers, dtype=torch.float64)
        distributed.all_reduce(summed)
        return [float(number) for number in summed]

    def agree(self, *wishes: bool) -> list[bool]:
        """Find out what any of them wishes."""
        return [bool(number) for number in self.total(*map(float, wishes))]

    def told(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the first one's document."""
        if self.size == 1:
            return document
        packed = json.dumps(document).encode()
        (length,) = self.total(float(len(packed)) if self.is_first else 0.0)
        content = torch.zeros(int(length), dtype=torch.uint8)
        if self.is_first:
            content = torch.frombuffer(bytearray(packed), dtype=torch.uint8)
        distributed.broadcast(content, src=0)
        found: dict[str, Any] = json.loads(content.numpy().tobytes())
        return found

    def given(self, found: Checkpoint | None) -> Checkpoint | None:
        """Return the first one's checkpoint, whatever this one has found: all go on from one place."""
        if self.size == 1:
            return found
        tensors, state = found or ({}, {})
        shapes = {
            name: [str(each.dtype).partition(".")[2], *each.shape] for name, each in tensors.items()
        }
        told = self.told({"state": state, "shapes": shapes})
        if not told["state"]:
            return None
        for name, (kind, *shape) in told["shapes"].items():
            if not self.is_first:
                tensors[name] = torch.empty(shape, dtype=getattr(torch, kind))
            distributed.broadcast(tensors[name], src=0)
        return {name: tensors[name] for name in told["shapes"]}, told["state"]

    def whole(self, mine_1BH: Tensor, rows: int) -> Tensor:
        """Put the rows of all together, along the second axis."""
        if self.size == 1:
            return mine_1BH
        whole_1BH = mine_1BH.new_zeros((mine_1BH.shape[0], rows, *mine_1BH.shape[2:]))
        whole_1BH[:, self.mine] = mine_1BH
        distributed.all_reduce(whole_1BH)
        return whole_1BH


@contextlib.contextmanager
def gathered(processes: tuple[int, int] | None = None) -> Iterator[Team]:
    """Meet the others that torchrun has started, and part from them at the end.

    Args:
        processes: rank and size; what torchrun has put into the environment if not given.
    """
    rank, size = processes or environment.read().processes
    if size == 1:
        yield Team()
        return
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Team(rank, size)
    finally:
        distributed.destroy_process_group()
