"""Why a stack failed, in AWS's words, and what to type then."""

from __future__ import annotations

from marfa.aws.client import Cloud

_SERVICES = (("Endpoint", "sagemaker"), ("Function", "lambda"))
"""Whose limits a resource meets, by how its logical name begins."""

_HINTS = (
    ("ReservedConcurrentExecutions", "--concurrency 0"),
    ("already exists", "choose another name: --deployment NAME"),
    ("not authorized", "ask for the rights that marfa deploy --policy prints"),
    ("ping", "the container did not answer in time: look at its log, or choose another --image"),
    ("image", "choose another --image; docs/images.md lists those that are known"),
)


_LIMITS = ("quota", "limit")


def hint(reason: str, region: str) -> str:
    """Say what to do about a failure.

    >>> hint("Function: Code storage limit exceeded.", "eu-west-1")
    'aws service-quotas list-service-quotas --service-code lambda --region eu-west-1'
    """
    told = reason.lower()
    found = next((hint for word, hint in _HINTS if word.lower() in told), "")
    if any(word in told for word in _LIMITS) and not found.startswith("--"):
        return _quota_hint(reason, region)
    return found or "run the same command again, or marfa destroy"


def _quota_hint(reason: str, region: str) -> str:
    """Say what to do about a limit; another machine helps where a machine is what was refused."""
    of, told = reason.partition(":")[0], reason.lower()
    service = next((name for word, name in _SERVICES if of.startswith(word)), "")
    if not service:
        return f"aws service-quotas list-services --region {region}, or another --region"
    hint = f"aws service-quotas list-service-quotas --service-code {service} --region {region}"
    if service == "sagemaker" and "serverless" in told:
        return f"{hint}; or --target lambda"
    return f"{hint}; or another --instance-type" if service == "sagemaker" else hint


def why(cloud: Cloud, name: str) -> str:
    """Return the first failure of the last operation on a stack, in AWS's words.

    Later failures are only that others were cancelled.
    """
    reason = ""
    for page in cloud.pages("cloudformation", "describe_stack_events", StackName=name):
        for event in page["StackEvents"]:  # the newest first
            status, of = event.get("ResourceStatus", ""), event.get("LogicalResourceId", "")
            if status.endswith("_FAILED") and event.get("ResourceStatusReason"):
                reason = f"{of}: {event['ResourceStatusReason']}"
            begun = status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}
            if begun and event.get("ResourceType") == "AWS::CloudFormation::Stack":
                return reason
    return reason
