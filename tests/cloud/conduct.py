"""How CloudFormation behaves in a test, and its hands in the account."""

import random
import string
from datetime import UTC, datetime
from functools import cache

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.cloud.templates import Refused


class FailedError(Exception):
    """A resource could not be made, changed or deleted."""


class Conduct:
    """How CloudFormation behaves in one test.

    Attributes:
        url: where the other services answer.
        pace: how many steps a stack goes on whenever somebody looks at it; each resource takes two.
            0 lets everything happen within the request itself.
        now: tells the time.
    """

    def __init__(self):
        self.url = ""
        self.reset(lambda: datetime.now(UTC))

    def reset(self, now):
        """Behave as at first."""
        self.now = now
        self.pace = 6
        self.shuffle(0)
        self._failures = []

    def shuffle(self, seed):
        """Choose another order among all those that CloudFormation might choose."""
        self._random = random.Random(seed)

    def choose(self, ready):
        """Pick what comes next."""
        return self._random.choice(ready)

    def suffix(self):
        """Return the end of a name that CloudFormation makes up."""
        return "".join(self._random.choices(string.ascii_lowercase + string.digits, k=12))

    def fail(self, kind, verb="create", *, reason="Internal Failure", times=1):
        """Let the next actions on a type fail.

        Args:
            kind: such as "AWS::SageMaker::Endpoint".
            verb: "create", "update" or "delete".
            reason: what AWS says.
            times: how often.
        """
        self._failures += [(kind, verb.upper(), reason)] * times

    def perhaps_fail(self, kind, verb):
        """Fail if a test has asked for it."""
        for failure in self._failures:
            if failure[:2] == (kind, verb):
                self._failures.remove(failure)
                raise FailedError(failure[2])


CONDUCT = Conduct()


class Where:
    """An account and region: the hands of CloudFormation there."""

    def __init__(self, account, region):
        self.account, self.region = account, region
        self._clients = {}
        self._session = boto3.Session("cloudformation", "not-a-secret", region_name=region)

    def now(self):
        return CONDUCT.now()

    def client(self, service):
        if service not in self._clients:
            config = Config(retries={"total_max_attempts": 1})
            self._clients[service] = self._session.client(
                service, endpoint_url=CONDUCT.url, config=config
            )
        return self._clients[service]

    def call(self, service, operation, **parameters):
        return getattr(self.client(service), operation)(**parameters)

    def parameter(self, name):
        """Return a parameter of Systems Manager; those of AWS's public layers, moto does not have."""
        prefix = "/aws/service/aws-sdk-pandas/"
        if name.startswith(prefix):
            end = "-Arm64" if "/arm64/" in name else ""
            return f"arn:aws:lambda:{self.region}:336392948345:layer:AWSSDKPandas-Python313{end}:1"
        return self.call("ssm", "get_parameter", Name=name)["Parameter"]["Value"]

    def check_role(self, arn):
        """Refuse a role that does not exist."""
        try:
            self.call("iam", "get_role", RoleName=arn.rpartition("/")[2])
        except ClientError:
            raise Refused(f"Role {arn} is invalid or cannot be assumed") from None


@cache
def hands(account, region):
    """Keep one pair for each account and region: boto3's clients are slow to make."""
    return Where(account, region)
