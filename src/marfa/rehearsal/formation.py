"""CloudFormation on this machine: a template's resources in their order, and back again if one fails."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from marfa.aws.names import Names
from marfa.aws.template.document import digest
from marfa.errors import CloudError, GoneError

_NAMED = (
    *("BucketName", "RoleName", "LogGroupName", "LayerName", "FunctionName", "ModelName"),
    *("EndpointName", "EndpointConfigName"),
)
"""Properties that decide what a resource is called; all others get a name of CloudFormation's."""

_HOLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource that exists.

    Attributes:
        logical: its name in the template.
        kind: its type, such as "AWS::Lambda::Function".
        name: what it is called in the account.
        properties: the template's, every reference in them resolved.
    """

    logical: str
    kind: str
    name: str
    properties: Mapping[str, Any]


@dataclass
class _Stack:
    wanted: Mapping[str, Any]
    status: str = "CREATE_IN_PROGRESS"
    made: list[Resource] = field(default_factory=list)
    events: list[dict[str, str]] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)


class Formation:
    """Makes and deletes stacks at once.

    Args:
        names: region, account and partition are theirs.
        make: makes one resource, or says why it cannot.
        unmake: deletes one.
    """

    def __init__(
        self, names: Names, make: Callable[[Resource], None], unmake: Callable[[Resource], None]
    ) -> None:
        self._names, self._make, self._unmake = names, make, unmake
        self._stacks: dict[str, _Stack] = {}

    def call(self, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Make one call of CloudFormation's.

        Raises:
            GoneError: if there is no such stack.
        """
        name = str(given["StackName"])
        if operation == "create_stack":
            self._create(name, given)
            return {}
        if name not in self._stacks:
            message = f"Stack with id {name} does not exist"
            raise GoneError(message, where=name, code="ValidationError")
        if operation == "delete_stack":
            self._take_back(self._stacks.pop(name))
            return {}
        return self._described(operation, name, self._stacks[name])

    @property
    def left(self) -> list[str]:
        """Return the names of the resources of all stacks."""
        return [each.name for stack in self._stacks.values() for each in stack.made]

    def _described(self, operation: str, name: str, stack: _Stack) -> dict[str, Any]:
        if operation == "describe_stack_events":
            return {"StackEvents": list(reversed(stack.events))}
        if operation == "describe_stack_resources":
            told = {"ResourceStatus": "CREATE_COMPLETE"}
            return {
                "StackResources": [
                    {"LogicalResourceId": each.logical, "PhysicalResourceId": each.name, **told}
                    for each in stack.made
                ]
            }
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in stack.outputs.items()]
        found = {
            "StackName": name,
            "StackId": name,
            "StackStatus": stack.status,
            "Outputs": outputs,
            "Parameters": stack.wanted["Parameters"],
            "Tags": stack.wanted["Tags"],
            "CreationTime": datetime.now(UTC),
        }
        return {"Stacks": [found]}

    def _create(self, name: str, wanted: Mapping[str, Any]) -> None:
        template = json.loads(wanted["TemplateBody"])
        stack = self._stacks[name] = _Stack(wanted)
        stack.events.append(
            {"ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": "CREATE_IN_PROGRESS"}
        )
        parameters = {each["ParameterKey"]: each["ParameterValue"] for each in wanted["Parameters"]}
        known = _Known(self._names, name, parameters)
        try:
            for logical in ordered(template["Resources"]):
                self._one(stack, known, logical, template["Resources"][logical])
        except CloudError as error:
            stack.events.append(
                {
                    "LogicalResourceId": logical,
                    "ResourceStatus": "CREATE_FAILED",
                    "ResourceStatusReason": error.what,
                }
            )
            self._take_back(stack)
            stack.status = "ROLLBACK_COMPLETE"
            return
        except BaseException:  # Ctrl-C: nothing that was begun may stay
            self._take_back(self._stacks.pop(name))
            raise
        stack.outputs = {
            key: str(known.resolve(each["Value"])) for key, each in template["Outputs"].items()
        }
        stack.status = "CREATE_COMPLETE"

    def _one(self, stack: _Stack, known: _Known, logical: str, written: Mapping[str, Any]) -> None:
        properties = known.resolve(written["Properties"])
        resource = Resource(
            logical=logical,
            kind=str(written["Type"]),
            name=known.name(logical, properties),
            properties=properties,
        )
        self._make(resource)
        known.made[logical] = resource
        stack.made.append(resource)

    def _take_back(self, stack: _Stack) -> None:
        while stack.made:
            self._unmake(stack.made.pop())


def ordered(resources: Mapping[str, Any]) -> list[str]:
    """Put resources into the order in which they can be made: what is needed comes first.

    Args:
        resources: of a template, by logical name.

    >>> ordered({"b": {"Properties": {"x": {"Ref": "a"}}}, "a": {"Properties": {}, "DependsOn": ["c"]},
    ...          "c": {"Properties": {}}})
    ['c', 'a', 'b']
    """
    done: list[str] = []

    def visit(name: str, above: tuple[str, ...] = ()) -> None:
        assert name not in above, f"{name} needs itself"
        if name in done:
            return
        each = resources[name]
        for other in [*each.get("DependsOn", []), *_needed(each["Properties"])]:
            if other in resources:
                visit(other, (*above, name))
        done.append(name)

    for name in resources:
        visit(name)
    return done


def _needed(value: Any) -> Iterator[str]:
    """Yield the logical names that a value refers to."""
    match value:
        case {"Ref": name}:
            yield str(name)
        case {"Fn::GetAtt": [name, _]}:
            yield str(name)
        case {"Fn::Sub": text}:
            yield from (hole.partition(".")[0] for hole in _HOLE.findall(str(text)))
        case dict():
            for inner in value.values():
                yield from _needed(inner)
        case list():
            for inner in value:
                yield from _needed(inner)


class _Known:
    """What references in one template stand for.

    Args:
        names: region, account and partition are theirs.
        stack: the stack's name.
        parameters: by name.
    """

    def __init__(self, names: Names, stack: str, parameters: Mapping[str, str]) -> None:
        self._names, self._stack = names, stack
        self._plain = {
            **parameters,
            "AWS::Region": names.region,
            "AWS::AccountId": names.account,
            "AWS::Partition": names.partition,
            "AWS::URLSuffix": "amazonaws.com.cn"
            if names.partition == "aws-cn"
            else "amazonaws.com",
            "AWS::StackId": stack,
        }
        self.made: dict[str, Resource] = {}

    def name(self, logical: str, properties: Mapping[str, Any]) -> str:
        """Return what a resource is going to be called."""
        named = next((str(properties[key]) for key in _NAMED if key in properties), "")
        made = f"{self._stack}-{logical}-".lower() if logical == "Bucket" else ""
        return named or made + digest([self._stack, logical], 10)

    def resolve(self, value: Any) -> Any:
        """Return a value with every reference in it replaced."""
        match value:
            case {"Ref": name}:
                return self._ref(str(name))
            case {"Fn::GetAtt": [name, which]}:
                return self._attribute(str(name), str(which))
            case {"Fn::Sub": text}:
                return _HOLE.sub(lambda found: self._hole(found[1]), str(text))
            case dict():
                return {key: self.resolve(inner) for key, inner in value.items()}
            case list():
                return [self.resolve(inner) for inner in value]
        return value

    def _hole(self, inside: str) -> str:
        name, _, which = inside.partition(".")
        return self._attribute(name, which) if which else self._ref(name)

    def _ref(self, name: str) -> str:
        return self._plain[name] if name in self._plain else self.made[name].name

    def _attribute(self, name: str, which: str) -> str:
        made = self.made[name]
        if which in made.properties:
            return str(made.properties[which])
        if which == "DomainName":
            return f"{made.name}.cloudfront.net"
        if which != "Arn":
            return made.name
        service = made.kind.split("::")[1].lower()
        if service == "s3":
            return f"arn:{self._names.partition}:s3:::{made.name}"
        return self._names.arn(service, made.name)
