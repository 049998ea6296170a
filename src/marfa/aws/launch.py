"""What comes before a job: what would stop it, what it may cost, its bucket, what is sent to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marfa.aws import pace, stacks, uploads
from marfa.aws.client import Cloud
from marfa.aws.findings import Finding
from marfa.aws.job_price import JobPrice
from marfa.aws.names import Names
from marfa.aws.parcel import Parcel, Sent
from marfa.aws.template import base
from marfa.console import Talk
from marfa.errors import CloudError

_UNSEEN = ("assume role", "could not assume", "cannot be assumed", "not authorized to assume")
"""What SageMaker says of a role that was made a moment ago and is not known everywhere yet."""

_UNSEEN_SECONDS = 8.0
_TRIES = 6

_TAKEN = ("ResourceInUse", "already exist")
"""What it says where a request that it had obeyed before comes again."""


def bucket_of(cloud: Cloud, names: Names) -> str:
    """Return the deployment's bucket; empty where there is none yet."""
    found = stacks.find(cloud, names, names.base)
    return (found.outputs if found else {}).get("Bucket", "")


@dataclass(frozen=True)
class Line:
    """The way up.

    Attributes:
        workdir: where its measured speed is kept.
        max_kbps: what an upload may take; 0 for all.
    """

    workdir: Path
    max_kbps: int = 0


def refuse(findings: Sequence[Finding], talk: Talk) -> None:
    """Refuse what cannot succeed, and say what else was found.

    Args:
        findings: what was looked at.
        talk: whom to tell.

    Raises:
        MarfaError: of the kind that fits, with what is wrong and what to type.
    """
    refuse_blocking(findings)
    for finding in findings:
        if not finding.ok:
            hint = f" ({finding.hint})" if finding.hint else ""
            talk.warn(f"{finding.what}: {finding.found}{hint}")


def refuse_blocking(findings: Sequence[Finding]) -> None:
    """Refuse what cannot succeed, and say nothing of the rest.

    Args:
        findings: what was looked at.

    Raises:
        MarfaError: of the kind that fits, with what is wrong and what to type.
    """
    for finding in findings:
        if finding.blocking:
            raise finding.error


def tell(cloud: Cloud, cost: JobPrice, absent: Sequence[Parcel], line: Line, talk: Talk) -> None:
    """Say what a job may cost, and what is sent, before anything is sent or made.

    Args:
        cloud: the account.
        cost: what it may cost.
        absent: what has to be sent.
        line: the way up.
        talk: whom to tell.
    """
    for words in cost.lines():
        talk.say(words)
    size = sum(parcel.size for parcel in absent)
    took = pace.recall(line.workdir, line.max_kbps).words(size)
    talk.say(f"to send: {size:,} bytes, {took}" if size else "to send: nothing, all is there")


def prepare(
    cloud: Cloud, names: Names, parcels: Iterable[Parcel], line: Line, talk: Talk
) -> tuple[str, Sent]:
    """Make the bucket and the roles where they are not, and send what is not there.

    Args:
        cloud: the account.
        names: the deployment's names.
        parcels: what must be there.
        line: the way up.
        talk: whom to tell.

    Returns:
        The bucket's name, and what was sent.
    """
    made = stacks.apply(cloud, names, names.base, base.build(names), talk)
    bucket = made.outputs["Bucket"]
    return bucket, send(cloud, bucket, parcels, line, talk)


def send(cloud: Cloud, bucket: str, parcels: Iterable[Parcel], line: Line, talk: Talk) -> Sent:
    """Send what is not there, say what that took, and keep how fast it was.

    Args:
        cloud: the account.
        bucket: its name.
        parcels: what must be there.
        line: the way up.
        talk: whom to tell.
    """
    size, seconds = 0, 0.0
    for parcel in uploads.missing(cloud, bucket, parcels):
        sent = uploads.send(cloud, bucket, parcel, talk, max_kbps=line.max_kbps)
        pace.remember(line.workdir, sent, cloud.now(), line.max_kbps)
        size, seconds = size + sent.size, seconds + sent.seconds
    if size:
        talk.say(f"sent {size:,} bytes in {pace.duration(seconds)}")
    return Sent(size, seconds)


def create(
    cloud: Cloud, operation: str, request: dict[str, Any], is_there: Callable[[], bool]
) -> None:
    """Create something of SageMaker's, once.

    Args:
        cloud: the account.
        operation: as boto3 names it, such as "create_training_job".
        request: its parameters.
        is_there: says whether it is, for when the answer to an earlier try was lost.
    """
    for tries in range(1, _TRIES + 1):
        try:
            cloud.call("sagemaker", operation, **request)
        except CloudError as error:
            told = f"{error.code} {error.what}"
            if any(word in told for word in _TAKEN) and is_there():
                return
            if tries == _TRIES or not any(word in told.lower() for word in _UNSEEN):
                raise
            cloud.sleep(_UNSEEN_SECONDS)
        else:
            return
