"""Reading a CloudFormation template: its parameters, what needs what, and the values in it.

Only JSON, and only the functions that a template of marfa may use; another one is refused loudly, so
that it can never pass by being ignored.
"""

import json
import re

from moto.core.exceptions import ServiceException

BODY_BYTES = 51_200
PSEUDO = ("AccountId", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")
KNOWN = {"Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split"}

_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:ssm:([^}:]+)(?::\d+)?\}\}")


class Refused(ServiceException):
    """What CloudFormation answers to a request that it does not take."""

    code = "ValidationError"


def read(body):
    """Read a template and refuse what CloudFormation would refuse at once."""
    if len(body.encode()) > BODY_BYTES:
        raise Refused(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {BODY_BYTES}"
        )
    try:
        template = json.loads(body)
    except ValueError as error:
        raise Refused(f"Template format error: JSON not well-formed. ({error})") from None
    unknown = sorted(set(template) & {"Conditions", "Mappings", "Rules", "Transform"})
    if unknown:
        raise Refused(f"this test bed does not know {', '.join(unknown)}")
    unknown = sorted(_functions([template.get("Resources"), template.get("Outputs")]) - KNOWN)
    if unknown:
        raise Refused(f"this test bed does not know {', '.join(unknown)}")
    resources = template.get("Resources")
    if not resources:
        raise Refused("Template format error: At least one Resources member must be defined.")
    known = {*resources, *template.get("Parameters", {}), *(f"AWS::{name}" for name in PSEUDO)}
    for block in ("Resources", "Outputs"):
        missing = sorted(mentioned(template.get(block, {})) - known)
        if missing:
            raise Refused(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
                f"in the {block} block of the template"
            )
    order(resources, min)
    return template


def _functions(value):
    """Return the names of all functions in a part of a template."""
    if isinstance(value, list):
        return set().union(*map(_functions, value))
    if not isinstance(value, dict):
        return set()
    own = {key for key in value if key == "Ref" or key.startswith("Fn::")}
    return own.union(*map(_functions, value.values()))


def filled(template, given, before=()):
    """Return every parameter's value.

    Args:
        template: the template.
        given: as a request names them: ParameterKey with ParameterValue or UsePreviousValue.
        before: the values that the stack has.
    """
    declared = template.get("Parameters", {})
    unknown = [each["ParameterKey"] for each in given if each["ParameterKey"] not in declared]
    if unknown:
        raise Refused(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = {name: spec["Default"] for name, spec in declared.items() if "Default" in spec}
    for each in given:
        name = each["ParameterKey"]
        if not each.get("UsePreviousValue"):
            values[name] = each["ParameterValue"]
        elif name in before:
            values[name] = before[name]
        else:
            raise Refused(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue"
            )
    missing = sorted(set(declared) - set(values))
    if missing:
        raise Refused(f"Parameters: [{', '.join(missing)}] must have values")
    return values


def mentioned(value):
    """Return every name that a part of a template refers to."""
    if isinstance(value, list):
        return set().union(*map(mentioned, value))
    if not isinstance(value, dict):
        return set()
    match value:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [str(name), *_]}:
            return {name}
        case {"Fn::Sub": [str(text), dict(own)]}:
            return (
                {name.split(".")[0] for name in _VARIABLE.findall(text)} - set(own)
            ) | mentioned(list(own.values()))
        case {"Fn::Sub": str(text)}:
            return {name.split(".")[0] for name in _VARIABLE.findall(text)}
    named = value.get("DependsOn", [])
    return {*([named] if isinstance(named, str) else named)}.union(*map(mentioned, value.values()))


def needs(definition, resources):
    """Return the logical names of the resources that one needs before it can exist."""
    return mentioned(definition) & set(resources)


def order(resources, choose):
    """Return logical names in an order in which they can be made.

    Args:
        resources: definitions by logical name.
        choose: picks one of those that could come next; CloudFormation promises nothing about them.
    """
    waiting = {name: needs(definition, resources) for name, definition in resources.items()}
    done = []
    while waiting:
        ready = sorted(name for name, needed in waiting.items() if needed <= set(done))
        if not ready:
            names = ", ".join(sorted(waiting))
            raise Refused(f"Circular dependency between resources: [{names}]")
        done.append(choose(ready))
        del waiting[done[-1]]
    return done


def is_dynamic(template):
    """Say whether a value is looked up each time; such a template is never "unchanged"."""
    return "{{resolve:" in json.dumps(template)


def same(one, other):
    """Say whether nothing would change between two pairs of template and parameters."""
    return _essence(*one) == _essence(*other)


def _essence(template, parameters):
    kept = {key: value for key, value in template.items() if key not in {"Description", "Metadata"}}
    used = {name: value for name, value in parameters.items() if name in mentioned(kept)}
    return kept, used


def resolve(value, look, ssm):
    """Return a part of a template with all values filled in.

    Args:
        value: the part.
        look: gives the value of a name, and of an attribute of it if asked for one.
        ssm: gives the value of a parameter of Systems Manager.
    """
    if isinstance(value, str):
        return _DYNAMIC.sub(lambda found: ssm(found[1]), value)
    if isinstance(value, list):
        whole = [resolve(each, look, ssm) for each in value]
        return [each for each in whole if each is not None]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and next(iter(value)) in KNOWN:
        return _call(*next(iter(value.items())), look, ssm)
    whole = {key: resolve(each, look, ssm) for key, each in value.items()}
    return {key: each for key, each in whole.items() if each is not None}


def _call(function, given, look, ssm):
    if function == "Ref":
        return look(given, "")
    if function == "Fn::GetAtt":
        return look(given[0], ".".join(given[1:]))
    if function == "Fn::Sub":
        text, own = given if isinstance(given, list) else (given, {})
        own = resolve(own, look, ssm)

        def fill(found):
            name, _, attribute = found[1].partition(".")
            return str(own[found[1]] if found[1] in own else look(name, attribute))

        text = resolve(_VARIABLE.sub(fill, text), look, ssm)
        return text.replace("${!", "${")
    one, many = given[0], resolve(given[1], look, ssm)
    if function == "Fn::Join":
        return one.join(str(each) for each in many)
    if function == "Fn::Split":
        return many.split(one)
    return many[int(one)]
