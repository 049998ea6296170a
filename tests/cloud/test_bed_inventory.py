"""The bed's census and its lookalikes: is nothing overlooked, and does nothing get taken for ours?"""

import pytest
from tests.cloud.aws import ACCOUNT, REGION
from tests.cloud.inventory import everything
from tests.cloud.lookalikes import lookalikes

from marfa.aws.names import TAG, Names

NAMES = Names("soup", REGION, ACCOUNT)


@pytest.fixture
def alike(bed):
    return lookalikes(bed.session(), NAMES)


def kinds(lines):
    known = (
        *("stack", "bucket", "object", "upload", "role", "role policy", "function"),
        *("layer version", "log group", "api", "route", "stage", "rest api", "schedule", "model"),
        *("endpoint config", "endpoint", "distribution", "origin access control"),
    )
    return {kind for kind in known if any(line.startswith(f"{kind} ") for line in lines)}, set(
        known
    )


def test_an_empty_account_has_nothing(bed):
    assert everything(bed.session()) == set()


def test_there_are_lookalikes_of_every_kind(alike, bed):
    found, known = kinds(alike)
    assert found == known
    assert len(alike) >= 50
    assert everything(bed.session()) == alike


def test_no_lookalike_has_a_name_that_only_ours_can_have(alike):
    ours = {
        *(f"stack {name}" for name in (NAMES.live, NAMES.base)),
        *(f"{kind} {NAMES.one}" for kind in ("function", "endpoint")),
        f"schedule default/{NAMES.one}",
        *(f"log group {name}" for name in (NAMES.function_log, NAMES.endpoint_log)),
        *(f"role {NAMES.role(who)}" for who in ("answer", "proxy", "scheduler", "execution")),
    }
    assert not ours & alike


def test_only_what_is_in_another_region_or_group_carries_our_tag(alike, bed):
    session = bed.session()
    assert TAG not in str(NAMES.deployment)
    tagged = [
        each["RoleName"]
        for each in session.client("iam").list_roles()["Roles"]
        if {"Key": TAG, "Value": NAMES.deployment}
        in session.client("iam").list_role_tags(RoleName=each["RoleName"])["Tags"]
    ]
    assert sorted(tagged) == [
        *("marfa-soup-eu-west-3-answer", "marfa-soup-eu-west-3-service"),
        "xmarfa-soup-eu-west-1-proxy",
    ]
    for api in session.client("apigatewayv2").get_apis()["Items"]:
        assert api.get("Tags", {}).get(TAG) != NAMES.deployment
    for function in session.client("lambda").list_functions()["Functions"]:
        tags = session.client("lambda").list_tags(Resource=function["FunctionArn"])["Tags"]
        assert tags.get(TAG) != NAMES.deployment


def test_the_census_sees_versions_markers_and_uploads(bed):
    s3 = bed.session().client("s3")
    s3.create_bucket(Bucket="soup", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="soup", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="soup", Key="hot", Body=b"1")
    s3.put_object(Bucket="soup", Key="hot", Body=b"2")
    s3.delete_object(Bucket="soup", Key="hot")
    s3.create_multipart_upload(Bucket="soup", Key="half")
    s3.create_multipart_upload(Bucket="soup", Key="half")
    lines = everything(bed.session())
    assert sorted(line.split("#")[0].strip() for line in lines) == [
        *("bucket soup", "delete marker soup/hot", "object soup/hot", "object soup/hot"),
        *("upload soup/half", "upload soup/half"),
    ]
