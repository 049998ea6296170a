"""The bed that deploying and destroying are proved on: is it an account, and does all of it exist?"""

import json
import time

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.cloud import sample
from tests.cloud.aws import ACCOUNT, REGION
from tests.cloud.emulated import TYPES, skipped
from tests.cloud.inventory import blurred, everything

from marfa.aws import type_rights
from marfa.errors import CloudError, GoneError

# What there is


def test_every_type_of_marfas_is_made_here():
    assert set(type_rights.BY_TYPE) | set(type_rights.BASE_TYPES) <= set(TYPES)


def test_the_sample_has_every_type():
    assert {each["Type"] for each in sample.RESOURCES.values()} == set(TYPES)


def test_every_type_is_made_twice_and_deleted_twice_and_nothing_is_left(desk):
    before = everything(desk.session)
    made = []
    for _ in range(2):
        assert desk.make(sample.whole())["StackStatus"] == "CREATE_COMPLETE", desk.reasons()
        assert skipped(desk.session, "soup") == []
        made.append(everything(desk.session) - before)
        assert desk.remove()["StackStatus"] == "DELETE_COMPLETE"
        assert everything(desk.session) == before
    assert blurred(made[0]) == blurred(made[1])
    kinds = {line.rpartition(" ")[0].split(" #")[0] for line in blurred(made[0])}
    assert kinds >= {
        *("stack", "bucket", "bucket policy", "role", "role policy", "function", "permission"),
        *("log group", "schedule", "model", "endpoint config", "endpoint"),
    }
    assert {"api soup #", "layer version soup-numpy #", "distribution whose=soup #"} <= set(
        blurred(made[0])
    )


def test_everything_arrives_as_it_was_written(desk):
    stack = desk.make(sample.whole())
    function = desk.of("lambda", "get_function", FunctionName="soup")
    assert function["Concurrency"]["ReservedConcurrentExecutions"] == 5
    assert function["Tags"] == {"whose": "soup"}
    assert function["Configuration"]["Architectures"] == ["arm64"]
    assert function["Configuration"]["MemorySize"] == 512
    assert function["Configuration"]["Layers"][0]["Arn"].endswith(":layer:soup-numpy:1")
    group = desk.of("logs", "describe_log_groups")["logGroups"][0]
    assert (group["logGroupName"], group["retentionInDays"]) == ("/aws/lambda/soup", 14)
    arn = group["arn"].removesuffix(":*")
    tags = desk.of("logs", "list_tags_for_resource", resourceArn=arn)
    assert tags["tags"] == {"whose": "soup"}
    endpoint = desk.of("sagemaker", "describe_endpoint", EndpointName="soup")
    assert endpoint["EndpointConfigName"] == "soup-1"
    tags = desk.of("sagemaker", "list_tags", ResourceArn=endpoint["EndpointArn"])
    assert tags["Tags"] == sample.TAGS
    lease = desk.of("scheduler", "get_schedule", Name="soup")
    assert json.loads(lease["Target"]["Input"]) == {"StackName": stack["StackId"]}
    assert lease["StartDate"].isoformat().startswith("2027-01-01T14:00")
    told = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    api = desk.of("apigatewayv2", "get_apis")["Items"][0]
    assert told["Url"] == api["ApiEndpoint"]
    rules = desk.of("s3", "get_bucket_lifecycle_configuration", Bucket=told["Bucket"])["Rules"]
    assert rules[0]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_a_stack_tells_what_it_was_made_of(desk):
    template = sample.only("Role", "Lease")
    stack = desk.make(template)
    assert stack["Tags"] == sample.TAGS
    assert stack["Parameters"] == [
        {"ParameterKey": "End", "ParameterValue": "2027-01-01T14:00:00Z"}
    ]
    assert desk.client.get_template(StackName="soup")["TemplateBody"] == template
    found = desk.client.describe_stack_resources(StackName="soup")["StackResources"]
    assert {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found} == {
        "Lease": "soup",
        "Role": "soup-role",
    }
    summaries = desk.client.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
    assert [each["StackName"] for each in summaries] == ["soup"]


def test_types_that_are_not_made_are_listed_and_not_counted(desk):
    template = sample.only("Log")
    template["Resources"]["Budget"] = sample.one("AWS::Budgets::Budget", {"Budget": {}})
    assert desk.make(template)["StackStatus"] == "CREATE_COMPLETE"
    assert skipped(desk.session, "soup") == ["AWS::Budgets::Budget"]


# The account around it


def test_a_schedule_does_what_it_is_for_when_its_time_has_come(desk):
    before = everything(desk.session)
    desk.make(sample.whole())
    assert desk.bed.lapse() == []
    desk.bed.clock.sleep(2 * 3600)
    assert desk.bed.lapse() == [("cloudformation:delete_stack", "")]
    desk.bed.settle()
    assert everything(desk.session) == before
    assert desk.bed.lapse() == []


def test_the_clock_goes_on_only_while_somebody_waits(bed):
    cloud = bed.cloud()
    began = time.monotonic()
    cloud.sleep(3600)
    assert time.monotonic() - began < 1
    assert (cloud.now() - bed.clock.moment).total_seconds() == 0
    assert bed.clock.slept == [3600]


def test_marfas_door_opens_here(bed):
    cloud = bed.cloud()
    assert (cloud.account, cloud.region, cloud.partition) == (ACCOUNT, REGION, "aws")
    with pytest.raises(GoneError):
        cloud.call("cloudformation", "describe_stacks", StackName="soup")
    with pytest.raises(CloudError, match="does not exist"):
        cloud.call("cloudformation", "update_stack", StackName="soup", TemplateBody="{}")


def test_the_environment_alone_leads_here(bed):
    bed.session().client("logs").create_log_group(logGroupName="/here")
    found = boto3.Session().client("logs").describe_log_groups()["logGroups"]
    assert [each["logGroupName"] for each in found] == ["/here"]


def test_a_reset_empties_the_account_at_once(bed):
    began = time.monotonic()
    for _ in range(20):
        bed.session().client("logs").create_log_group(logGroupName="/here")
        bed.conduct.pace = 1
        bed.reset()
        assert bed.session().client("logs").describe_log_groups()["logGroups"] == []
    assert time.monotonic() - began < 5
    assert bed.conduct.pace != 1


def test_other_regions_are_other_places(bed):
    here, there = bed.session(), bed.session("eu-west-3")
    for session in (here, there):
        session.client("cloudformation").create_stack(**sample.wanted(sample.only("Log")))
    bed.settle()
    here.client("cloudformation").delete_stack(StackName="soup")
    bed.settle()
    assert (everything(here), len(everything(there))) == (set(), 2)


def test_the_accounts_limits_can_be_asked_for_and_are_kept(desk):
    desk.bed.quotas.values["sagemaker", "L-1"] = ("ml.t2.medium for endpoint usage", 2)
    quota = desk.of("service-quotas", "get_service_quota", ServiceCode="sagemaker", QuotaCode="L-1")
    assert quota["Quota"]["Value"] == 2.0
    listed = desk.of("service-quotas", "list_service_quotas", ServiceCode="sagemaker")
    assert [each["QuotaName"] for each in listed["Quotas"]] == ["ml.t2.medium for endpoint usage"]
    with pytest.raises(ClientError, match="NoSuchResource"):
        desk.of("service-quotas", "get_service_quota", ServiceCode="lambda", QuotaCode="L-1")
    desk.bed.quotas.concurrency = 10
    settings = desk.of("lambda", "get_account_settings")
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 10
    assert desk.make(sample.whole())["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("ReservedConcurrentExecutions" in each for each in desk.reasons())
