"""Driving CloudFormation: one request, then AWS finishes or rolls back by itself.

What exists is recorded by the stack alone, so any machine can go on where another was cut off. Whatever
state a stack is found in, `apply` and `delete` wait for it to settle and then do what is left to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marfa.aws import reasons
from marfa.aws.client import Cloud
from marfa.aws.names import TAG, Names
from marfa.aws.template.document import Template, body
from marfa.console import Talk
from marfa.errors import CloudError, GoneError, NetworkError

GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
"""States in which a stack answers, and can be updated."""

_BROKEN = {
    *("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"),
    *("REVIEW_IN_PROGRESS", "IMPORT_ROLLBACK_COMPLETE"),
}
"""States that only a deletion ends."""

_STUCK = "UPDATE_ROLLBACK_FAILED"

LEFT = "could not be deleted: {reason}; it may still bill"
"""What is said of a stack that stays though it should not."""

_UNSEEN = ("cannot be assumed", "role is invalid", "is invalid or cannot")
"""What AWS says of a role that has been made a moment ago and is not known everywhere yet."""

_POLL_SECONDS = 4.0
_UNSEEN_SECONDS = 8.0
_PATIENCE_SECONDS = 90 * 60
_TRIES = 6


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation tells of it.

    Attributes:
        name: its name.
        id: its ARN, which no later stack of the same name has.
        status: such as "CREATE_COMPLETE".
        reason: why it is in that state, as far as it says.
        outputs: what it tells about what it made.
        parameters: what it was told.
        tags: by key.
        created: when.
    """

    name: str
    id: str
    status: str
    reason: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    created: datetime

    @property
    def settled(self) -> bool:
        """Return whether nothing is under way; a review waits for a person, not for AWS."""
        return not self.status.endswith("_IN_PROGRESS") or self.status == "REVIEW_IN_PROGRESS"


def read(found: Mapping[str, Any]) -> Stack:
    """Read a stack's description."""
    return Stack(
        str(found["StackName"]),
        str(found["StackId"]),
        str(found["StackStatus"]),
        str(found.get("StackStatusReason", "")),
        {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
        {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])},
        {each["Key"]: each["Value"] for each in found.get("Tags", [])},
        found["CreationTime"],
    )


def find(cloud: Cloud, names: Names, name: str) -> Stack | None:
    """Look for a stack of a deployment.

    Args:
        cloud: the account.
        names: the deployment's names.
        name: the stack's.

    Returns:
        The stack, or None where there is none.

    Raises:
        CloudError: if there is one that marfa has not made.
    """
    try:
        answer = cloud.call("cloudformation", "describe_stacks", StackName=name)
    except GoneError:
        return None
    stack = read(answer["Stacks"][0])
    if stack.status == "DELETE_COMPLETE":
        return None
    if stack.tags.get(TAG) != names.deployment:
        message = "a stack of this name exists that marfa has not made; it is left alone"
        raise CloudError(message, where=name, hint="choose another name: --deployment NAME")
    return stack


def settle(cloud: Cloud, names: Names, name: str, talk: Talk, title: str = "") -> Stack | None:
    """Wait until nothing is under way in a stack.

    Args:
        cloud: the account.
        names: the deployment's names.
        name: the stack's.
        talk: whom to tell.
        title: what is being done.

    Returns:
        The stack, or None where there is none any more.

    Raises:
        NetworkError: if it takes longer than any of what marfa makes should; AWS goes on meanwhile.
    """
    stack = find(cloud, names, name)
    if stack is None or stack.settled:
        return stack
    began = cloud.now()
    with talk.bar(title or f"waiting for {name}", None, "resources") as bar:
        while stack is not None and not stack.settled:
            if (cloud.now() - began).total_seconds() > _PATIENCE_SECONDS:
                message = f"still {stack.status} after {_PATIENCE_SECONDS // 60} minutes"
                raise NetworkError(message, where=name, hint=f"marfa status {names.deployment}")
            cloud.sleep(_POLL_SECONDS)
            stack = find(cloud, names, name)
            if stack is not None:
                bar.update(*_progress(cloud, name))
    return stack


def _progress(cloud: Cloud, name: str) -> tuple[float, str]:
    """Return how many resources are done, and which one is being worked on."""
    try:
        answer = cloud.call("cloudformation", "describe_stack_resources", StackName=name)
    except GoneError:
        return 0, ""
    found = answer["StackResources"]
    done = sum(each["ResourceStatus"].endswith("_COMPLETE") for each in found)
    busy = [
        str(each.get("LogicalResourceId", ""))
        for each in found
        if each["ResourceStatus"].endswith("_IN_PROGRESS")
    ]
    return done, ", ".join(busy[:2])


def apply(
    cloud: Cloud,
    names: Names,
    name: str,
    template: Template,
    talk: Talk,
    *,
    parameters: Mapping[str, str] | None = None,
    role: str = "",
) -> Stack:
    """Make a stack be what a template says, whatever state it is in.

    Args:
        cloud: the account.
        names: the deployment's names.
        name: the stack's.
        template: what it is to be.
        talk: whom to tell.
        parameters: the template's parameters.
        role: ARN of the role that CloudFormation works with; the caller's own rights if empty.

    Returns:
        The stack, in a good state.

    Raises:
        CloudError: if AWS cannot make it; it has rolled back by then, and the first reason is told.
        NetworkError: if the line fails; the same command goes on.
    """
    wanted = {
        "TemplateBody": body(template),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in (parameters or {}).items()
        ],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": names.tags,
        **({"RoleARN": role} if role else {}),
    }
    for attempt in range(_TRIES):
        stack = settle(cloud, names, name, talk)
        if stack is not None and stack.status in _BROKEN:
            talk.say(f"{name}: {stack.status}, so it is deleted first")
            if reason := delete(cloud, names, name, talk, role=role):
                message = f"it is {stack.status}, and cannot be deleted: {reason}"
                raise CloudError(message, where=name, hint=f"marfa destroy {names.deployment}")
            stack = None
        if stack is not None and stack.status == _STUCK:
            _go_on_rolling_back(cloud, name, attempt)
            continue
        begun = _begin(cloud, name, stack, wanted)
        if begun is None and stack is not None:  # what is up is what is wanted
            return stack
        if begun:
            return _good(cloud, names, name, talk, fresh=stack is None)
    raise _contended(name)


def _contended(name: str) -> CloudError:
    message = "something else keeps changing this stack"
    hint = "wait for it to end, then run the same command again"
    return CloudError(message, where=name, hint=hint)


def _go_on_rolling_back(cloud: Cloud, name: str, attempt: int) -> None:
    """Let CloudFormation try to roll back again; at the second try without what it cannot restore.

    A lease, for one, cannot be put back to an end that has passed; the update that follows sets it.
    """
    skipped: dict[str, Any] = {}
    if attempt:
        answer = cloud.call("cloudformation", "describe_stack_resources", StackName=name)
        failed = [
            str(each["LogicalResourceId"])
            for each in answer["StackResources"]
            if each["ResourceStatus"] == "UPDATE_FAILED"
        ]
        skipped = {"ResourcesToSkip": failed} if failed else {}
    cloud.call("cloudformation", "continue_update_rollback", StackName=name, **skipped)


def _begin(cloud: Cloud, name: str, stack: Stack | None, wanted: Mapping[str, Any]) -> bool | None:
    """Ask for the stack; None if it is so already, False if it is in no state for that after all."""
    operation = "create_stack" if stack is None else "update_stack"
    try:
        cloud.call("cloudformation", operation, StackName=name, **wanted)
    except CloudError as error:
        if "No updates are to be performed" in error.what:
            return None
        # An answer that was lost, or another machine: the stack is there, or at work, already.
        if error.code == "AlreadyExistsException" or "can not be updated" in error.what:
            return False
        if any(words in error.what for words in _UNSEEN):
            cloud.sleep(_UNSEEN_SECONDS)
            return False
        raise
    return True


def change(
    cloud: Cloud, names: Names, name: str, parameters: Mapping[str, str], talk: Talk
) -> Stack:
    """Change parameters of a stack and nothing else.

    Raises:
        CloudError: if there is no such stack, or it is in no state for that.
    """
    for _ in range(_TRIES):
        stack = settle(cloud, names, name, talk)
        if stack is None:  # a lease may end while it is being renewed
            message = "there is no such stack, or no more"
            raise GoneError(message, where=name, hint="marfa status lists what there is")
        if stack.status not in GOOD:
            message = f"it is {stack.status}, in which nothing can be changed"
            hint = f"marfa deploy mends it, or marfa destroy {names.deployment} ends it"
            raise CloudError(message, where=name, hint=hint)
        told = [
            {"ParameterKey": key, "ParameterValue": parameters[key]}
            if key in parameters
            else {"ParameterKey": key, "UsePreviousValue": True}
            for key in stack.parameters
        ]
        wanted = {
            "UsePreviousTemplate": True,
            "Parameters": told,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": names.tags,
        }
        begun = _begin(cloud, name, stack, wanted)
        if begun is None:
            return stack
        if begun:
            return _good(cloud, names, name, talk, fresh=False)
    raise _contended(name)


def _good(cloud: Cloud, names: Names, name: str, talk: Talk, *, fresh: bool) -> Stack:
    made = settle(cloud, names, name, talk, f"{'making' if fresh else 'updating'} {name}")
    if made is not None and made.status in GOOD - {"UPDATE_ROLLBACK_COMPLETE"}:
        return made
    reason = reasons.why(cloud, name) if made else ""
    status = made.status if made else "gone"
    message = f"AWS could not make it ({status}){': ' + reason if reason else ''}"
    hint = reasons.hint(reason, cloud.region)
    left = ""
    if made is not None and made.status in _BROKEN:
        left = discard(cloud, names, name, talk)  # nothing of it answers, or is to bill
    if left:
        message = f"{message}; it {LEFT.format(reason=left)}"
        hint = f"marfa destroy {names.deployment}"
    raise CloudError(message, where=name, hint=hint)


def delete(cloud: Cloud, names: Names, name: str, talk: Talk, *, role: str = "") -> str:
    """Delete a stack and wait until it is gone; one that is not there is no trouble.

    Args:
        cloud: the account.
        names: the deployment's names.
        name: the stack's.
        talk: whom to tell.
        role: ARN of the role to delete it with; the one that it was made with if empty.

    Returns:
        Empty, or why AWS could not delete it.
    """
    stack = find(cloud, names, name)
    reason = ""
    for _ in range(_TRIES):
        if stack is None:
            return ""
        if stack.status != "DELETE_IN_PROGRESS":
            try:
                given = {"RoleARN": role} if role else {}
                cloud.call("cloudformation", "delete_stack", StackName=stack.id, **given)
            except CloudError as error:
                if "IN_PROGRESS" not in error.what:  # it can be deleted once its update has ended
                    raise
        stack = settle(cloud, names, name, talk, f"deleting {name}")
        if stack is not None and stack.status == "DELETE_FAILED":
            reason = reasons.why(cloud, name) or stack.reason
            if reason:
                talk.warn(f"{name}: {reason}")
    return reason or (stack.status if stack else "")


def discard(cloud: Cloud, names: Names, name: str, talk: Talk) -> str:
    """Delete a stack as `delete` does; that AWS refuses even to begin is a reason like any other."""
    try:
        return delete(cloud, names, name, talk)
    except CloudError as error:
        return str(error)


def resources(cloud: Cloud, name: str) -> dict[str, str]:
    """Return what a stack has made: physical by logical name; nothing where there is no stack."""
    try:
        answer = cloud.call("cloudformation", "describe_stack_resources", StackName=name)
    except GoneError:
        return {}
    return {
        str(each["LogicalResourceId"]): str(each["PhysicalResourceId"])
        for each in answer["StackResources"]
        if "PhysicalResourceId" in each and "LogicalResourceId" in each
    }
