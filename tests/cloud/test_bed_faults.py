"""The bed's faults: does each do what it says, to a service of each of AWS's protocols?"""

import io
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import cfnlint
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from tests.cloud import inventory, sample
from tests.cloud.actions import SERVICES, action_of, operations
from tests.cloud.faults import KINDS, Faults, PowerCut
from tests.cloud.recorder import Recorder

from marfa.errors import GoneError, NetworkError, NotPermittedError


class Deed(NamedTuple):
    """A call that leaves a line in the census."""

    service: str
    operation: str
    params: dict[str, Any]
    census: Any
    line: str

    def is_done(self, bed):
        return self.line in set(self.census(bed.session()))

    def do(self, session):
        return getattr(session.client(self.service), self.operation)(**self.params)


DEEDS = {
    "query": Deed(
        "cloudformation",
        "create_stack",
        sample.wanted(sample.only("Log")),
        inventory.stacks,
        "stack soup",
    ),
    "rest-xml": Deed(
        "s3",
        "create_bucket",
        {"Bucket": "soup", "CreateBucketConfiguration": sample.PLACE},
        inventory.buckets,
        "bucket soup",
    ),
    "json": Deed(
        "logs", "create_log_group", {"logGroupName": "soup"}, inventory.log_groups, "log group soup"
    ),
    "rest-json": Deed(
        "scheduler",
        "create_schedule",
        {
            "Name": "soup",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": "rate(5 minutes)",
            "Target": {
                "Arn": "arn:aws:scheduler:::aws-sdk:sts:getCallerIdentity",
                "RoleArn": sample.ROLE,
            },
        },
        inventory.schedules,
        "schedule default/soup",
    ),
}
RAISED = {
    "die-before": PowerCut,
    "die-after": PowerCut,
    "throttle": ClientError,
    "error500": ClientError,
    "denied": ClientError,
    "timeout": ReadTimeoutError,
    "timeout-before": ConnectTimeoutError,
}
CODES = {
    "throttle": {"Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown"},
    "error500": {"InternalFailure", "InternalError", "InternalServerException"},
    "denied": {"AccessDenied", "AccessDeniedException"},
}
ARRIVES = {"die-after", "timeout"}


@pytest.fixture(params=DEEDS, ids=DEEDS)
def deed(request):
    return DEEDS[request.param]


def test_there_is_a_deed_for_each_protocol(bed):
    session = bed.session()
    found = {
        name: session.client(deed.service).meta.service_model.resolved_protocol
        for name, deed in DEEDS.items()
    }
    assert found == {name: name for name in DEEDS}
    assert set(RAISED) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_does_what_it_says(bed, deed, kind):
    session = bed.session()
    faults = Faults(session, 2, kind)
    began = time.monotonic()
    session.client("sts").get_caller_identity()  # nothing befalls the first call
    with pytest.raises(RAISED[kind]) as caught:
        deed.do(session)
    assert faults.fired
    assert deed.is_done(bed) is (kind in ARRIVES)
    assert faults.names == [("sts", "get_caller_identity"), (deed.service, deed.operation)]
    assert time.monotonic() - began < 5  # though botocore has tried again
    if kind in CODES:
        answer = caught.value.response
        assert answer["Error"]["Code"] in CODES[kind]
        assert answer["ResponseMetadata"]["RetryAttempts"] == (0 if kind == "denied" else 2)
    if kind == "denied":
        assert action_of(deed.service, deed.operation) in answer["Error"]["Message"]


@pytest.mark.parametrize("kind", ["die-before", "die-after"])
def test_nothing_that_a_dead_process_would_still_do_happens(bed, deed, kind):
    session = bed.session()
    faults = Faults(session, 1, kind)
    with pytest.raises(PowerCut):
        deed.do(session)
    with pytest.raises(PowerCut):  # such as what stands in a `finally`
        session.client("logs").create_log_group(logGroupName="tidied-up")
    assert len(faults.calls) == 1
    assert "log group tidied-up" not in set(inventory.log_groups(bed.session()))


@pytest.mark.parametrize("kind", ["throttle", "error500", "timeout-before"])
def test_what_passes_by_itself_is_survived_and_counts_once(bed, deed, kind):
    session = bed.session()
    faults = Faults(session, 1, kind, transient=True)
    began = time.monotonic()
    deed.do(session)
    assert faults.fired
    assert len(faults.calls) == 1
    assert deed.is_done(bed)
    assert time.monotonic() - began < 5


def test_nobody_waits_for_the_tries(bed):
    began = time.monotonic()
    for _ in range(6):
        session = bed.session()
        Faults(session, 1, "throttle")
        with pytest.raises(ClientError, match="Rate exceeded"):
            session.client("logs").describe_log_groups()
    assert time.monotonic() - began < 3  # by itself botocore would wait a second and a half each


def test_a_second_try_after_a_lost_answer_finds_the_work_done(bed, deed):
    session = bed.session()
    Faults(session, 1, "timeout", transient=True)
    with pytest.raises(ClientError, match=r"(?i)exist|already"):
        deed.do(session)
    assert deed.is_done(bed)


def test_without_a_number_nothing_fails(bed, deed):
    session = bed.session()
    faults = Faults(session)
    deed.do(session)
    assert not faults.fired
    assert faults.names == [(deed.service, deed.operation)]


def test_a_fault_beyond_the_last_call_is_seen_not_to_have_fired(bed, deed):
    session = bed.session()
    faults = Faults(session, 2, "die-before")
    deed.do(session)
    assert not faults.fired


@pytest.mark.parametrize(
    ("kind", "code"), [("throttle", "503"), ("error500", "500"), ("denied", "403")]
)
def test_an_answer_without_a_body_says_its_status_alone(bed, kind, code):
    session = bed.session()
    Faults(session, 1, kind)
    with pytest.raises(ClientError) as caught:
        session.client("s3").head_object(Bucket="soup", Key="hot")
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"timeout-before"}))
def test_marfa_meets_each_fault_as_an_error_of_its_own(bed, deed, kind):
    """A line that cannot be connected is not among them: what marfa makes of it is its door's to say."""
    session = bed.session()
    Faults(session, 1, kind)
    wanted = {"denied": NotPermittedError, "die-before": PowerCut, "die-after": PowerCut}
    with pytest.raises(wanted.get(kind, NetworkError)):
        bed.cloud(session).call(deed.service, deed.operation, **deed.params)


def test_a_body_that_is_a_file_arrives_whole_though_its_answer_is_lost(bed):
    bed.session().client("s3").create_bucket(Bucket="soup", CreateBucketConfiguration=sample.PLACE)
    session = bed.session()
    Faults(session, 1, "timeout", transient=True)
    body = io.BytesIO(b"x" * 300_000)
    session.client("s3").put_object(Bucket="soup", Key="hot", Body=body)
    found = bed.session().client("s3").head_object(Bucket="soup", Key="hot")
    assert found["ContentLength"] == 300_000


# Writing down


def test_every_call_is_written_down_as_it_was_made(bed):
    session = bed.session()
    recorder = Recorder(session)
    cloud = bed.cloud(session)
    cloud.call("logs", "create_log_group", logGroupName="/hot")
    list(cloud.pages("logs", "describe_log_groups", logGroupNamePrefix="/hot"))
    with pytest.raises(GoneError):
        cloud.call("sagemaker", "describe_endpoint", EndpointName="soup")
    assert recorder.calls == [
        ("logs", "create_log_group", {"logGroupName": "/hot"}),
        ("logs", "describe_log_groups", {"logGroupNamePrefix": "/hot"}),
        ("sagemaker", "describe_endpoint", {"EndpointName": "soup"}),
    ]
    assert recorder.actions == {
        *("logs:CreateLogGroup", "logs:DescribeLogGroups", "sagemaker:DescribeEndpoint"),
    }


def test_a_call_that_aws_does_not_have_is_refused_and_not_written_down(bed):
    session = bed.session()
    recorder = Recorder(session)
    client = session.client("logs", config=Config(parameter_validation=False))
    with pytest.raises(AssertionError, match="Colour"):
        client.create_log_group(logGroupName="/hot", Colour="red")
    assert recorder.calls == []


def test_whoever_watches_sees_each_call_once_it_is_answered(bed):
    session, seen = bed.session(), []

    def watch(call):
        client = session.client("logs")  # of the same session: it is not asked about its own calls
        seen.append((call.operation, len(client.describe_log_groups()["logGroups"])))

    Recorder(session, watch)
    cloud = bed.cloud(session)
    cloud.call("logs", "create_log_group", logGroupName="/hot")
    cloud.call("logs", "delete_log_group", logGroupName="/hot")
    assert seen == [("create_log_group", 1), ("delete_log_group", 0)]


def test_what_a_watch_raises_the_caller_gets(bed):
    session = bed.session()

    def watch(call):
        message = f"{call.operation} broke what must hold"
        raise AssertionError(message)

    Recorder(session, watch)
    with pytest.raises(AssertionError, match="broke what must hold"):
        bed.cloud(session).call("logs", "create_log_group", logGroupName="/hot")


# Actions

_LISTED = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json"


_NEWER = {
    *("delete_durable_execution", "pause_durable_execution", "resume_durable_execution"),
    *("list_directory_buckets", "rename_object", "create_session", "write_get_object_response"),
}
"""Operations of S3 and Lambda that cfn-lint's list has no action for; marfa uses none of them."""


def unknown_actions(service):
    known = json.loads(_LISTED.read_text())
    found = {operation: action_of(service, operation).lower() for operation in operations(service)}
    return {
        operation
        for operation, action in found.items()
        if action.split(":")[1] not in known[action.split(":")[0]]["Actions"]
    }


@pytest.mark.parametrize(
    "service", ["apigatewayv2", "lambda", "s3", "sagemaker-runtime", "service-quotas"]
)
def test_where_actions_are_called_otherwise_iam_knows_each(service):
    assert unknown_actions(service) <= _NEWER


@pytest.mark.parametrize("service", SERVICES)
def test_nearly_all_actions_are_known_to_a_list_that_is_older(service):
    assert len(unknown_actions(service)) <= len(operations(service)) / 8


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("s3", "head_object", "s3:GetObject"),
        ("s3", "head_bucket", "s3:ListBucket"),
        ("s3", "list_objects_v2", "s3:ListBucket"),
        ("s3", "list_object_versions", "s3:ListBucketVersions"),
        ("s3", "list_multipart_uploads", "s3:ListBucketMultipartUploads"),
        ("s3", "create_multipart_upload", "s3:PutObject"),
        ("s3", "upload_part", "s3:PutObject"),
        ("s3", "complete_multipart_upload", "s3:PutObject"),
        ("s3", "abort_multipart_upload", "s3:AbortMultipartUpload"),
        ("s3", "list_parts", "s3:ListMultipartUploadParts"),
        ("s3", "delete_objects", "s3:DeleteObject"),
        ("s3", "list_buckets", "s3:ListAllMyBuckets"),
        ("lambda", "invoke", "lambda:InvokeFunction"),
        ("apigatewayv2", "create_api", "apigateway:POST"),
        ("apigatewayv2", "delete_api", "apigateway:DELETE"),
        ("sagemaker-runtime", "invoke_endpoint", "sagemaker:InvokeEndpoint"),
        ("service-quotas", "get_service_quota", "servicequotas:GetServiceQuota"),
        ("cloudformation", "describe_stacks", "cloudformation:DescribeStacks"),
        ("sts", "get_caller_identity", "sts:GetCallerIdentity"),
    ],
)
def test_a_call_needs_the_action_that_iam_asks_for(service, operation, action):
    assert action_of(service, operation) == action


def test_a_service_that_marfa_has_no_business_with_has_no_action():
    with pytest.raises(KeyError, match="marfa should not call it"):
        action_of("ec2", "describe_instances")
