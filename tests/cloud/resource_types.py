"""What all types of resources have in common when CloudFormation makes them.

Properties go to the API as they stand, so botocore's description of the service refuses those that do
not exist. What replaces a resource, and what Fn::GetAtt may ask of it, is AWS's own word: the resource
schemas that cfn-lint brings.
"""

import re
from functools import cache

from botocore.exceptions import ClientError
from tests.cloud.templates import Refused

_GONE = re.compile(r"NotFound|NoSuch|NotExist|Could not find|does not exist|^404", re.IGNORECASE)


class Type:
    """One type of resource.

    Attributes:
        name: the property that names it; empty where AWS chooses the name.
        takes: the properties that are passed on; empty where all of them go to the API as they are.
    """

    name = ""
    takes = ()

    def ref(self, resource):
        """Return what Ref gives."""
        return resource.physical

    def create(self, where, name, properties):
        """Make it with one call; return its physical id and its attributes."""
        raise NotImplementedError

    def finish(self, where, resource, before):
        """Do what takes more calls, after its making (before is empty then) and after each change."""

    def update(self, where, resource, properties):
        """Change it in place; return the attributes that are new."""
        raise NotImplementedError

    def delete(self, where, resource):
        """Delete it; one that is gone already is no failure."""
        raise NotImplementedError


def made(answer, *keys):
    """Pick attributes out of an API's answer."""
    return {key: answer[key] for key in keys if key in answer}


def some(properties, *keys):
    """Pick the properties that a call takes."""
    return {key: properties[key] for key in keys if key in properties}


def gone_is_good(call, *positional, **named):
    """Make a call for whose purpose it is enough if the thing is not there."""
    try:
        return call(*positional, **named)
    except ClientError as error:
        found = error.response["Error"]
        if not _GONE.search(f"{found['Code']} {found['Message']}"):
            raise
        return {}


def as_mapping(tags):
    """Return a template's tags as those services want them that take a mapping."""
    return {each["Key"]: each["Value"] for each in tags}


def tags_taken(before, after):
    """Return the keys of tags that are no longer wanted."""
    return sorted(set(as_mapping(before)) - set(as_mapping(after)))


TYPES = {}


def kind(name):
    """Register a type under its CloudFormation name."""

    def register(found):
        TYPES[name] = found()
        return found

    return register


def make_name(resource, stack, conduct):
    """Return a resource's own name, or one as CloudFormation makes them."""
    word = TYPES[resource.kind].name
    if word and word in resource.properties:
        return resource.properties[word]
    made_up = f"{stack}-{resource.name}-{conduct.suffix()}"
    return made_up.lower() if resource.kind == "AWS::S3::Bucket" else made_up


@cache
def _schema(kind):
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind)


def is_replaced(kind, old, new):
    """Say whether a change of properties means a new resource."""
    fixed = {path.split("/")[2] for path in _schema(kind).schema.get("createOnlyProperties", [])}
    return any(old.get(word) != new.get(word) for word in fixed)


def check_properties(kind, properties):
    """Refuse what the type does not have, what it cannot be without, and what is ignored here."""
    schema, takes = _schema(kind).schema, TYPES[kind].takes
    unknown = set(properties) - set(schema["properties"])
    if unknown:
        raise Refused(f"Encountered unsupported property {', '.join(sorted(unknown))}")
    missing = set(schema.get("required", [])) - set(properties)
    if missing:
        raise Refused(f"required key [{', '.join(sorted(missing))}] not found")
    ignored = set(properties) - {*takes, TYPES[kind].name}
    if takes and ignored:
        raise Refused(f"this test bed does not know {', '.join(sorted(ignored))} of {kind}")


def check_attributes(template):
    """Refuse a template that asks for an attribute that there is none of."""
    kinds = {name: each["Type"] for name, each in template["Resources"].items()}
    for name, attribute in _attributes([template["Resources"], template.get("Outputs", {})]):
        found = kinds.get(name, "")
        if found in TYPES and attribute not in _schema(found).get_atts:
            raise Refused(
                f"Template error: resource {found.rpartition('::')[2]} does not support attribute "
                f"type {attribute} in Fn::GetAtt"
            )


def _attributes(value):
    if isinstance(value, list):
        for each in value:
            yield from _attributes(each)
    elif isinstance(value, dict):
        match value:
            case {"Fn::GetAtt": [name, *attribute]}:
                yield name, ".".join(attribute)
            case {"Fn::Sub": text}:
                text = text if isinstance(text, str) else text[0]
                yield from re.findall(r"\$\{([^!}.]+)\.([^}]+)\}", text)
            case _:
                yield from _attributes(list(value.values()))
