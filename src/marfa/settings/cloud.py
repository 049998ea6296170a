"""What is deployed to AWS, and how; none of it changes a model."""

from __future__ import annotations

from dataclasses import dataclass

from marfa.settings.declare import Checked, setting


@dataclass(frozen=True, kw_only=True)
class CloudSettings(Checked):
    """Where a model answers in the cloud, and what that may cost."""

    target: str = setting(
        "lambda",
        "What answers: a Lambda function (nothing while idle), a SageMaker serverless endpoint "
        "(nothing while idle), or a SageMaker endpoint (by the hour, so with a lease).",
        choices=("lambda", "serverless", "endpoint"),
        outcome=False,
    )
    deployment: str = setting(
        "", "Name of the deployment; made of the model's if empty.", outcome=False
    )
    region: str = setting("", "AWS region; that of AWS's configuration if empty.", outcome=False)
    profile: str = setting("", "Profile of AWS's configuration.", outcome=False)
    lease: str = setting(
        "",
        "Time until all that answers is deleted, such as 45m, 2h or 3d; 'none' for no end, which an "
        "endpoint cannot have. Empty: 2h for an endpoint, none for the others.",
        outcome=False,
    )
    memory: int = setting(
        1769,
        "Megabytes of the Lambda function; 1769 are one whole core.",
        low=256,
        high=10_240,
        outcome=False,
    )
    architecture: str = setting(
        "arm64",
        "Processor of the Lambda function.",
        choices=("arm64", "x86_64"),
        outcome=False,
    )
    numpy: str = setting(
        "wheel",
        "Where the Lambda function has numpy from: a wheel that is sent once (12 MB), or AWS's "
        "public layer, of which nothing is sent.",
        choices=("wheel", "aws"),
        outcome=False,
    )
    serverless_memory: int = setting(
        2048,
        "Megabytes of a serverless endpoint, in steps of 1024.",
        low=1024,
        high=6144,
        outcome=False,
    )
    serverless_concurrency: int = setting(
        2, "Requests that a serverless endpoint answers at once.", low=1, high=200, outcome=False
    )
    instance_type: str = setting(
        "ml.t2.medium", "Machine of an endpoint; the price is shown first.", outcome=False
    )
    image: str = setting(
        "pytorch-2.6",
        "Container of an endpoint: a known name, or the address of one's own.",
        outcome=False,
    )
    rate: int = setting(
        10, "Requests a second at most; more are answered 429.", low=1, high=10_000, outcome=False
    )
    burst: int = setting(
        40,
        "Requests at once at most, before the rate counts; a first visit of the page makes about 40.",
        low=1,
        high=5000,
        outcome=False,
    )
    concurrency: int = setting(
        5,
        "Copies of the Lambda function at most, reserved where the account's limit allows it; 0 for no "
        "bound of its own.",
        low=0,
        high=1000,
        outcome=False,
    )
    allow_origin: str = setting(
        "",
        "Origins whose pages may ask too, such as https://example.org, separated by commas.",
        outcome=False,
    )
    site: bool = setting(
        False, "Put the page on CloudFront, from a private bucket, before the API.", outcome=False
    )
    log_days: int = setting(
        14,
        "Days that logs are kept, as far as CloudWatch offers them.",
        low=1,
        high=3653,
        outcome=False,
    )
    max_kbps: int = setting(
        0,
        "Kilobits a second that an upload may take; 0 for all.",
        low=0,
        high=10_000_000,
        outcome=False,
    )
