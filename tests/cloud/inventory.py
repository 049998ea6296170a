"""A census of the account: every thing of every kind that marfa can make, whoever made it.

It is written without a look at marfa's own, so that the one can prove the other. A line is a kind and a
name; what AWS names by number has its number in it, since two of them may share a name.
"""

import re

from botocore.exceptions import ClientError

SHARED = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs")
"""Log groups of all jobs of an account, which SageMaker makes and which are nobody's."""

_MADE_UP = re.compile(r"(?<=-)[a-z0-9]{12}\b|(?<=-)20[0-9]{12}(?=-)|(?<=-)1[0-9]{9}\b")
_NUMBERED = re.compile(r"#\S+")


def everything(session):
    """Return one line, "kind name", for everything there is in the session's account and region.

    Args:
        session: a boto3 session that nobody listens to.
    """
    return {line for kind in KINDS for line in kind(session)}


def blurred(lines):
    """Return lines without what AWS chooses anew each time, sorted; two of a kind stay two.

    For comparing what two runs have made.

    >>> blurred({"bucket soup-base-bucket-0123456789ab", "api soup #x1", "api soup #x2"})
    ['api soup #', 'api soup #', 'bucket soup-base-bucket-*']
    """
    return sorted(_NUMBERED.sub("#", _MADE_UP.sub("*", line)) for line in lines)


def _pages(client, operation, key, **parameters):
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page.get(key) or []


def stacks(session):
    for each in _pages(session.client("cloudformation"), "list_stacks", "StackSummaries"):
        if each["StackStatus"] != "DELETE_COMPLETE":
            yield f"stack {each['StackName']}"


def buckets(session):
    s3 = session.client("s3")
    for each in s3.list_buckets()["Buckets"]:
        bucket = each["Name"]
        yield f"bucket {bucket}"
        listed = s3.list_object_versions(Bucket=bucket)
        for word, kind in (("Versions", "object"), ("DeleteMarkers", "delete marker")):
            for found in listed.get(word, []):
                yield f"{kind} {bucket}/{found['Key']} #{found['VersionId']}"
        for found in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            yield f"upload {bucket}/{found['Key']} #{found['UploadId']}"
        try:
            s3.get_bucket_policy(Bucket=bucket)
        except ClientError:
            continue
        yield f"bucket policy {bucket}"


def roles(session):
    iam = session.client("iam")
    for each in _pages(iam, "list_roles", "Roles"):
        role = each["RoleName"]
        yield f"role {role}"
        for policy in _pages(iam, "list_role_policies", "PolicyNames", RoleName=role):
            yield f"role policy {role}/{policy}"
        attached = _pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role)
        for policy in attached:
            yield f"attached policy {role}/{policy['PolicyName']}"


def functions(session):
    client = session.client("lambda")
    for each in _pages(client, "list_functions", "Functions"):
        function = each["FunctionName"]
        yield f"function {function}"
        try:
            policy = client.get_policy(FunctionName=function)["Policy"]
        except ClientError:
            continue
        for sid in re.findall(r'"Sid": ?"([^"]+)"', policy):
            yield f"permission {function}/{sid}"


def layers(session):
    client = session.client("lambda")
    for each in _pages(client, "list_layers", "Layers"):
        layer = each["LayerName"]
        for version in _pages(client, "list_layer_versions", "LayerVersions", LayerName=layer):
            yield f"layer version {layer} #{version['Version']}"


def log_groups(session):
    client = session.client("logs")
    for each in _pages(client, "describe_log_groups", "logGroups"):
        group = each["logGroupName"]
        if group not in SHARED:
            yield f"log group {group}"
            continue
        for stream in _pages(client, "describe_log_streams", "logStreams", logGroupName=group):
            yield f"log stream {group}/{stream['logStreamName']}"


def apis(session):
    client = session.client("apigatewayv2")
    for each in client.get_apis()["Items"]:
        api, name = each["ApiId"], f"{each['Name']} #{each['ApiId']}"
        yield f"api {name}"
        for found in client.get_routes(ApiId=api)["Items"]:
            yield f"route {name}/{found['RouteKey']}"
        for found in client.get_integrations(ApiId=api)["Items"]:
            yield f"integration {name}/{found['IntegrationId']}"
        for found in client.get_stages(ApiId=api)["Items"]:
            yield f"stage {name}/{found['StageName']}"


def rest_apis(session):
    for each in session.client("apigateway").get_rest_apis()["items"]:
        yield f"rest api {each['name']} #{each['id']}"


def schedules(session):
    for each in _pages(session.client("scheduler"), "list_schedules", "Schedules"):
        yield f"schedule {each['GroupName']}/{each['Name']}"


def sagemaker(session):
    client = session.client("sagemaker")
    for kind, operation, key in (
        ("model", "list_models", "Model"),
        ("endpoint config", "list_endpoint_configs", "EndpointConfig"),
        ("endpoint", "list_endpoints", "Endpoint"),
    ):
        for each in _pages(client, operation, f"{key}s"):
            yield f"{kind} {each[f'{key}Name']}"


def jobs(session):
    client = session.client("sagemaker")
    for each in _pages(client, "list_training_jobs", "TrainingJobSummaries"):
        yield f"training job {each['TrainingJobName']}"
    for each in _pages(client, "list_transform_jobs", "TransformJobSummaries"):
        if each["TransformJobStatus"] in {"InProgress", "Stopping"}:  # of others AWS keeps a note
            yield f"transform job {each['TransformJobName']}"


def cloudfront(session):
    client = session.client("cloudfront")
    for each in client.list_distributions()["DistributionList"].get("Items", []):
        yield f"distribution {each['Comment']} #{each['Id']}"
    found = client.list_origin_access_controls()["OriginAccessControlList"]
    for each in found.get("Items", []):
        yield f"origin access control {each['Name']} #{each['Id']}"


KINDS = (
    *(stacks, buckets, roles, functions, layers, log_groups, apis, rest_apis, schedules),
    *(sagemaker, jobs, cloudfront),
)
