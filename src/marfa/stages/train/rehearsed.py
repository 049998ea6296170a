"""The very same job as a process on this machine: no account, no credentials, nothing sent."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marfa import files, record
from marfa.aws import training_job
from marfa.aws.channels import Channel
from marfa.aws.names import Names, suggest
from marfa.aws.training_job import LOCAL, Job
from marfa.console import Bar, Talk
from marfa.container.training import FAILURE_LIMIT
from marfa.errors import JobError, SettingsError
from marfa.recipes import Settings
from marfa.settings import JobSettings
from marfa.stages.train import bringing

if TYPE_CHECKING:
    from marfa.rehearsal.training import Ended

_SENTENCE = "marfa: "
"""How the line begins that a job fails with."""

_NOBODY = "000000000000"
_HOME = "us-east-1"
"""Whose containers the request names; none is fetched."""


def check(settings: JobSettings) -> None:
    """Refuse what a process on this machine cannot be.

    Raises:
        SettingsError: if it is to have several machines.
    """
    if settings.machines > 1:
        message = f"{settings.machines} machines; a job of the machine {LOCAL!r} has one, this one"
        hint = "leave it out, or name a machine of SageMaker's with --machine"
        raise SettingsError(message, where="machines", hint=hint)


def train(settings: Settings, job: Job, talk: Talk) -> dict[str, Any]:
    """Run a job here, and bring what it has made.

    Args:
        settings: of the run.
        job: what to do.
        talk: whom to tell.

    Returns:
        What is known of the job and of its model.

    Raises:
        JobError: if it fails, or reaches the end of its time.
        StoppedError: after SIGTERM or Ctrl-C; the same command goes on.
    """
    from marfa.rehearsal.training import run_training

    folder = settings.job_folder
    names = Names(settings.cloud.deployment or suggest(settings.run_name), LOCAL, _NOBODY)
    made = training_job.request(
        names,
        job,
        bucket=LOCAL,
        image=training_job.image(job.settings, _HOME),
        now=datetime.now(UTC),
    )
    root = (folder / LOCAL / job.hash).resolve()
    channels = {channel.name: _laid_out(channel, root / "channels") for channel in job.channels}
    talk.say(f"{made['TrainingJobName']}: a process on this machine")
    record.forget(folder, bringing.STAGE)
    with _Lines(talk) as lines:
        ended = run_training(made, channels, root / "machine", lines)
        if ended.status != "Completed" or ended.model is None:
            lines.told_elsewhere(ended.reason)
            raise _unfinished(ended, made, _names(job, root / "machine"))
    found = bringing.model(folder, ended.model)
    results = bringing.results(folder, ended.output) if ended.output else []
    told = {
        "job": made["TrainingJobName"],
        "on": LOCAL,
        "model": found.model_id,
        "seconds": round(ended.seconds, 1),
    }
    document = bringing.write(folder, job.hash, results, told)
    shutil.rmtree(root, ignore_errors=True)
    with contextlib.suppress(OSError):  # another job was stopped, and needs its checkpoints
        root.parent.rmdir()
    return document


class _Lines:
    """Passes on what a job says, but for the sentence that it fails with, which the error tells."""

    def __init__(self, talk: Talk) -> None:
        self._talk, self._last = talk, list[str]()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._last:
            self._talk.say(line)

    def say(self, line: str) -> None:
        """Tell a line, or keep it back until it is known how the job has ended."""
        if line.startswith(_SENTENCE):
            self._last.append(line)
        else:
            self._talk.say(line)

    def warn(self, line: str) -> None:
        """Tell a line that should not be missed."""
        self._talk.warn(line)

    def bar(self, title: str, total: float | None, unit: str = "") -> AbstractContextManager[Bar]:
        """Begin a bar."""
        return self._talk.bar(title, total, unit)

    def told_elsewhere(self, reason: str) -> None:
        """Drop the sentence that the error is made of."""
        told = reason[:FAILURE_LIMIT]
        self._last = [
            line for line in self._last if line.removeprefix(_SENTENCE)[:FAILURE_LIMIT] != told
        ]


def _unfinished(ended: Ended, made: Mapping[str, Any], names: Mapping[str, str]) -> JobError:
    """Say why there is no model, and what to type."""
    where = str(made["TrainingJobName"])
    if ended.status == "Stopped":
        limit = made["StoppingCondition"]["MaxRuntimeInSeconds"]
        message = f"it has computed for its {limit / 60:g} minutes, and was not done"
        hint = "the same command goes on from its checkpoints; a longer --max-runtime"
        return JobError(message, where=where, hint=hint)
    message = ended.reason or f"the job has ended as {ended.status}, without a model"
    for its, own in names.items():
        message = message.replace(its, own)
    return JobError(message, where=where, hint="mend that, then run the same command again")


def _names(job: Job, machine: Path) -> dict[str, str]:
    """Return the user's own files by the paths that the job knows their copies by."""
    return {
        str(machine / "ml" / "input" / "data" / channel.name / name): str(content)
        for channel in job.channels
        for name, content in channel.files.items()
        if isinstance(content, Path)
    }


def _laid_out(channel: Channel, folder: Path) -> Path:
    """Make the folder that a channel is for the job."""
    place = folder / channel.name
    for name, content in channel.files.items():
        files.write_bytes(
            place / name, content if isinstance(content, bytes) else content.read_bytes()
        )
    return place
