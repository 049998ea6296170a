"""What every template has in common: how its parts are written, joined and printed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

Template = dict[str, Any]
Resources = dict[str, dict[str, Any]]


def resource(kind: str, properties: Mapping[str, Any], after: Sequence[str] = ()) -> dict[str, Any]:
    """Write one resource.

    Args:
        kind: its type, such as "AWS::S3::Bucket".
        properties: what it is to be; entries of None are left out.
        after: logical names of what must exist before it.

    >>> resource("AWS::Logs::LogGroup", {"LogGroupName": "a", "KmsKeyId": None}, after=["Lease"])
    {'Type': 'AWS::Logs::LogGroup', 'DependsOn': ['Lease'], 'Properties': {'LogGroupName': 'a'}}
    """
    order = {"DependsOn": list(after)} if after else {}
    kept = {key: value for key, value in properties.items() if value is not None}
    return {"Type": kind, **order, "Properties": kept}


def ref(name: str) -> dict[str, str]:
    """Refer to a resource or a parameter."""
    return {"Ref": name}


def attribute(name: str, which: str) -> dict[str, list[str]]:
    """Refer to what a resource knows of itself once it exists."""
    return {"Fn::GetAtt": [name, which]}


def sub(text: str) -> dict[str, str]:
    """Write a text with ${names} in it."""
    return {"Fn::Sub": text}


def template(
    description: str,
    resources: Resources,
    outputs: Mapping[str, Any],
    parameters: Mapping[str, Any] | None = None,
) -> Template:
    """Join the parts of a template.

    Args:
        description: a sentence for whoever looks at it in the console.
        resources: by logical name.
        outputs: values by name.
        parameters: declarations by name.
    """
    whole: Template = {"AWSTemplateFormatVersion": "2010-09-09", "Description": description}
    if parameters:
        whole["Parameters"] = dict(parameters)
    whole["Resources"] = dict(resources)
    whole["Outputs"] = {name: {"Value": value} for name, value in outputs.items()}
    return whole


def body(written: Template) -> str:
    """Return a template as it is sent: the same text for the same template."""
    return json.dumps(written, sort_keys=True, separators=(",", ":"))


def digest(value: Any, digits: int = 12) -> str:
    """Name a value by its content.

    >>> digest({"a": 1}) == digest({"a": 1}), len(digest("x", 8))
    (True, 8)
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
