"""A training job, as CreateTrainingJob takes it. Nothing here asks anybody.

What decides the result is hashed: the hash is in the job's name and in the place of its checkpoints, so
that the same command finds its job again, and a new job goes on where an earlier one was stopped. The
machine, the times and the price are not in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from marfa import files
from marfa.aws import images, jobs
from marfa.aws.channels import CODE, PROGRAM, Channel
from marfa.aws.names import Names
from marfa.errors import SettingsError
from marfa.settings import JobSettings

INPUT = "/opt/ml/input/data"
CHECKPOINTS = "/opt/ml/checkpoints"
"""Where a job finds its channels, and what SageMaker keeps in the bucket while it computes."""

LOCAL = "local"
"""Stands for a machine of SageMaker's where the job is a process on this one."""

TRAINED = "trained/"
KEPT = "checkpoints/"
"""Where in the bucket models and checkpoints are put."""

LONGEST = timedelta(days=28)
_ATTEMPTS = 3
"""How often AWS begins anew where something of its own has failed."""

_IMAGE = "pytorch-2.13"
_GPU = re.compile(r"ml\.[gp][0-9]")
_TIME = re.compile(r"(?:([0-9]{1,4})d)? ?(?:([0-9]{1,4})h)? ?(?:([0-9]{1,5})m)?")

_NUMBER = "([0-9.eE+-]+)"
_EPOCH = "epoch [0-9]+: "
METRICS = {
    "classifier": {
        "train:loss": f"{_EPOCH}loss {_NUMBER}",
        "validation:loss": f"{_EPOCH}.*validation loss {_NUMBER}",
        "validation:accuracy": f"{_EPOCH}.*accuracy {_NUMBER}",
    },
    "generator": {
        "train:bits": f"{_EPOCH}{_NUMBER} bits a character",
        "validation:bits": f"{_EPOCH}.*held out {_NUMBER}",
        "validation:loss": rf"{_EPOCH}.*\({_NUMBER} nats\)",
    },
}
"""What SageMaker reads out of the lines that training says, by task; tests hold the two together."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a job computes.

    Attributes:
        task: "classifier" or "generator".
        hyperparameters: the run's settings, as texts.
        channels: what it reads, its code among them.
        settings: the machines, and what they may cost.
    """

    task: str
    hyperparameters: Mapping[str, str]
    channels: Sequence[Channel]
    settings: JobSettings

    @property
    def hash(self) -> str:
        """Return twelve hexadecimal digits of all that decides the result."""
        read = {channel.name: channel.prefix for channel in self.channels}
        deciding = [dict(self.hyperparameters), read, self.settings.job_image]
        return files.hash_json(deciding)[:12]

    @property
    def size(self) -> int:
        """Return the bytes of all that it reads."""
        return sum(channel.size for channel in self.channels)


def image(settings: JobSettings, region: str, partition: str = "aws") -> str:
    """Return the address of the container that trains.

    Args:
        settings: the machine, and the container if one was asked for.
        region: where it will run.
        partition: "aws", or another part of AWS that stands apart.

    Raises:
        SettingsError: if it is none that trains, or is not known in this region.

    >>> image(JobSettings(machine="ml.g5.xlarge"), "eu-west-1").rpartition("/")[2]
    'pytorch:2.13-cu133-amzn2023-sagemaker'
    """
    return images.address(chosen(settings), region, partition, purpose="train")


def chosen(settings: JobSettings) -> str:
    """Return the name of the container that trains, or its address where one was given."""
    usual = f"{_IMAGE}-gpu" if has_gpu(settings.machine) else _IMAGE
    return settings.job_image or usual


def has_gpu(machine: str) -> bool:
    """Say whether a machine has a GPU that PyTorch computes with.

    >>> has_gpu("ml.g4dn.xlarge"), has_gpu("ml.p5.48xlarge"), has_gpu("ml.m5.xlarge")
    (True, True, False)
    """
    return bool(_GPU.match(machine))


def runtime(settings: JobSettings) -> timedelta:
    """Return how long a job may compute.

    Raises:
        SettingsError: if it is no time.
    """
    return _time(settings.max_runtime, "max-runtime")


def wait(settings: JobSettings) -> timedelta:
    """Return how long it may take with all waiting for machines that AWS can spare.

    Raises:
        SettingsError: if it is no time, or shorter than the time to compute.
    """
    computing = runtime(settings)
    if not settings.max_wait:
        return min(2 * computing, LONGEST)
    whole = _time(settings.max_wait, "max-wait")
    if whole < computing:
        message = f"{settings.max_wait!r} is shorter than max-runtime {settings.max_runtime!r}"
        hint = "it is the time with all waiting and all computing in it"
        raise SettingsError(message, where="max-wait", hint=hint)
    return whole


def _time(text: str, where: str) -> timedelta:
    found = _TIME.fullmatch(text.strip().lower())
    days, hours, minutes = (int(n or 0) for n in found.groups()) if found else (0, 0, 0)
    time = timedelta(days=days, hours=hours, minutes=minutes)
    if not timedelta(minutes=1) <= time <= LONGEST:
        message = f"{text!r:.40} is no time from 1m to {LONGEST.days}d"
        raise SettingsError(message, where=where, hint="such as 45m, 2h or 1h30m")
    return time


def kept(bucket: str, job: Job) -> str:
    """Return the address of a job's checkpoints, which the next one of the same hash goes on from."""
    return f"s3://{bucket}/{KEPT}{job.hash}/"


def request(names: Names, job: Job, *, bucket: str, image: str, now: datetime) -> dict[str, Any]:
    """Write the request.

    Args:
        names: the deployment's names.
        job: what it computes.
        bucket: where its channels are, and its results will be.
        image: the address of its container.
        now: when it is made.

    Returns:
        The parameters of CreateTrainingJob.

    Raises:
        SettingsError: if a time cannot be used.
    """
    settings = job.settings
    stopping = {"MaxRuntimeInSeconds": _seconds(runtime(settings))}
    if settings.spot:
        stopping["MaxWaitTimeInSeconds"] = _seconds(wait(settings))
    return {
        "TrainingJobName": jobs.name(names, job.hash, now),
        "HyperParameters": dict(job.hyperparameters),
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            # Python itself is the first process, so that it is the one that AWS asks to stop
            "ContainerEntrypoint": ["python", f"{INPUT}/{CODE}/{PROGRAM}"],
            "MetricDefinitions": [
                {"Name": metric, "Regex": regex} for metric, regex in METRICS[job.task].items()
            ],
        },
        "RoleArn": names.role_arn("execution"),
        "InputDataConfig": [_channel(channel, bucket) for channel in job.channels],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/{TRAINED}"},
        "CheckpointConfig": {"S3Uri": kept(bucket, job), "LocalPath": CHECKPOINTS},
        "ResourceConfig": {
            "InstanceType": settings.machine,
            "InstanceCount": settings.machines,
            "VolumeSizeInGB": settings.disk,
        },
        "StoppingCondition": stopping,
        "EnableManagedSpotTraining": settings.spot,
        "RetryStrategy": {"MaximumRetryAttempts": _ATTEMPTS},
        "Environment": {"PYTHONUNBUFFERED": "1"},  # a line is to be read while it is news
        "Tags": names.tags,
    }


def _seconds(time: timedelta) -> int:
    return round(time.total_seconds())


def _channel(channel: Channel, bucket: str) -> dict[str, Any]:
    return {
        "ChannelName": channel.name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": f"s3://{bucket}/{channel.prefix}",
                "S3DataDistributionType": "FullyReplicated",
            }
        },
        "InputMode": "File",
        "CompressionType": "None",
    }
