"""What to type about a job that goes on while nobody here looks at it."""

from __future__ import annotations

import shlex

from marfa.aws.jobs import Kind
from marfa.settings import CloudSettings, PlaceSettings


def attaching(name: str, region: str, cloud: CloudSettings, workdir: str) -> str:
    """Return the command that follows a training job again, and brings its model to the same folder.

    >>> attaching("marfa-soup-20261124223501-0a1b2c", "eu-west-1", CloudSettings(), "my work")
    "marfa train --attach marfa-soup-20261124223501-0a1b2c --region eu-west-1 --workdir 'my work'"
    """
    words = ["marfa", "train", "--attach", name, *_where(region, cloud)]
    if workdir != PlaceSettings().workdir:
        words += ["--workdir", workdir]
    return shlex.join(words)


def stopping(kind: Kind, name: str, region: str, cloud: CloudSettings) -> str:
    """Return the command that stops a job.

    >>> from marfa.aws.jobs import TRANSFORM
    >>> stopping(TRANSFORM, "a", "eu-west-1", CloudSettings(profile="work"))
    'aws sagemaker stop-transform-job --transform-job-name a --region eu-west-1 --profile work'
    """
    word = f"{kind.word.lower()}-job"
    words = ["aws", "sagemaker", f"stop-{word}", f"--{word}-name", name, *_where(region, cloud)]
    return shlex.join(words)


def _where(region: str, cloud: CloudSettings) -> list[str]:
    return ["--region", region, *(["--profile", cloud.profile] if cloud.profile else [])]
