"""What jobs may do, and what may be done with them: each right on the things of one deployment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marfa.aws.channels import ROOT
from marfa.aws.names import JOB_LOGS, Names
from marfa.aws.statements import Statement, allow
from marfa.aws.training_job import KEPT, TRAINED
from marfa.aws.transform_job import SCORED

_BOTH_LOGS = "/aws/sagemaker/Tra*Jobs"
"""Both of JOB_LOGS; what an administrator is to grant may not be longer than IAM takes."""


def computing(names: Names, under: Callable[[str], Any]) -> list[Statement]:
    """Return what SageMaker does for a job: read, keep, write, log.

    Args:
        names: the deployment's names.
        under: returns the ARN of all that is in a folder of the bucket.
    """
    written = [under(TRAINED), under(KEPT), under(SCORED)]
    groups = [names.arn("logs", f"log-group:{group}:*") for group in JOB_LOGS]
    return [
        allow(["s3:GetObject"], [under(f"{ROOT}/"), under(KEPT)]),
        allow(["s3:PutObject", "s3:AbortMultipartUpload"], written),
        allow(
            ["s3:DeleteObject"], under(KEPT)
        ),  # a checkpoint that a job has deleted goes here too
        # these groups are shared by all jobs of an account, and are not there before the first one
        allow(["logs:CreateLogGroup", "logs:DescribeLogStreams"], groups),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], _streams(names)),
    ]


def asking(names: Names) -> list[Statement]:
    """Return what whoever trains or scores on SageMaker, looks and destroys needs beside the lists."""
    groups = f"log-group:{_BOTH_LOGS}"
    return [
        allow(
            [
                *("sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob"),
                *("sagemaker:StopTrainingJob", "sagemaker:DeleteTrainingJob"),
                *("sagemaker:CreateTransformJob", "sagemaker:DescribeTransformJob"),
                *("sagemaker:StopTransformJob", "sagemaker:CreateModel", "sagemaker:DeleteModel"),
                *("sagemaker:AddTags", "sagemaker:ListTags"),
            ],
            [
                names.arn("sagemaker", f"training-job/{names.job}"),
                names.arn("sagemaker", f"transform-job/{names.job}"),
                names.arn("sagemaker", f"model/{names.scoring}"),
            ],
        ),
        allow(
            ["iam:PassRole"],
            names.role_arn("execution"),
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        allow(["logs:DescribeLogStreams"], names.arn("logs", f"{groups}:*")),
        allow(
            ["logs:GetLogEvents", "logs:DeleteLogStream"],
            names.arn("logs", f"{groups}:log-stream:{names.job}/*"),
        ),
    ]


def _streams(names: Names) -> list[str]:
    """Return the streams of jobs: each begins with its job's name and a stroke."""
    return [names.arn("logs", f"log-group:{group}:log-stream:{names.job}/*") for group in JOB_LOGS]
