"""A training job rehearsed: the stage `train` itself, with this machine in the place of SageMaker's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from marfa.aws import findings, known, pace, price, training_job
from marfa.aws.job_price import JobPrice
from marfa.aws.jobs import TRAINING
from marfa.aws.names import Names, suggest
from marfa.aws.training_job import LOCAL, Job
from marfa.console import Talk
from marfa.data import source
from marfa.data.origins import ORIGINS
from marfa.recipes import Settings
from marfa.rehearsal.account import NUMBER
from marfa.rehearsal.story import Story
from marfa.settings import JobSettings
from marfa.stages.train import bringing, train, work


def check(settings: Settings) -> None:
    """Refuse what SageMaker would not take, as `train` does before it asks anybody.

    Raises:
        SettingsError: if there is no such machine, or a time is none.
    """
    job = _asked(settings).job
    found = findings.machine(
        job.machine, known.TRAINING_TYPES, f"{TRAINING.title}s", JobSettings().machine
    )
    if found.blocking:
        raise found.error
    training_job.wait(job)


def run(settings: Settings, story: Story, talk: Talk) -> Path:
    """Train by the contract that a job has, and tell of it.

    Args:
        settings: of the run; the machine is the one that the price is told of.
        story: what is told.
        talk: whom to tell of what is under way.

    Returns:
        The model's archive.

    Raises:
        JobError: if the job fails.
        StoppedError: after SIGTERM or Ctrl-C; the same command goes on.
    """
    is_local, settings = settings.job.machine == LOCAL, _asked(settings)
    told = [f"AWS has no machine {LOCAL!r}: {settings.job.machine} is told of"] if is_local else []
    job = work.job(settings)
    region = settings.cloud.region or price.REGION
    names = Names(settings.cloud.deployment or suggest(settings.run_name), region, NUMBER)
    request = training_job.request(
        names,
        job,
        bucket=f"{names.base}-bucket",
        image=training_job.image(settings.job, region),
        now=datetime.now(UTC),
    )
    costs = JobPrice(
        machine=settings.job.machine,
        machines=settings.job.machines,
        limit=training_job.runtime(settings.job),
        spot=settings.job.spot,
        region=region,
    )
    workdir = Path(settings.place.workdir)
    story.step(
        "The training job: what it is given",
        here=[
            *told,
            *_given(job),
            f"{job.size:,} bytes in all: {pace.recall(workdir).words(job.size)}",
        ],
        aws=_begun(request),
        costs="; ".join(costs.lines()),
        console=f"SageMaker > Training jobs > {request['TrainingJobName']}",
    )
    here = _here(settings)
    before = bringing.state(here.job_folder)
    made = train(here, talk, on="sagemaker")
    story.step(
        "The training job: what comes out",
        here=[*(_kept(made) if made == before else _ran(made, settings, here)), _archive(made)],
        aws=_ended(settings.job),
        costs=_took(made, costs),
        console="CloudWatch > Log groups > /aws/sagemaker/TrainingJobs",
    )
    return Path(made["file"])


def _asked(settings: Settings) -> Settings:
    """Return the settings with a machine of SageMaker's: this one has no price there."""
    if settings.job.machine != LOCAL:
        return settings
    return replace(settings, job=replace(settings.job, machine=JobSettings().machine))


def _here(settings: Settings) -> Settings:
    """Let the job run on this machine, and not fetch once more what has been fetched already."""
    job = replace(settings.job, machine=LOCAL, machines=1)
    is_fetched = settings.data.data in ORIGINS and source.archive(settings).is_file()
    if job.send == "auto" and is_fetched:
        job = replace(job, send="raw")
    return replace(settings, job=job)


def _given(job: Job) -> Iterator[str]:
    for channel in job.channels:
        listed = ", ".join(sorted(channel.files))
        yield f"/opt/ml/input/data/{channel.name}: {listed}, {channel.size:,} bytes"
    if len(job.channels) == 1:
        yield "no texts: the job has or fetches them itself, so they never cross your line"
    told = len(job.hyperparameters)
    yield f"/opt/ml/input/config: {told} hyperparameters, the run's settings as texts"


def _begun(request: dict[str, Any]) -> list[str]:
    resources = request["ResourceConfig"]
    image = request["AlgorithmSpecification"]["TrainingImage"].rpartition("/")[2]
    spot = ", spot" if request["EnableManagedSpotTraining"] else ""
    limit = request["StoppingCondition"]["MaxRuntimeInSeconds"] // 60
    return [
        "CreateTrainingJob: no type of CloudFormation's, so it is one call",
        f"starts {resources['InstanceCount']} {resources['InstanceType']}{spot} with {image}, "
        f"in 2 to 5 minutes; {limit} minutes at most",
        "starts python marfa.zip as the first process, so that SIGTERM reaches it",
    ]


def _ran(made: dict[str, Any], settings: Settings, here: Settings) -> Iterator[str]:
    """Say what ran on this machine."""
    if here.job.send == "raw" and settings.job.send == "auto":
        yield "the archive that was here already lay in its /opt/ml/input/data/raw"
    yield f"a process with an /opt/ml of its own, {made['seconds']:g} s, Completed"
    if settings.job.machines > 1:
        yield (
            f"it stands for {settings.job.machines} machines, and trains alone: how they share "
            "the work is not rehearsed"
        )


def _kept(made: dict[str, Any]) -> Iterator[str]:
    """Say that nothing ran, and where the model is from."""
    where = "as a process on this machine" if made["on"] == LOCAL else "on SageMaker"
    yield "kept from before, since nothing has changed: no process was started now"
    yield f"{made['job']} made it {where}, in {made['seconds']:g} s"


def _archive(made: dict[str, Any]) -> str:
    return f"{made['file']}: {made['bytes']:,} bytes, model {made['model']}"


def _ended(job: JobSettings) -> list[str]:
    several = job.machines > 1
    let = "the machines are" if several else "the machine is"
    said = [
        f"{let} let go; what was left in /opt/ml/model is packed as model.tar.gz in the bucket, and "
        "its lines stay in the log"
    ]
    if job.spot:
        wanted = (
            "spot machines that AWS wants back cost"
            if several
            else ("a spot machine that AWS wants back costs")
        )
        said.append(f"{wanted} nothing more; the job goes on from checkpoints")
    return said


def _took(made: dict[str, Any], costs: JobPrice) -> str:
    """Say what the time that it took here would cost there, or has cost there."""
    if made["on"] != LOCAL:
        billed = f"{made['billed_seconds']:g} s were billed of that job: {made['cost_words']}"
        return f"$0 now; {billed}"
    seconds = f"{made['seconds']:g} s"
    if costs.hourly is None:
        return f"{seconds} here; the price of {costs.machine} is not known here"
    fast = "that machine is as fast as this one"
    if costs.machines > 1:
        fast = f"those {costs.machines} together are as fast as this one"
    return f"{seconds} would be {price.money(costs.of(made['seconds']))}, if {fast}"
