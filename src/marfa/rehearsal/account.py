"""An account of nobody's on this machine: the calls that a deployment makes, answered here.

It stands in the place of `Cloud`, so that what deploys a model is what rehearses it. A call that no
deployment makes has no answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from marfa.aws import known, price
from marfa.aws.client import Cloud
from marfa.errors import GoneError
from marfa.rehearsal.formation import Formation
from marfa.rehearsal.storage import Storage

NUMBER = "000000000000"
CODE = "L-REHEARSAL"
"""Stands for the code of a quota, which nobody knows but AWS."""

_COPIES = 1000
_QUOTAS = ("list_service_quotas", "list_aws_default_service_quotas")
"""What is asked for an account's quotas, and, where it has none of a name, for everybody's."""

_APART = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""Parts of AWS that stand apart, by how the names of their regions begin."""


def _now() -> datetime:
    return datetime.now(UTC)


class Account(Cloud):
    """Answers what a deployment asks of AWS.

    Args:
        region: where it pretends to be; where the prices are of if empty.
        instances: how many machines of each type its quota allows.
        now: tells the time.
        sleep: waits some seconds.

    Attributes:
        storage: what stands for S3.
        formation: what stands for CloudFormation; set before a stack is asked for.
    """

    formation: Formation

    def __init__(
        self,
        region: str = "",
        *,
        instances: int = 2,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.region = region or price.REGION
        self.partition = next(
            (name for start, name in _APART.items() if self.region.startswith(start)), "aws"
        )
        self.now, self.sleep = now, sleep
        self._instances = instances
        self.storage = Storage()

    @property
    def account(self) -> str:
        """Return nobody's number."""
        return NUMBER

    @property
    def caller(self) -> str:
        """Return the account itself, which may do everything."""
        return f"arn:aws:iam::{NUMBER}:root"

    def offers(self, service: str) -> bool:
        """Say whether a service is there, as far as boto3 knows by itself."""
        found = known.regions(service)
        return not found or self.region in found

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Answer one call, as `Cloud.call` does."""
        match service, operation:
            case "s3", _:
                return self.storage.call(operation, parameters)
            case "cloudformation", _:
                return self.formation.call(operation, parameters)
            case "lambda", "get_account_settings":
                free = {"UnreservedConcurrentExecutions": _COPIES}
                return {"AccountLimit": {"ConcurrentExecutions": _COPIES, **free}}
            case "lambda", "get_function_concurrency":
                message = "Function not found"
                raise GoneError(message, where=f"{service}:{operation}")
        message = f"{service}:{operation} is no call of a rehearsal"
        raise NotImplementedError(message)

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Answer a call whose answer has pages, of which there is one here."""
        if service == "service-quotas" and operation in _QUOTAS:
            types = known.choices(*known.INSTANCE_TYPES)
            yield {"Quotas": [_quota(each, self._instances) for each in types]}
        else:
            yield self.call(service, operation, **parameters)


def _quota(instance: str, value: int) -> dict[str, Any]:
    name = f"{instance} for endpoint usage"
    return {"QuotaName": name, "Value": float(value), "QuotaCode": CODE}
