"""A transform job, as CreateTransformJob takes it: every row of a file is judged on another machine.

Rows travel as JSON Lines, packed by gzip, and come back as JSON Lines in the same order. Each is a
request of its own, so that none is larger than a container takes, whatever the rows are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from marfa import files
from marfa.aws.bucket import Bucket
from marfa.aws.channels import Channel
from marfa.aws.names import SCORING_DIGITS, Names
from marfa.aws.parcel import Parcel
from marfa.settings import JobSettings

SCORED = "scored/"
"""Where in the bucket judgements are put."""

ROWS, FILE = "rows", "rows.jsonl.gz"
KIND = "application/jsonlines"

_END = ".out"
_AT_ONCE = 4
"""Requests under way at once; AWS's containers have a worker for each core, of a usual machine four."""

_PAYLOAD_MB = 2
"""More than any row has: a row over the contract's one megabyte is refused before anything is sent."""

_SECONDS, _TRIES = 60, 2
"""For one row; AWS waits ten minutes for each unless told."""


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """What a transform job judges.

    Attributes:
        model: the model.tar.gz.
        rows: the rows, as the channel `rows`.
        image: the address of the container that judges.
        settings: the machine.
    """

    model: Parcel
    rows: Channel
    image: str
    settings: JobSettings

    @property
    def hash(self) -> str:
        """Return twelve hexadecimal digits of all that decides the result."""
        return files.hash_json([self.model.sha256, self.rows.prefix, self.image])[:SCORING_DIGITS]

    @property
    def parcels(self) -> list[Parcel]:
        """Return what must be in the bucket."""
        return [self.model, *self.rows.parcels]

    @property
    def folder(self) -> str:
        """Return how the key of what comes back begins."""
        return f"{SCORED}{self.hash}/"


def model_name(names: Names, scoring: Scoring) -> str:
    """Return what the model is called while the job is at work."""
    return f"{names.one}-score-{scoring.hash}"


def model_request(names: Names, scoring: Scoring, bucket: str) -> dict[str, Any]:
    """Write the request for the model.

    Args:
        names: the deployment's names.
        scoring: what is judged.
        bucket: where the model is.

    Returns:
        The parameters of CreateModel.
    """
    return {
        "ModelName": model_name(names, scoring),
        "PrimaryContainer": {
            "Image": scoring.image,
            "ModelDataUrl": f"s3://{bucket}/{scoring.model.key}",
        },
        "ExecutionRoleArn": names.role_arn("execution"),
        "Tags": names.tags,
    }


def request(names: Names, scoring: Scoring, *, name: str, bucket: str) -> dict[str, Any]:
    """Write the request for the job.

    Args:
        names: the deployment's names.
        scoring: what is judged.
        name: the job's.
        bucket: where the rows are, and the judgements will be.

    Returns:
        The parameters of CreateTransformJob.
    """
    return {
        "TransformJobName": name,
        "ModelName": model_name(names, scoring),
        "BatchStrategy": "SingleRecord",
        "MaxConcurrentTransforms": _AT_ONCE,
        "MaxPayloadInMB": _PAYLOAD_MB,
        "ModelClientConfig": {
            "InvocationsTimeoutInSeconds": _SECONDS,
            "InvocationsMaxRetries": _TRIES,
        },
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": f"s3://{bucket}/{scoring.rows.prefix}",
                }
            },
            "ContentType": KIND,
            "CompressionType": "Gzip",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{bucket}/{scoring.folder}",
            "Accept": KIND,
            "AssembleWith": "Line",
        },
        "TransformResources": {
            "InstanceType": scoring.settings.machine,
            "InstanceCount": 1,  # one file is for one machine
        },
        "Tags": names.tags,
    }


def result(bucket: Bucket, scoring: Scoring) -> str:
    """Return the key of what has come back; empty where nothing has.

    AWS names it after the file of the rows, and does not say whether the end of a packed one stays.
    """
    pages = bucket.pages("list_objects_v2", Prefix=scoring.folder)
    keys = [str(each["Key"]) for page in pages for each in page.get("Contents", [])]
    return next((key for key in keys if key.endswith(_END)), "")


def judged(lines: Iterable[bytes]) -> list[bytes]:
    r"""Return the judgements, a line each: AWS puts a line end after each, which has one already.

    >>> judged([b'{"label":"a"}\n', b'\n', b'{"label":"b"}'])
    [b'{"label":"a"}', b'{"label":"b"}']
    """
    return [line.strip() for line in lines if line.strip()]
