"""The very same job as a process on this machine: no account, no credentials, nothing sent."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from marfa import files, record
from marfa.aws import training_job
from marfa.aws.channels import Channel
from marfa.aws.names import Names, suggest
from marfa.aws.training_job import LOCAL, Job
from marfa.console import Talk
from marfa.errors import JobError, SettingsError
from marfa.recipes import Settings
from marfa.settings import JobSettings
from marfa.stages.train import bringing

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
    ended = run_training(made, channels, root / "machine", talk)
    if ended.status != "Completed" or ended.model is None:
        message = ended.reason or f"the job has ended as {ended.status}, without a model"
        hint = "the same command goes on from its checkpoints"
        raise JobError(message, where=made["TrainingJobName"], hint=hint)
    found = bringing.model(folder, ended.model)
    results = bringing.results(folder, ended.output) if ended.output else []
    told = {
        "job": made["TrainingJobName"],
        "on": LOCAL,
        "model": found.model_id,
        "seconds": round(ended.seconds, 1),
    }
    document = bringing.write(folder, job.hash, results, told)
    shutil.rmtree(root.parent, ignore_errors=True)
    return document


def _laid_out(channel: Channel, folder: Path) -> Path:
    """Make the folder that a channel is for the job."""
    place = folder / channel.name
    for name, content in channel.files.items():
        files.write_bytes(
            place / name, content if isinstance(content, bytes) else content.read_bytes()
        )
    return place
