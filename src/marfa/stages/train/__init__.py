"""train: numbers become weights, here or on SageMaker, and an interruption never costs the result.

The same command after any interruption goes on from the newest checkpoint and ends, on the same
machine with the same number of threads, with the same bytes as a run that was never interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from marfa.console import Silence, Talk
from marfa.recipes import Settings


def train(
    settings: Settings, talk: Talk | None = None, clock: Callable[[], float] = time.monotonic
) -> dict[str, Any]:
    """Train the network on the prepared texts, or go on where an earlier call was stopped.

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
    from marfa.stages.train.here import learn

    return learn(settings, talk or Silence(), clock)
