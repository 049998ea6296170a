"""The bed's CloudFormation: does it change, fail, take back and refuse as AWS's does?"""

import json

import pytest
from botocore.exceptions import ClientError
from tests.cloud import sample
from tests.cloud.aws import ACCOUNT
from tests.cloud.desk import refusal
from tests.cloud.emulated import TYPES
from tests.cloud.inventory import everything

# How it changes


def test_what_can_change_in_place_does(desk):
    desk.make(sample.whole())
    template = sample.whole()
    wanted = {name: each["Properties"] for name, each in template["Resources"].items()}
    wanted["Function"] |= {"MemorySize": 1024, "Environment": {"Variables": {"HOT": "no"}}}
    del wanted["Function"]["ReservedConcurrentExecutions"]
    wanted["Log"] |= {"RetentionInDays": 30, "Tags": [{"Key": "whose", "Value": "theirs"}]}
    wanted["Integration"]["TimeoutInMillis"] = 20_000
    wanted["Stage"]["DefaultRouteSettings"]["ThrottlingRateLimit"] = 3
    del wanted["Api"]["CorsConfiguration"]
    wanted["Role"]["Policies"][0]["PolicyName"] = "fewer"
    wanted["Access"]["OriginAccessControlConfig"]["Description"] = "other"
    wanted["Distribution"]["DistributionConfig"]["Comment"] = "other"
    before = everything(desk.session)
    stack = desk.change(template, End="2027-01-02T00:00:00Z")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", desk.reasons()
    assert everything(desk.session) - before == {
        "role policy soup-role/fewer",
        *(
            line.replace("whose=soup", "other")
            for line in before
            if line.startswith("distribution")
        ),
    }
    function = desk.of("lambda", "get_function", FunctionName="soup")
    assert (function["Configuration"]["MemorySize"], "Concurrency" in function) == (1024, False)
    group = desk.of("logs", "describe_log_groups")["logGroups"][0]
    assert group["retentionInDays"] == 30
    lease = desk.of("scheduler", "get_schedule", Name="soup")
    assert lease["StartDate"].isoformat().startswith("2027-01-02")
    api = desk.of("apigatewayv2", "get_apis")["Items"][0]
    assert "CorsConfiguration" not in api
    stage = desk.of("apigatewayv2", "get_stage", ApiId=api["ApiId"], StageName="$default")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 3


def test_a_new_name_is_a_new_thing_and_the_old_one_goes_last(desk):
    desk.make(sample.whole())
    template = sample.whole()
    template["Resources"]["Model"]["Properties"]["ModelName"] = "soup-2"
    template["Resources"]["Config"]["Properties"]["EndpointConfigName"] = "soup-2"
    before = everything(desk.session)
    assert desk.change(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert everything(desk.session) - before == {"model soup-2", "endpoint config soup-2"}
    assert before - everything(desk.session) == {"model soup-1", "endpoint config soup-1"}
    endpoint = desk.of("sagemaker", "describe_endpoint", EndpointName="soup")
    assert endpoint["EndpointConfigName"] == "soup-2"
    said = [(each["ResourceStatus"], each["LogicalResourceId"]) for each in desk.events()]
    said.reverse()
    assert said.index(("UPDATE_COMPLETE", "Endpoint")) < said.index(("DELETE_COMPLETE", "Config"))


def test_the_same_name_cannot_stand_for_a_new_thing(desk):
    first = desk.make(sample.whole())
    template = sample.whole()
    container = template["Resources"]["Model"]["Properties"]["PrimaryContainer"]
    container["Image"] = "images/soup:2"
    template["Resources"]["Function"]["Properties"]["MemorySize"] = 1024
    before = everything(desk.session)
    stack = desk.change(template, End="2027-01-02T00:00:00Z")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("Rename soup-1 and update the stack again" in each for each in desk.reasons())
    assert everything(desk.session) == before
    function = desk.of("lambda", "get_function", FunctionName="soup")
    assert function["Configuration"]["MemorySize"] == 512
    assert stack["Parameters"] == first["Parameters"]
    assert desk.client.get_template(StackName="soup")["TemplateBody"] == sample.whole()


def test_what_is_no_longer_named_is_deleted(desk):
    desk.make(sample.whole())
    template = sample.whole()
    for name in ("Endpoint", "Config", "Model", "Lease"):
        del template["Resources"][name]
    before = everything(desk.session)
    assert desk.change(template)["StackStatus"] == "UPDATE_COMPLETE"
    assert before - everything(desk.session) == {
        *("endpoint soup", "endpoint config soup-1", "model soup-1", "schedule default/soup"),
    }


def test_nothing_to_change_is_refused(desk):
    template = sample.only("Role", "Lease")
    desk.make(template)
    update = desk.client.update_stack
    assert refusal(update, **sample.wanted(template)) == "No updates are to be performed."
    again = {
        "StackName": "soup",
        "UsePreviousTemplate": True,
        "Capabilities": sample.CAPABILITIES,
    }
    same = [{"ParameterKey": "End", "UsePreviousValue": True}]
    assert refusal(update, **again, Parameters=same) == "No updates are to be performed."
    later = [{"ParameterKey": "End", "ParameterValue": "2027-01-03T00:00:00Z"}]
    update(**again, Parameters=later)
    assert desk.wait()["StackStatus"] == "UPDATE_COMPLETE"
    assert desk.wait()["Parameters"][0]["ParameterValue"] == "2027-01-03T00:00:00Z"
    update(**again, Parameters=same, Tags=[{"Key": "whose", "Value": "theirs"}])
    assert desk.wait()["Tags"] == [{"Key": "whose", "Value": "theirs"}]


def test_an_instance_does_not_become_serverless(desk):
    desk.make(sample.whole())
    template = sample.whole()
    config = template["Resources"]["Config"]["Properties"]
    config["EndpointConfigName"] = "soup-2"
    variant = config["ProductionVariants"][0]
    del variant["InstanceType"], variant["InitialInstanceCount"]
    variant["ServerlessConfig"] = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
    assert desk.change(template)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "endpoint config soup-2" not in everything(desk.session)


# How it fails


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_a_type_that_fails_takes_all_the_others_back(desk, kind):
    before = everything(desk.session)
    desk.bed.conduct.fail(kind, reason="no room in the kitchen")
    stack = desk.make(sample.whole())
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert [each.partition(": ")[2] for each in desk.reasons()] == ["no room in the kitchen"]
    assert everything(desk.session) - before == {"stack soup"}
    wanted = sample.wanted(sample.whole())
    assert "ROLLBACK_COMPLETE state and can not be updated" in refusal(
        desk.client.update_stack, **wanted
    )
    assert "already exists" in refusal(desk.client.create_stack, **wanted)
    desk.remove()
    assert everything(desk.session) == before


def test_a_name_that_is_taken_fails_and_what_has_it_is_spared(desk):
    desk.of("logs", "create_log_group", logGroupName="/aws/lambda/soup")
    assert desk.make(sample.whole())["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("already exists" in each for each in desk.reasons())
    desk.remove()
    assert "log group /aws/lambda/soup" in everything(desk.session)


def test_an_update_that_fails_is_taken_back(desk):
    empty = everything(desk.session)
    desk.make(sample.whole())
    template = sample.whole()
    template["Resources"]["Model"]["Properties"]["ModelName"] = "soup-2"
    template["Resources"]["Config"]["Properties"]["EndpointConfigName"] = "soup-2"
    template["Resources"]["Function"]["Properties"]["MemorySize"] = 1024
    template["Resources"]["More"] = sample.one("AWS::Logs::LogGroup", {"LogGroupName": "/more"})
    before = everything(desk.session)
    for seed in range(4):
        desk.bed.conduct.shuffle(seed)
        desk.bed.conduct.fail("AWS::SageMaker::Endpoint", "update", reason="no machine is free")
        assert desk.change(template)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert "Endpoint: no machine is free" in desk.reasons()
        assert everything(desk.session) == before
        function = desk.of("lambda", "get_function", FunctionName="soup")
        assert function["Configuration"]["MemorySize"] == 512
    desk.remove()
    assert everything(desk.session) == empty


def test_the_way_back_can_fail_too_and_be_gone_on_with(desk):
    desk.make(sample.whole())
    template = sample.whole()
    template["Resources"]["Function"]["Properties"]["MemorySize"] = 1024
    template["Resources"]["Integration"]["Properties"]["TimeoutInMillis"] = 20_000
    desk.bed.conduct.fail("AWS::ApiGatewayV2::Integration", "update", times=2)
    stack = desk.change(template)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert "can not be updated" in refusal(desk.client.update_stack, **sample.wanted(template))
    desk.client.continue_update_rollback(StackName="soup")
    assert desk.wait()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_a_bucket_that_is_not_empty_is_not_deleted(desk):
    stack = desk.make(sample.only("Bucket", "Log", outputs=["Bucket"]))
    bucket = stack["Outputs"][0]["OutputValue"]
    desk.of("s3", "put_object", Bucket=bucket, Key="soup", Body=b"hot")
    stack = desk.remove()
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert "failed to delete: [Bucket]" in stack["StackStatusReason"]
    assert any("The bucket you tried to delete is not empty" in each for each in desk.reasons())
    assert "log group /aws/lambda/soup" not in everything(desk.session)
    desk.of("s3", "delete_object", Bucket=bucket, Key="soup")
    assert desk.remove()["StackStatus"] == "DELETE_COMPLETE"


def test_what_somebody_else_has_deleted_is_no_failure(desk):
    before = everything(desk.session)
    desk.make(sample.whole())
    desk.of("sagemaker", "delete_endpoint", EndpointName="soup")
    desk.of("lambda", "delete_function", FunctionName="soup")
    desk.of("logs", "delete_log_group", logGroupName="/aws/lambda/soup")
    desk.of("scheduler", "delete_schedule", Name="soup")
    api = desk.of("apigatewayv2", "get_apis")["Items"][0]["ApiId"]
    desk.of("apigatewayv2", "delete_api", ApiId=api)
    assert desk.remove()["StackStatus"] == "DELETE_COMPLETE", desk.reasons()
    assert everything(desk.session) == before


# In which order, and how fast


def leased(desk):
    """Say whether there is a lease, or nothing that it would have to end."""
    return not desk.of("sagemaker", "list_endpoints")["Endpoints"] or bool(
        desk.of("scheduler", "list_schedules")["Schedules"]
    )


def lives(desk, template, seed):
    """Make and delete a stack step by step; yield whether the lease holds after each."""
    desk.bed.conduct.shuffle(seed)
    desk.bed.conduct.pace = 1
    desk.client.create_stack(**sample.wanted(template))
    while desk.look()["StackStatus"].endswith("_IN_PROGRESS"):
        yield leased(desk)
    arn = desk.look()["StackId"]
    desk.client.delete_stack(StackName="soup")
    while not desk.look(arn)["StackStatus"].endswith("_COMPLETE"):
        yield leased(desk)


NEEDED = ("Role", "Lease", "Model", "Config", "Endpoint")


def test_what_another_needs_comes_first_and_goes_last(desk):
    for seed in range(5):
        assert all(lives(desk, sample.only(*NEEDED), seed))


def test_without_a_dependency_any_order_is_met(desk):
    template = sample.only(*NEEDED)
    del template["Resources"]["Endpoint"]["DependsOn"]
    assert not all(held for seed in range(5) for held in lives(desk, template, seed))


def test_a_stack_goes_on_only_while_somebody_looks_or_time_passes(desk):
    desk.bed.conduct.pace = 1
    desk.client.create_stack(**sample.wanted(sample.whole()))
    assert "function soup" not in everything(desk.session)
    assert desk.look()["StackStatus"] == "CREATE_IN_PROGRESS"
    found = desk.client.describe_stack_resources(StackName="soup")["StackResources"]
    assert {each["ResourceStatus"] for each in found} <= {"CREATE_IN_PROGRESS", "CREATE_COMPLETE"}
    assert "Outputs" not in desk.look()
    desk.bed.settle()
    assert "function soup" in everything(desk.session)


def test_at_no_pace_everything_happens_at_once(desk):
    desk.bed.conduct.pace = 0
    desk.client.create_stack(**sample.wanted(sample.only("Log")))
    assert "log group /aws/lambda/soup" in everything(desk.session)
    desk.client.delete_stack(StackName="soup")
    assert "Stack with id soup does not exist" in refusal(desk.look)


def test_a_stack_at_work_takes_no_other_work(desk):
    desk.bed.conduct.pace = 1
    desk.client.create_stack(**sample.wanted(sample.only("Log", "Role")))
    changed = sample.only("Log")
    changed["Resources"]["Log"]["Properties"]["RetentionInDays"] = 30
    update = sample.wanted(changed)
    assert "CREATE_IN_PROGRESS state and can not be updated" in refusal(
        desk.client.update_stack, **update
    )
    desk.bed.settle()
    desk.client.update_stack(**update)
    said = refusal(desk.client.delete_stack, StackName="soup")
    assert "cannot be deleted while in status UPDATE_IN_PROGRESS" in said
    desk.bed.settle()
    desk.remove()
    assert "log group /aws/lambda/soup" not in everything(desk.session)


def test_a_stack_can_be_deleted_while_it_is_made(desk):
    before = everything(desk.session)
    desk.client.create_stack(**sample.wanted(sample.whole()))
    desk.look()
    assert everything(desk.session) - before > {"stack soup"}
    desk.remove()
    assert everything(desk.session) == before


def test_events_come_newest_first_and_in_pages(desk):
    desk.make(sample.whole())
    events = desk.events()
    assert len(events) == 2 * len(sample.RESOURCES) + 2
    assert len({each["EventId"] for each in events}) == len(events)
    assert (events[0]["ResourceStatus"], events[-1]["ResourceStatus"]) == (
        "CREATE_COMPLETE",
        "CREATE_IN_PROGRESS",
    )
    assert events[-1]["ResourceStatusReason"] == "User Initiated"


# What is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"TemplateBody": "no"}, "Template format error"),
        ({"TemplateBody": "{}"}, "At least one Resources member"),
        ({"TemplateBody": json.dumps({"Resources": {"A": "x" * 60_000}})}, "less than or equal"),
        ({"Capabilities": []}, r"Requires capabilities : \[CAPABILITY_NAMED_IAM\]"),
        ({"Capabilities": ["CAPABILITY_IAM"]}, "Requires capabilities"),
        ({"Parameters": []}, r"Parameters: \[End\] must have values"),
        ({"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "is invalid or cannot be assumed"),
    ],
)
def test_what_aws_refuses_at_once_is_refused(desk, change, words):
    with pytest.raises(ClientError, match=words):
        desk.client.create_stack(**sample.wanted(sample.whole()) | change)
    assert "stack soup" not in everything(desk.session)


def broken(name, key, value):
    template = sample.only("Log", "Function", "Role", "Layer", outputs=())
    template["Resources"][name]["Properties"][key] = value
    return template


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (broken("Function", "Role", sample.get("Nobody", "Arn")), "Unresolved resource"),
        (broken("Function", "Role", sample.get("Role", "Colour")), "does not support attribute"),
        (broken("Function", "Role", {"Fn::Sub": "${Role.Colour}"}), "does not support attribute"),
        (broken("Role", "Description", {"Ref": "Function"}), "Circular dependency"),
        (broken("Role", "Description", {"Fn::Cidr": []}), "does not know Fn::Cidr"),
    ],
)
def test_a_template_that_does_not_hold_together_is_refused(desk, template, words):
    with pytest.raises(ClientError, match=words):
        desk.client.create_stack(**sample.wanted(template))


@pytest.mark.parametrize(
    ("name", "key", "words"),
    [
        ("Log", "Colour", "unsupported property Colour"),
        ("Layer", "Colour", "unsupported property Colour"),
        ("Function", "VpcConfig", "does not know VpcConfig"),
        ("Function", "Handler", "Invalid type for parameter Handler"),
    ],
)
def test_a_property_that_is_none_or_would_be_ignored_fails(desk, name, key, words):
    assert desk.make(broken(name, key, 1))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any(words in each for each in desk.reasons())


def test_a_lease_does_not_begin_in_the_past(desk):
    stack = desk.make(sample.only("Role", "Lease"), End="2027-01-01T11:50:00Z")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("cannot be earlier than 5 minutes ago" in each for each in desk.reasons())
