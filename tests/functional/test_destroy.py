"""destroy: what bills first, from any machine, and nothing of anybody else's."""

import pytest
from tests.cloud.aws import ACCOUNT, REGION
from tests.cloud.deploying import account, bed, put, world
from tests.cloud.inventory import everything
from tests.cloud.lookalikes import lookalikes
from tests.cloud.recorder import Recorder

from marfa.aws.names import Names
from marfa.errors import LeftOverError, SettingsError
from marfa.stages.destroy import destroy

__all__ = ["account", "bed", "put", "world"]

NAMES = Names("soup", REGION, ACCOUNT)


@pytest.mark.parametrize("target", ["lambda", "serverless", "endpoint"])
@pytest.mark.parametrize("site", [False, True])
def test_nothing_is_left(bed, put, model_path, target, site):
    put(model_path, target=target, site=site)
    result = destroy("soup", cloud=bed.cloud())
    assert result["left"] == []
    assert {each["kind"] for each in result["deleted"]} >= {"stack", "bucket", "function", "role"}
    assert everything(bed.session()) == set()


def test_what_looks_like_ours_and_is_not_stands_untouched(bed, put, model_path):
    foreign = lookalikes(bed.session(), NAMES)
    assert len(foreign) >= 50
    put(model_path, target="endpoint", site=True)
    destroy("soup", cloud=bed.cloud())
    assert everything(bed.session()) == set(foreign)


def test_a_second_deployment_stays(bed, put, model_path):
    put(model_path, deployment="soup-2")
    before = everything(bed.session())
    put(model_path)
    destroy("soup", cloud=bed.cloud())
    assert everything(bed.session()) == before


def test_what_is_not_there_is_destroyed_at_once(bed):
    assert destroy("soup", cloud=bed.cloud())["deleted"] == []


def test_twice_is_once(bed, put, model_path):
    put(model_path)
    destroy("soup", cloud=bed.cloud())
    assert destroy("soup", cloud=bed.cloud())["left"] == []


def test_the_endpoint_goes_before_anything_else(bed, put, model_path):
    put(model_path, target="endpoint")
    session = bed.session()
    recorder = Recorder(session)
    destroy("soup", cloud=bed.cloud(session))
    deleting = [call.operation for call in recorder.calls if call.operation.startswith("delete")]
    assert deleting[0] == "delete_endpoint"


def test_a_bucket_with_versions_and_half_uploads_goes_too(bed, put, model_path):
    put(model_path)
    session = bed.session()
    s3 = session.client("s3")
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket=bucket, Key="mine", Body=body)
    s3.delete_object(Bucket=bucket, Key="mine")
    s3.create_multipart_upload(Bucket=bucket, Key="half")
    destroy("soup", cloud=bed.cloud())
    assert everything(session) == set()


def test_roles_that_somebody_deleted_first_are_made_again_to_delete_the_rest(bed, put, model_path):
    put(model_path)
    session = bed.session()
    s3 = session.client("s3")
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    for each in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=each["Key"])
    session.client("cloudformation").delete_stack(StackName=NAMES.base)
    bed.settle()
    destroy("soup", cloud=bed.cloud())
    assert everything(session) == set()


@pytest.mark.parametrize("lost", ["base deleted in the console", "one role"])
def test_what_somebody_broke_by_hand_is_taken_down_all_the_same(bed, put, model_path, lost):
    put(model_path)
    session = bed.session()
    if lost == "one role":
        role = NAMES.role("service")
        iam = session.client("iam")
        iam.delete_role_policy(RoleName=role, PolicyName="service")
        iam.delete_role(RoleName=role)
    else:  # its roles go, and its bucket, which is not empty, stays
        session.client("cloudformation").delete_stack(StackName=NAMES.base)
        bed.settle()
    destroy("soup", cloud=bed.cloud())
    assert everything(session) == set()


def test_what_no_stack_holds_any_more_is_swept_up(bed, put, model_path):
    put(model_path, target="endpoint")
    destroy("soup", cloud=bed.cloud())
    session = bed.session()
    session.client("logs").create_log_group(
        logGroupName=NAMES.function_log, tags={"marfa:deployment": "soup"}
    )
    session.client("apigatewayv2").create_api(
        Name="marfa-soup", ProtocolType="HTTP", Tags={"marfa:deployment": "soup"}
    )
    result = destroy("soup", cloud=bed.cloud())
    assert {each["kind"] for each in result["swept"]} == {"log group", "HTTP API"}
    assert everything(session) == set()


def test_what_cannot_be_deleted_is_named(bed, put, model_path):
    put(model_path)
    bed.conduct.fail("AWS::Lambda::Function", "delete", times=9)
    with pytest.raises(LeftOverError, match=r"left: .*function marfa-soup") as caught:
        destroy("soup", cloud=bed.cloud())
    assert caught.value.exit_code == 5
    bed.conduct.reset(bed.clock)
    assert destroy("soup", cloud=bed.cloud())["left"] == []
    assert everything(bed.session()) == set()


@pytest.mark.parametrize("name", ["", "*", "Soup", "soup*", "../soup"])
def test_a_name_that_could_mean_more_is_refused(bed, name):
    with pytest.raises(SettingsError):
        destroy(name, cloud=bed.cloud())
