"""Curves for TensorBoard, where it is installed; `history.jsonl` holds the same figures without it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path


def write(folder: Path, entry: Mapping[str, float]) -> bool:
    """Add one epoch to the event files of a run.

    Args:
        folder: where TensorBoard is told to look (`tensorboard --logdir`).
        entry: one line of the history: "epoch" and the figures reached after it.

    Returns:
        False where TensorBoard is not installed, and nothing was written.
    """
    if find_spec("tensorboard") is None:
        return False
    from torch.utils.tensorboard import SummaryWriter

    # one event file an epoch: a killed run can leave none half written
    with SummaryWriter(str(folder), filename_suffix=f".{entry['epoch']}") as writer:
        for name, value in entry.items():
            part, _, figure = name.partition("_")
            if figure:
                writer.add_scalar(f"{figure}/{part}", value, entry["epoch"])
    return True
