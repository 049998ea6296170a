"""What CloudFormation makes here: each type through its service's own API, so that it really exists."""

from tests.cloud import emulated_compute, emulated_storage, emulated_web
from tests.cloud.resource_types import (
    TYPES,
    check_attributes,
    check_properties,
    is_replaced,
    make_name,
)

__all__ = [
    "ROOMS",
    "TYPES",
    "check_attributes",
    "check_properties",
    "is_replaced",
    "make_name",
    "skipped",
]

ROOMS = (emulated_compute, emulated_storage, emulated_web)


def skipped(session, stack):
    """Return the types of resources that a stack's template names and that do not exist.

    They prove nothing, so no test may count them as passed.

    Args:
        session: a boto3 session.
        stack: a stack's name or ARN.
    """
    cloudformation = session.client("cloudformation")
    template = cloudformation.get_template(StackName=stack)["TemplateBody"]
    found = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    real = {each.get("LogicalResourceId") for each in found if each.get("PhysicalResourceId")}
    return sorted(each["Type"] for name, each in template["Resources"].items() if name not in real)
