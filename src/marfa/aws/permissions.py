"""Whether whoever deploys may do so, as far as IAM tells without trying."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from marfa.aws.client import Cloud
from marfa.aws.statements import Statement, allow
from marfa.errors import MarfaError

EVERYTHING = "*"


def simulate(
    cloud: Cloud, principal: str, wanted: Sequence[str | Statement]
) -> tuple[list[str], list[str]]:
    """Ask IAM what somebody may do.

    Args:
        cloud: the account.
        principal: ARN of a user or a role.
        wanted: actions, or statements that say on what and when as well.

    Returns:
        Actions that are forbidden, and actions that are not allowed, as far as IAM can tell: what hangs
        on something that it was not told is left out.

    Raises:
        MarfaError: if IAM cannot be asked, or not about this.
    """
    plain = [action for action in wanted if isinstance(action, str)]
    statements = [statement for statement in wanted if not isinstance(statement, str)]
    if plain:
        statements.append(allow(plain, EVERYTHING))
    forbidden: set[str] = set()
    lacking: set[str] = set()
    for statement in statements:
        for action, decisions in _decisions(cloud, principal, statement):
            if "explicitDeny" in decisions:
                forbidden.add(action)
            elif "allowed" not in decisions and decisions:
                lacking.add(action)
    return sorted(forbidden), sorted(lacking)


def principal_of(cloud: Cloud, caller: str) -> str:
    """Return whose rights decide: the user's, or those of the role behind a session.

    Args:
        cloud: the account.
        caller: the ARN that the credentials belong to.

    Returns:
        The ARN; empty where there is nobody whom IAM could be asked about.
    """
    *start, resource = caller.split(":", 5)
    kind, _, name = resource.partition("/")
    if kind == "user":
        return caller
    if kind != "assumed-role":
        return ""
    role = name.partition("/")[0]
    try:  # the path, which roles of single sign-on have, is not in the session's name
        return str(cloud.call("iam", "get_role", RoleName=role)["Role"]["Arn"])
    except MarfaError:
        partition, account = start[1], start[4]
        return f"arn:{partition}:iam::{account}:role/{role}"


def is_root(caller: str) -> bool:
    """Say whether somebody is the account itself, which may do everything.

    >>> is_root("arn:aws:iam::123456789012:root"), is_root("arn:aws:iam::123456789012:user/root")
    (True, False)
    """
    return caller.split(":", 5)[-1] == "root"


def _decisions(
    cloud: Cloud, principal: str, statement: Statement
) -> Iterator[tuple[str, set[str]]]:
    """Yield each action with what was decided about it, on whatever the statement is about."""
    resources = statement["Resource"]
    pages = cloud.pages(
        "iam",
        "simulate_principal_policy",
        PolicySourceArn=principal,
        ActionNames=statement["Action"],
        ResourceArns=[resources] if isinstance(resources, str) else list(resources),
        ContextEntries=_context(statement),
    )
    for page in pages:
        for result in page["EvaluationResults"]:
            yield result["EvalActionName"], set(_sure(result))


def _sure(result: dict[str, Any]) -> Iterator[str]:
    """Yield what was decided for each resource without missing anything."""
    specific = result.get("ResourceSpecificResults", [])
    for one in specific or [result]:
        if not one.get("MissingContextValues"):
            yield one["EvalResourceDecision" if specific else "EvalDecision"]


def _context(statement: Statement) -> list[dict[str, Any]]:
    """Describe the request as the statement's own condition wants it."""
    wanted: dict[str, str] = statement.get("Condition", {}).get("StringEquals", {})
    return [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in wanted.items()
    ]
