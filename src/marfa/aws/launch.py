"""What comes before a job: what would stop it, what it may cost, its bucket, what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from marfa.aws import images, pace, stacks, uploads
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


def tell(
    findings: Sequence[Finding],
    cost: JobPrice,
    image: str,
    cloud: Cloud,
    absent: Sequence[Parcel],
    workdir: Path,
    max_kbps: int,
    talk: Talk,
) -> None:
    """Say what there is to know before anything is sent or made, and refuse what cannot succeed.

    Args:
        findings: what was looked at.
        cost: what it may cost.
        image: the container's name or address.
        cloud: the account.
        absent: what has to be sent.
        workdir: where the measured speed of the line is kept.
        max_kbps: what an upload may take.
        talk: whom to tell.

    Raises:
        MarfaError: of the kind that fits, with what is wrong and what to type.
    """
    for finding in findings:
        if finding.blocking:
            raise finding.error
        if not finding.ok:
            talk.warn(f"{finding.what}: {finding.found}{f' ({finding.hint})' * bool(finding.hint)}")
    if warning := images.warning(image, cloud.now().date()):
        talk.warn(warning)
    for line in cost.lines():
        talk.say(line)
    size = sum(parcel.size for parcel in absent)
    talk.say(f"to send: {size:,} bytes, {pace.recall(workdir, max_kbps).words(size)}")


def prepare(
    cloud: Cloud,
    names: Names,
    parcels: Iterable[Parcel],
    workdir: Path,
    max_kbps: int,
    talk: Talk,
) -> tuple[str, Sent]:
    """Make the bucket and the roles where they are not, and send what is not there.

    Args:
        cloud: the account.
        names: the deployment's names.
        parcels: what must be there.
        workdir: where the measured speed of the line is kept.
        max_kbps: what an upload may take.
        talk: whom to tell.

    Returns:
        The bucket's name, and what was sent.
    """
    made = stacks.apply(cloud, names, names.base, base.build(names), talk)
    bucket = made.outputs["Bucket"]
    size, seconds = 0, 0.0
    for parcel in uploads.missing(cloud, bucket, parcels):
        sent = uploads.send(cloud, bucket, parcel, talk, max_kbps=max_kbps)
        pace.remember(workdir, sent, cloud.now(), max_kbps)
        size, seconds = size + sent.size, seconds + sent.seconds
    talk.say(f"sent {size:,} bytes in {pace.duration(seconds)}")
    return bucket, Sent(size, seconds)


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
