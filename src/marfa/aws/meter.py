"""What bills by the hour, as SageMaker itself tells it: a stack tells nothing before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marfa.aws.client import Cloud
from marfa.aws.inventory import tagged
from marfa.aws.names import Names
from marfa.errors import GoneError


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that is there.

    Attributes:
        target: "endpoint" where a machine runs, "serverless" where none does; empty where nobody tells.
        machine: its instance type; empty for a serverless one, and where nobody tells.
        memory: megabytes of a serverless one; 0 for the others.
        created: when it was made.
    """

    target: str
    machine: str
    memory: int
    created: datetime


def endpoint(cloud: Cloud, names: Names) -> Endpoint | None:
    """Ask for the endpoint of a deployment, however far it has been made or deleted.

    Args:
        cloud: the account.
        names: the deployment's names.

    Returns:
        The endpoint, or None where there is none of its own.
    """
    try:
        found = cloud.call("sagemaker", "describe_endpoint", EndpointName=names.one)
    except GoneError:
        return None
    if not tagged(cloud, names, found["EndpointArn"]):
        return None
    created: datetime = found["CreationTime"]
    try:
        config = cloud.call(
            "sagemaker",
            "describe_endpoint_config",
            EndpointConfigName=found["EndpointConfigName"],
        )
    except GoneError:  # somebody has deleted it; the machine runs on without
        return Endpoint("", "", 0, created)
    variant = config["ProductionVariants"][0]
    if "ServerlessConfig" in variant:
        return Endpoint(
            "serverless", "", int(variant["ServerlessConfig"]["MemorySizeInMB"]), created
        )
    return Endpoint("endpoint", str(variant.get("InstanceType", "")), 0, created)
