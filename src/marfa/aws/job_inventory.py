"""Jobs among all that exists of a deployment: found by their tag, stopped, taken away with their logs.

AWS deletes a training job on request, with all that is known of it. A transform job that is over stays
in its history for good, costs nothing and holds nothing; it counts while it runs, or has a log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from marfa.aws import jobs, logs
from marfa.aws.client import Cloud
from marfa.aws.jobs import TRAINING, TRANSFORM, Kind
from marfa.aws.names import Names

Owned = Callable[[Cloud, Names, str], bool]
"""Says whether what has this ARN carries the deployment's tag."""


def found(cloud: Cloud, names: Names, kind: Kind, owned: Owned) -> Iterator[str]:
    """Yield the jobs of a deployment that there is something to do about.

    Args:
        cloud: the account.
        names: the deployment's names.
        kind: which kind of job.
        owned: says what is the deployment's own.
    """
    for each in jobs.listed(cloud, kind, names):
        if each["Status"] == "Deleting" or not owned(cloud, names, each["Arn"]):
            continue
        over = each["Status"] not in jobs.UNDER_WAY
        if kind is TRANSFORM and over and not logs.streams(cloud, kind.log, each["Name"]):
            continue
        yield each["Name"]


def stop(cloud: Cloud, kind: Kind, name: str) -> bool:
    """Ask a job to stop; say whether it was at work."""
    if jobs.look(cloud, kind, name).status != "InProgress":
        return False
    jobs.stop(cloud, kind, name)
    return True


def end(cloud: Cloud, kind: Kind, name: str) -> None:
    """Stop a job, wait until it is over, and take it away with all that it has said.

    Args:
        cloud: the account.
        kind: which kind of job.
        name: its name.

    Raises:
        CloudError: if AWS refuses, or it does not stop.
    """
    stop(cloud, kind, name)
    jobs.wait(cloud, kind, name)
    logs.forget(cloud, kind.log, name)  # before the job, whose tag says whose they are
    if kind is TRAINING:
        cloud.call("sagemaker", "delete_training_job", TrainingJobName=name)
