"""train: numbers become weights, here or on SageMaker, and an interruption never costs the result.

The same command after any interruption goes on from the newest checkpoint and ends, on the same
machine with the same number of threads, with the same bytes as a run that was never interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from marfa.console import Silence, Talk
from marfa.errors import SettingsError
from marfa.recipes import Settings
from marfa.settings.declare import nearest

if TYPE_CHECKING:
    from marfa.aws.client import Cloud

PLACES = HERE, SAGEMAKER = ("here", "sagemaker")
"""Where training may take place."""


def train(
    settings: Settings,
    talk: Talk | None = None,
    clock: Callable[[], float] = time.monotonic,
    *,
    on: str = HERE,
    attach: str = "",
    cloud: Cloud | None = None,
) -> dict[str, Any]:
    """Train the network on the prepared texts, or go on where an earlier call was stopped.

    On SageMaker a job does all from the texts to the model; it is found again by what it computes, so
    the same command never pays twice.

    Args:
        settings: the sections `model` and `train` decide the result; on SageMaker `data`, `text` and
            `package` too, and `job` says on which machines.
        talk: whom to tell; nobody if not given.
        clock: seconds, for the time between checkpoints.
        on: "here" or "sagemaker".
        attach: the name of a job that was begun anywhere, to follow and to fetch.
        cloud: the account; made of the settings if not given.

    Returns:
        The best epoch and what it reached on validation, and the history of all epochs; of a job what it
        took, what that cost, and where its model is.

    Raises:
        DataError: if nothing has been prepared.
        TrainingError: if the loss stops being a number.
        StoppedError: after SIGTERM or Ctrl-C; the state is saved.
        BusyError: if another marfa is at work in the folder.
        JobError: if a job has ended without a model.
        CloudError: if AWS refuses.
        NetworkError: if the line fails; the same command goes on.
    """
    talk = talk or Silence()
    if on not in PLACES:
        message = f"{on!r:.40} is none of {', '.join(PLACES)}"
        raise SettingsError(message, where="on", hint=nearest(on, PLACES))
    if attach:
        from marfa.stages.train import there

        return there.attach(attach, settings, talk, cloud)
    if on == SAGEMAKER:
        from marfa.stages.train import there

        return there.train(settings, talk, cloud)
    from marfa.stages.train.here import learn

    return learn(settings, talk, clock)
