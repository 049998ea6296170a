"""Everything of a deployment that exists, kind by kind, found without asking the stacks.

It is the proof after `destroy`, and what sweeps up where a stack could not. Things are taken for a
deployment's own by their tag, or by the mark in their description where a kind can carry no tag; a name
alone, however much it looks like ours, is not enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from marfa.aws import job_inventory, uploads
from marfa.aws.bucket import Bucket
from marfa.aws.client import Cloud
from marfa.aws.jobs import TRAINING, TRANSFORM
from marfa.aws.jobs import Kind as Sort
from marfa.aws.names import TAG, Names
from marfa.errors import CloudError, GoneError

ROLES = ("answer", "proxy", "scheduler", "execution", "service")

Found = Iterator[str]


@dataclass(frozen=True)
class Kind:
    """One kind of thing that marfa can make.

    Attributes:
        name: as people call it.
        find: yields what identifies each of a deployment's own.
        delete: deletes one.
    """

    name: str
    find: Callable[[Cloud, Names], Found]
    delete: Callable[[Cloud, str], Any]


def left(cloud: Cloud, names: Names) -> list[tuple[str, str]]:
    """Return the kind and the name of everything of a deployment that exists."""
    return [(kind.name, each) for kind in KINDS for each in _look(kind, cloud, names)]


def _look(kind: Kind, cloud: Cloud, names: Names) -> list[str]:
    """Find things of one kind; what may not be looked at counts as left, not as gone."""
    try:
        return list(kind.find(cloud, names))
    except CloudError as error:
        return [f"(not known: {error.what})"]


def sweep(cloud: Cloud, names: Names) -> tuple[list[tuple[str, str]], list[str]]:
    """Delete what no stack holds any more, what bills first; what is refused stops nothing else.

    Returns:
        What has been deleted, kind and name; and why AWS refused to delete others.
    """
    swept, refused = [], []
    for kind in KINDS:
        try:
            found = list(kind.find(cloud, names))
        except CloudError:  # told by `left`
            continue
        for each in found:
            try:
                kind.delete(cloud, each)
            except GoneError:
                continue
            except CloudError as error:
                refused.append(f"{kind.name} {each}: {error.what}")
            else:
                swept.append((kind.name, each))
    return swept, refused


def _is_ours(tags: Sequence[Mapping[str, str]] | Mapping[str, str], names: Names) -> bool:
    """Say whether tags are a deployment's, in whichever of AWS's spellings.

    >>> names = Names("soup", "eu-west-1", "123456789012")
    >>> _is_ours([{"Key": "marfa:deployment", "Value": "soup"}], names), _is_ours({}, names)
    (True, False)
    """
    if isinstance(tags, Mapping):
        return tags.get(TAG) == names.deployment
    return {"Key": TAG, "Value": names.deployment} in [
        {"Key": each.get("Key"), "Value": each.get("Value")} for each in tags
    ]


def _endpoints(cloud: Cloud, names: Names) -> Found:
    try:
        found = cloud.call("sagemaker", "describe_endpoint", EndpointName=names.one)
    except GoneError:
        return
    if tagged(cloud, names, found["EndpointArn"]):
        yield names.one


def tagged(cloud: Cloud, names: Names, arn: str) -> bool:
    """Say whether a thing of SageMaker's is a deployment's own."""
    try:
        return _is_ours(cloud.call("sagemaker", "list_tags", ResourceArn=arn)["Tags"], names)
    except GoneError:
        return False


def _configs(cloud: Cloud, names: Names) -> Found:
    pages = cloud.pages("sagemaker", "list_endpoint_configs", NameContains=f"{names.one}-")
    for page in pages:
        for each in page["EndpointConfigs"]:
            name = each["EndpointConfigName"]
            if fnmatchcase(name, names.hashed) and tagged(cloud, names, each["EndpointConfigArn"]):
                yield name


def _models(cloud: Cloud, names: Names) -> Found:
    for page in cloud.pages("sagemaker", "list_models", NameContains=f"{names.one}-"):
        for each in page["Models"]:
            name = each["ModelName"]
            of_ours = any(fnmatchcase(name, each) for each in (names.hashed, names.scoring))
            if of_ours and tagged(cloud, names, each["ModelArn"]):
                yield name


def _apis(cloud: Cloud, names: Names) -> Found:
    for page in cloud.pages("apigatewayv2", "get_apis"):
        yield from (
            each["ApiId"] for each in page["Items"] if _is_ours(each.get("Tags", {}), names)
        )


def _functions(cloud: Cloud, names: Names) -> Found:
    # not get_function, which leaves the tags out, without a word, for whoever may not list them
    arn = names.arn("lambda", f"function:{names.one}")
    try:
        found = cloud.call("lambda", "list_tags", Resource=arn)
    except GoneError:
        return
    if _is_ours(found.get("Tags", {}), names):
        yield names.one


def _layers(cloud: Cloud, names: Names) -> Found:
    try:
        for page in cloud.pages("lambda", "list_layer_versions", LayerName=names.layer):
            yield from (
                f"{names.layer}:{each['Version']}"
                for each in page["LayerVersions"]
                if each.get("Description") == names.mark
            )
    except GoneError:
        return


def _logs(cloud: Cloud, names: Names) -> Found:
    for group in (names.function_log, names.endpoint_log):
        for page in cloud.pages("logs", "describe_log_groups", logGroupNamePrefix=group):
            for each in page["logGroups"]:
                if each["logGroupName"] != group:
                    continue
                arn = each["arn"].removesuffix(":*")
                tags = cloud.call("logs", "list_tags_for_resource", resourceArn=arn)["tags"]
                if _is_ours(tags, names):
                    yield group


def _schedules(cloud: Cloud, names: Names) -> Found:
    try:
        found = cloud.call("scheduler", "get_schedule", Name=names.one, GroupName="default")
    except GoneError:
        return
    if found.get("Description") == names.mark:
        yield names.one


def _distributions(cloud: Cloud, names: Names) -> Found:
    for page in cloud.pages("cloudfront", "list_distributions"):
        for each in page["DistributionList"].get("Items", []):
            if each["Comment"] != names.worldwide_mark:
                continue
            found = cloud.call("cloudfront", "list_tags_for_resource", Resource=each["ARN"])
            if _is_ours(found["Tags"]["Items"], names):
                yield each["Id"]


def _accesses(cloud: Cloud, names: Names) -> Found:
    for page in cloud.pages("cloudfront", "list_origin_access_controls"):
        for each in page["OriginAccessControlList"].get("Items", []):
            named = each["Name"] == f"{names.one}-{names.region}"
            if named and each["Description"] == names.worldwide_mark:
                yield each["Id"]


def _buckets(cloud: Cloud, names: Names) -> Found:
    prefix = f"{names.base}-bucket-"
    # a list of buckets is of all regions, where there may be a deployment of the same name
    for page in cloud.pages("s3", "list_buckets", Prefix=prefix, BucketRegion=names.region):
        for each in page.get("Buckets", []):
            here = each.get("BucketRegion", names.region) == names.region
            if (
                here
                and each["Name"].startswith(prefix)
                and _bucket_is_ours(cloud, names, each["Name"])
            ):
                yield each["Name"]


def _bucket_is_ours(cloud: Cloud, names: Names, bucket: str) -> bool:
    try:
        found = Bucket(cloud, bucket).call("get_bucket_tagging")
    except GoneError:
        return False
    return _is_ours(found["TagSet"], names)


def _roles(cloud: Cloud, names: Names) -> Found:
    yield from (names.role(who) for who in ROLES if has_role(cloud, names, who))


def has_role(cloud: Cloud, names: Names, who: str) -> bool:
    """Say whether a role of a deployment is there."""
    try:
        found = cloud.call("iam", "get_role", RoleName=names.role(who))
    except GoneError:
        return False
    return _is_ours(found["Role"].get("Tags", []), names)


def _stacks(cloud: Cloud, names: Names) -> Found:
    for name in (names.live, names.base):
        try:
            found = cloud.call("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]
        except GoneError:
            continue
        gone = found["StackStatus"] == "DELETE_COMPLETE"
        if not gone and _is_ours(found.get("Tags", []), names):
            yield name


def _delete_layer(cloud: Cloud, which: str) -> None:
    name, _, version = which.rpartition(":")
    cloud.call("lambda", "delete_layer_version", LayerName=name, VersionNumber=int(version))


def _delete_bucket(cloud: Cloud, bucket: str) -> None:
    uploads.empty(cloud, bucket)
    Bucket(cloud, bucket).call("delete_bucket")


def _delete_role(cloud: Cloud, role: str) -> None:
    for page in cloud.pages("iam", "list_role_policies", RoleName=role):
        for policy in page["PolicyNames"]:
            cloud.call("iam", "delete_role_policy", RoleName=role, PolicyName=policy)
    cloud.call("iam", "delete_role", RoleName=role)


def _delete_distribution(cloud: Cloud, which: str) -> None:
    """Disable a distribution, which takes CloudFront some minutes, or delete a disabled one."""
    found = cloud.call("cloudfront", "get_distribution_config", Id=which)
    if found["DistributionConfig"]["Enabled"]:
        config = {**found["DistributionConfig"], "Enabled": False}
        changed = cloud.call(
            "cloudfront",
            "update_distribution",
            Id=which,
            IfMatch=found["ETag"],
            DistributionConfig=config,
        )
        found = {"ETag": changed["ETag"]}
    cloud.call("cloudfront", "delete_distribution", Id=which, IfMatch=found["ETag"])


def _delete_access(cloud: Cloud, which: str) -> None:
    found = cloud.call("cloudfront", "get_origin_access_control", Id=which)
    cloud.call("cloudfront", "delete_origin_access_control", Id=which, IfMatch=found["ETag"])


def _by(service: str, operation: str, parameter: str, **more: str) -> Callable[[Cloud, str], Any]:
    """Return a deletion that is one call with one name in it."""
    return lambda cloud, name: cloud.call(service, operation, **{parameter: name}, **more)


def _jobs(sort: Sort) -> Kind:
    return Kind(
        sort.title,
        lambda cloud, names: job_inventory.found(cloud, names, sort, tagged),
        lambda cloud, name: job_inventory.end(cloud, sort, name),
    )


JOBS = {sort: _jobs(sort) for sort in (TRAINING, TRANSFORM)}
"""What bills as long as it is at work."""

BILLERS = Kind("endpoint", _endpoints, _by("sagemaker", "delete_endpoint", "EndpointName"))
"""What bills while nobody asks."""

KINDS = (
    BILLERS,
    *JOBS.values(),
    Kind("stack", _stacks, _by("cloudformation", "delete_stack", "StackName")),
    Kind("HTTP API", _apis, _by("apigatewayv2", "delete_api", "ApiId")),
    Kind("function", _functions, _by("lambda", "delete_function", "FunctionName")),
    Kind("layer", _layers, _delete_layer),
    Kind(
        "endpoint configuration",
        _configs,
        _by("sagemaker", "delete_endpoint_config", "EndpointConfigName"),
    ),
    Kind("model", _models, _by("sagemaker", "delete_model", "ModelName")),
    Kind("distribution", _distributions, _delete_distribution),
    Kind("origin access control", _accesses, _delete_access),
    Kind("schedule", _schedules, _by("scheduler", "delete_schedule", "Name", GroupName="default")),
    Kind("log group", _logs, _by("logs", "delete_log_group", "logGroupName")),
    Kind("bucket", _buckets, _delete_bucket),
    Kind("role", _roles, _delete_role),
)
"""Everything that marfa can make, what bills by the hour first, and what others need last."""
