"""Jobs of a deployment, wherever they were started from: found, looked at, stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marfa.aws.client import Cloud
from marfa.aws.names import TRAINING_LOG, TRANSFORM_LOG, Names
from marfa.errors import CloudError, GoneError, NetworkError

_POLL_SECONDS = 5.0
_PATIENCE_SECONDS = 15 * 60
"""A job that is asked to stop has two minutes to save itself, and then uploads what it has."""

UNDER_WAY = {"InProgress", "Stopping"}
GOING = {*UNDER_WAY, "Deleting"}


@dataclass(frozen=True)
class Kind:
    """One of the two kinds of jobs, as SageMaker spells what it says of them.

    Attributes:
        word: as SageMaker writes it in names, such as "Training".
        log: the log group of all jobs of this kind.
        place: says where the result goes: the path to it in a description.
    """

    word: str
    log: str
    place: tuple[str, str]

    @property
    def title(self) -> str:
        """Return what people call it."""
        return f"{self.word.lower()} job"

    @property
    def operation(self) -> str:
        """Return the end of its operations."""
        return f"{self.word.lower()}_job"

    @property
    def key(self) -> str:
        """Return how its parameters begin."""
        return f"{self.word}Job"


TRAINING = Kind("Training", TRAINING_LOG, ("CheckpointConfig", "S3Uri"))
TRANSFORM = Kind("Transform", TRANSFORM_LOG, ("TransformOutput", "S3OutputPath"))
KINDS = (TRAINING, TRANSFORM)


@dataclass(frozen=True)
class Job:
    """A job as SageMaker tells of it.

    Attributes:
        kind: which kind.
        name: its name.
        status: "InProgress", "Completed", "Failed", "Stopping" or "Stopped".
        reason: why it failed, as far as it says.
        told: all that was said.
    """

    kind: Kind
    name: str
    status: str
    reason: str
    told: Mapping[str, Any]

    @property
    def under_way(self) -> bool:
        """Return whether it is not over."""
        return self.status in UNDER_WAY

    @property
    def detail(self) -> str:
        """Return what it is about just now, such as "Downloading"."""
        return str(self.told.get("SecondaryStatus", self.status))

    @property
    def place(self) -> str:
        """Return the address in S3 that its hash is part of."""
        section, key = self.kind.place
        return str(self.told.get(section, {}).get(key, ""))

    @property
    def machine(self) -> str:
        """Return the machines' type."""
        return str(self._resources.get("InstanceType", ""))

    @property
    def machines(self) -> int:
        """Return how many machines it has."""
        return int(self._resources.get("InstanceCount", 1))

    @property
    def _resources(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.told.get("ResourceConfig") or self.told.get(
            "TransformResources", {}
        )
        return found

    def seconds(self, now: datetime) -> float:
        """Return what each machine is billed for so far: what AWS says, or the time since it began."""
        if "BillableTimeInSeconds" in self.told:
            return float(self.told["BillableTimeInSeconds"])
        started = self.told.get(f"{self.kind.word}StartTime")
        if started is None:
            return 0.0
        ended = self.told.get(f"{self.kind.word}EndTime") or now
        return float(max((ended - started).total_seconds(), 0.0))


def name(names: Names, hashed: str, now: datetime) -> str:
    """Name a job: whose it is, when it was made, what it computes."""
    return f"{names.one}-{now:%Y%m%d%H%M%S}-{hashed[:6]}"


def is_name(names: Names, text: str) -> bool:
    """Say whether a job is called as those of a deployment are.

    >>> names = Names("soup", "eu-west-1", "123456789012")
    >>> is_name(names, "marfa-soup-20261124223501-0a1b2c")
    True
    >>> is_name(names, "marfa-soup-2-20261124223501-0a1b2c")
    False
    """
    return bool(re.fullmatch(rf"{re.escape(names.one)}-[0-9]{{14}}-[0-9a-f]{{6}}", text))


def deployment_of(job: str) -> str:
    """Return the deployment that a job's name says it is of; empty if it is no such name.

    >>> deployment_of("marfa-soup-2-20261124223501-0a1b2c"), deployment_of("mine")
    ('soup-2', '')
    """
    found = re.fullmatch(r"marfa-([a-z0-9-]+)-[0-9]{14}-[0-9a-f]{6}", job)
    return found[1] if found else ""


def look(cloud: Cloud, kind: Kind, name: str) -> Job:
    """Look at a job.

    Raises:
        GoneError: if there is none of this name.
    """
    told = cloud.call("sagemaker", f"describe_{kind.operation}", **{f"{kind.key}Name": name})
    reason = str(told.get("FailureReason", ""))
    return Job(kind, name, str(told[f"{kind.key}Status"]), reason, told)


def listed(cloud: Cloud, kind: Kind, names: Names) -> Iterator[dict[str, str]]:
    """Yield name, ARN and status of all jobs that are called as a deployment's, the newest first."""
    pages = cloud.pages(
        "sagemaker",
        f"list_{kind.operation}s",
        NameContains=f"{names.one}-",
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    for page in pages:
        for each in page[f"{kind.key}Summaries"]:
            if is_name(names, each[f"{kind.key}Name"]):
                yield {word: str(each[f"{kind.key}{word}"]) for word in ("Name", "Arn", "Status")}


def newest(cloud: Cloud, kind: Kind, names: Names, hashed: str, place: str) -> Job | None:
    """Find the newest job that computes the same.

    Args:
        cloud: the account.
        kind: which kind.
        names: the deployment's names.
        hashed: the hash of what it computes.
        place: the address in S3 that its hash is part of, in the bucket that there is now.
    """
    for each in listed(cloud, kind, names):
        if each["Name"].endswith(f"-{hashed[:6]}") and each["Status"] != "Deleting":
            job = look(cloud, kind, each["Name"])
            if job.place == place:
                return job
    return None


def stop(cloud: Cloud, kind: Kind, name: str) -> None:
    """Ask a job to stop; one that is over, or being stopped, is left as it is."""
    try:
        cloud.call("sagemaker", f"stop_{kind.operation}", **{f"{kind.key}Name": name})
    except NetworkError:
        raise
    except CloudError:
        if look(cloud, kind, name).status == "InProgress":
            raise


def wait(cloud: Cloud, kind: Kind, name: str) -> None:
    """Wait until a job that was asked to stop is over.

    Raises:
        CloudError: if it does not stop in time.
    """
    began = cloud.now()
    while True:
        try:
            if not look(cloud, kind, name).under_way:
                return
        except GoneError:
            return
        if (cloud.now() - began).total_seconds() > _PATIENCE_SECONDS:
            message = f"it does not stop, after {_PATIENCE_SECONDS // 60} minutes"
            raise CloudError(message, where=name, hint="run the same command again")
        cloud.sleep(_POLL_SECONDS)
