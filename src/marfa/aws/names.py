"""What everything of one deployment is called, so that it can be found, and nothing else touched."""

from __future__ import annotations

import re
from dataclasses import dataclass

from marfa.errors import SettingsError

TAG = "marfa:deployment"
"""The tag that everything of a deployment carries; its value is the deployment's name."""

TRAINING_LOG, TRANSFORM_LOG = JOB_LOGS = (
    "/aws/sagemaker/TrainingJobs",
    "/aws/sagemaker/TransformJobs",
)
"""The log groups of all jobs of an account, whoever started them; each job has streams of its own."""

HASH_DIGITS = 8
"""Of the hash in the name of an endpoint's model or configuration."""

SCORING_DIGITS = 12
"""Of the hash in the name of a transform job's model."""

_NAME = re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){0,19}")


@dataclass(frozen=True)
class Names:
    """The names of one deployment.

    Args:
        deployment: what the user calls it: 1 to 20 lower-case letters, digits and single dashes.
        region: where it is.
        account: the account's number.
        partition: "aws", or another part of AWS that stands apart.

    Raises:
        SettingsError: if the name cannot be used.

    >>> Names("soup", "eu-west-1", "123456789012").live
    'marfa-soup-live'
    """

    deployment: str
    region: str
    account: str
    partition: str = "aws"

    def __post_init__(self) -> None:
        check(self.deployment)

    @property
    def one(self) -> str:
        """Return the name of what there is one of: function, endpoint, API, schedule."""
        return f"marfa-{self.deployment}"

    @property
    def base(self) -> str:
        """Return the stack of what costs nothing to keep: bucket and roles."""
        return f"{self.one}-base"

    @property
    def live(self) -> str:
        """Return the stack of what answers, and of what bills."""
        return f"{self.one}-live"

    @property
    def layer(self) -> str:
        """Return the Lambda layer that brings numpy."""
        return f"{self.one}-numpy"

    @property
    def hashed(self) -> str:
        """Return the pattern of what a hash is part of the name of: models and configurations.

        As long as it is, nothing of another deployment fits it, `soup-2` beside `soup` for one.

        >>> Names("soup", "eu-west-1", "123456789012").hashed
        'marfa-soup-????????'
        """
        return f"{self.one}-{'?' * HASH_DIGITS}"

    @property
    def scoring(self) -> str:
        """Return the pattern of the models of transform jobs."""
        return f"{self.one}-score-{'?' * SCORING_DIGITS}"

    @property
    def job(self) -> str:
        """Return the pattern of jobs: when they were begun, and what they compute."""
        return f"{self.one}-{'?' * 14}-{'?' * 6}"

    @property
    def function_log(self) -> str:
        """Return the function's log group."""
        return f"/aws/lambda/{self.one}"

    @property
    def endpoint_log(self) -> str:
        """Return the endpoint's log group."""
        return f"/aws/sagemaker/Endpoints/{self.one}"

    def role(self, who: str) -> str:
        """Return the name of a role; roles are the account's, so the region is part of it."""
        return f"{self.one}-{self.region}-{who}"

    def role_arn(self, who: str) -> str:
        """Return the ARN of a role."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.role(who)}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something in this account and region.

        >>> Names("soup", "eu-west-1", "123456789012").arn("sagemaker", "endpoint/marfa-soup")
        'arn:aws:sagemaker:eu-west-1:123456789012:endpoint/marfa-soup'
        """
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def mark(self) -> str:
        """Return what stands in the description of things that can carry no tag."""
        return f"{TAG}={self.deployment}"

    @property
    def worldwide_mark(self) -> str:
        """Return what marks things that are in no region, where another one may have a namesake."""
        return f"{self.mark} in {self.region}"

    @property
    def tags(self) -> list[dict[str, str]]:
        """Return the tags of everything of this deployment."""
        return [{"Key": TAG, "Value": self.deployment}]


def check(deployment: str) -> str:
    """Refuse a name that AWS would refuse somewhere, before anything is made.

    Raises:
        SettingsError: if it is none.

    >>> check("soup-2")
    'soup-2'
    """
    if not _NAME.fullmatch(deployment) or deployment.endswith("-"):
        message = (
            f"{deployment!r:.60} is no name for a deployment; expected 1 to 20 lower-case letters, "
            "digits and single dashes, a letter first"
        )
        raise SettingsError(message, where="deployment", hint="such as soup-2")
    return deployment


def suggest(name: str) -> str:
    """Make a name for a deployment of a run's name.

    >>> suggest("Sentiment_tutorial"), suggest("2 Soups, and a very long name"), suggest("شعر")
    ('sentiment-tutorial', 'm-2-soups-and-a-very', 'model')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if plain and not plain[0].isalpha():
        plain = f"m-{plain}"
    return plain[:20].strip("-") or "model"
