"""What a policy is written of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Statement = dict[str, Any]


def allow(
    actions: Iterable[str], resources: Any, condition: dict[str, Any] | None = None
) -> Statement:
    """Write one statement of a policy."""
    made: Statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": resources}
    return {**made, "Condition": condition} if condition else made


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    """Write a policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def actions(statements: Iterable[Statement]) -> list[str]:
    """Return every action that statements allow, once each, sorted."""
    return sorted({action for statement in statements for action in statement["Action"]})
