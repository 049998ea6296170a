"""Every template that can be produced: sound, guarded by its lease, and no wider than it must be."""

import copy
import itertools
import json
from dataclasses import replace

import botocore.session
import pytest
from cfnlint import api as cfnlint

from marfa.aws.names import TAG, Names
from marfa.aws.template import base, function
from marfa.aws.template.document import body
from marfa.aws.template.live import Live
from marfa.settings import CloudSettings

NAMES = Names("soup", "us-east-1", "123456789012")
ENDPOINT, SCHEDULE = "AWS::SageMaker::Endpoint", "AWS::Scheduler::Schedule"


def live(*, leased, reserved=5, layer=True, **chosen):
    return Live(
        names=NAMES,
        settings=CloudSettings(**chosen),
        model="0123456789ab",
        bucket="marfa-soup-base-bucket-1x2y3z",
        code="code/aa.zip",
        layer="layers/bb.zip" if layer else "",
        archive="models/cc.tar.gz",
        image="763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6-cpu-py312",
        page="site/dd",
        reserved=reserved,
        leased=leased,
    )


def produced():
    """Yield every kind of template: all combinations of what changes its shape."""
    yield "base", base.build(NAMES)
    shapes = itertools.product(
        ("lambda", "serverless", "endpoint"),
        (False, True),
        (False, True),
        (0, 5),
        ("", "https://a.example, https://b.example"),
        ("arm64", "x86_64"),
        (False, True),
    )
    for target, site, leased, reserved, origin, architecture, layer in shapes:
        if target == "endpoint" and not leased:
            continue
        if target != "lambda" and (layer or architecture == "x86_64"):
            continue
        if architecture == "x86_64" and (site or origin or not layer):
            continue  # it is a word in two places, whatever else there is
        chosen = {"site": site, "allow_origin": origin, "architecture": architecture}
        made = live(leased=leased, reserved=reserved, layer=layer, target=target, **chosen)
        yield (
            f"{target} {site} {leased} {reserved} {bool(origin)} {architecture} {layer}",
            made.build(),
        )


PRODUCED = dict(produced())


def of_type(template, kind):
    return {k: v for k, v in template["Resources"].items() if v["Type"] == kind}


def faults(template):
    """What cfn-lint finds, and the four things that it does not look at."""
    found = [str(match) for match in cfnlint.lint(body(template), ["us-east-1"])]
    types = enum("sagemaker", "ProductionVariantInstanceType")
    for config in of_type(template, "AWS::SageMaker::EndpointConfig").values():
        for variant in config["Properties"]["ProductionVariants"]:
            serverless, machine = variant.get("ServerlessConfig"), variant.get("InstanceType")
            if bool(serverless) == bool(machine):
                found.append("serverless and a machine, or neither")
            if serverless and serverless["MemorySizeInMB"] not in range(1024, 6145, 1024):
                found.append("memory in no step of 1024")
            if machine and machine not in types:
                found.append("no such machine")
    found += [
        "longer than a gateway waits"
        for each in of_type(template, "AWS::ApiGatewayV2::Integration").values()
        if each["Properties"]["TimeoutInMillis"] > 30_000
    ]
    return found


def enum(service, shape):
    session = botocore.session.get_session()
    return session.get_service_model(service).shape_for(shape).enum


def unguarded(template):
    """The endpoints that could exist without a schedule that deletes their stack."""
    guards = {
        name
        for name, each in of_type(template, SCHEDULE).items()
        if each["Properties"]["Target"]["Arn"].endswith(":aws-sdk:cloudformation:deleteStack")
        and each["Properties"]["Target"]["Input"] == {"Fn::Sub": '{"StackName":"${AWS::StackId}"}'}
        and each["Properties"]["StartDate"] == {"Ref": "LeaseEnd"}
        and each["Properties"].get("State", "ENABLED") == "ENABLED"
    }
    billing = {
        variant_of
        for variant_of, each in of_type(template, "AWS::SageMaker::EndpointConfig").items()
        if any("InstanceType" in variant for variant in each["Properties"]["ProductionVariants"])
    }
    return [
        name
        for name, each in of_type(template, ENDPOINT).items()
        if each["Properties"]["EndpointConfigName"]["Fn::GetAtt"][0] in billing
        and not guards & set(each.get("DependsOn", []))
    ]


@pytest.mark.parametrize("shape", PRODUCED)
def test_every_template_is_sound(shape):
    assert faults(PRODUCED[shape]) == []


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("memory in no step of 1024", {"ServerlessConfig": {"MemorySizeInMB": 1500}}),
        ("no such machine", {"ServerlessConfig": None, "InstanceType": "ml.z9.huge"}),
        ("serverless and a machine, or neither", {"InstanceType": "ml.t2.medium"}),
    ],
)
def test_what_cfn_lint_does_not_see_is_seen(name, spoil):
    template = copy.deepcopy(live(leased=True, target="serverless").build())
    variants = template["Resources"]["EndpointConfig"]["Properties"]["ProductionVariants"]
    variants[0] |= spoil
    variants[0] = {key: value for key, value in variants[0].items() if value}
    assert name in faults(template)


def test_a_gateway_that_waits_too_long_is_seen():
    template = copy.deepcopy(live(leased=False).build())
    template["Resources"]["Integration"]["Properties"]["TimeoutInMillis"] = 40_000
    assert "longer than a gateway waits" in faults(template)


@pytest.mark.parametrize("shape", PRODUCED)
def test_no_endpoint_that_bills_by_the_hour_exists_without_its_lease(shape):
    assert unguarded(PRODUCED[shape]) == []
    if shape.startswith("endpoint"):
        assert len(of_type(PRODUCED[shape], ENDPOINT)) == 1


@pytest.mark.parametrize("spoil", ["order", "target", "other stack", "off", "gone"])
def test_an_endpoint_whose_lease_is_spoilt_is_seen(spoil):
    template = copy.deepcopy(live(leased=True, target="endpoint").build())
    lease, endpoint = (template["Resources"][name] for name in ("Lease", "Endpoint"))
    target = lease["Properties"]["Target"]
    match spoil:
        case "order":
            endpoint["DependsOn"] = ["EndpointLog"]
        case "target":
            target["Arn"] = target["Arn"].replace("deleteStack", "describeStacks")
        case "other stack":
            target["Input"] = '{"StackName":"another"}'
        case "off":
            lease["Properties"]["State"] = "DISABLED"
        case "gone":
            del template["Resources"]["Lease"]
    assert unguarded(template) == ["Endpoint"]


def test_an_endpoint_cannot_be_written_without_a_lease():
    with pytest.raises(AssertionError, match="without its lease"):
        live(leased=False, target="endpoint").build()


def statements(template, role):
    (policy,) = template["Resources"][role]["Properties"]["Policies"]
    return policy["PolicyDocument"]["Statement"]


def test_the_lease_may_delete_exactly_the_live_stack():
    (only,) = statements(PRODUCED["base"], "SchedulerRole")
    assert only["Effect"] == "Allow"
    assert only["Action"] == ["cloudformation:DeleteStack"]
    arn = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{NAMES.live}/*"
    assert only["Resource"] == arn


def test_the_proxy_may_do_one_thing_to_one_endpoint():
    invoking, logging = statements(PRODUCED["base"], "ProxyRole")
    assert invoking["Action"] == ["sagemaker:InvokeEndpoint"]
    assert invoking["Resource"] == "arn:aws:sagemaker:us-east-1:123456789012:endpoint/marfa-soup"
    assert logging["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]


def test_no_role_can_bring_a_log_group_back_that_was_deleted():
    for role in ("AnswerRole", "ProxyRole", "ExecutionRole", "SchedulerRole"):
        for each in statements(PRODUCED["base"], role):
            if "logs:CreateLogGroup" in each["Action"]:  # those of all jobs of an account
                assert all("marfa" not in group for group in each["Resource"])


def test_each_role_can_be_taken_by_one_service_for_this_account_only_where_it_tells():
    roles = of_type(PRODUCED["base"], "AWS::IAM::Role")
    assert len(roles) == 5
    told = {"SchedulerRole", "ExecutionRole"}
    for name, role in roles.items():
        (only,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert list(only["Principal"]) == ["Service"]
        expected = {"StringEquals": {"aws:SourceAccount": "123456789012"}} if name in told else None
        assert only.get("Condition") == expected


def test_everything_can_be_found_by_its_tag_or_its_mark():
    for template in PRODUCED.values():
        for name, each in template["Resources"].items():
            written = json.dumps(each["Properties"])
            found = TAG in written and "soup" in written
            child = {"Integration", "Route", "Permission", "BucketPolicy"}
            assert found or name in child, name


def test_the_bucket_is_private_encrypted_and_throws_half_uploads_away():
    bucket = PRODUCED["base"]["Resources"]["Bucket"]["Properties"]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert "BucketEncryption" in bucket
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert "BucketName" not in bucket  # a name that can be guessed can be taken first


def test_a_template_fits_into_one_request():
    assert max(len(body(template).encode()) for template in PRODUCED.values()) < 51_200


def test_equal_input_gives_equal_bytes_and_another_version_for_other_input():
    one, same = live(leased=True), live(leased=True)
    assert body(one.build()) == body(same.build())
    assert one.version == same.version
    changed = (
        replace(one, model="ffff"), replace(one, code="code/other.zip"), replace(one, reserved=1)
    )  # fmt: skip
    assert len({one.version, *(each.version for each in changed[1:])}) == 3


@pytest.mark.parametrize("shape", PRODUCED)
def test_the_function_is_told_when_the_lease_ends_where_there_is_one(shape):
    template = PRODUCED[shape]
    for each in of_type(template, "AWS::Lambda::Function").values():
        told = each["Properties"]["Environment"]["Variables"].get("MARFA_LEASE_END")
        assert told == (
            {"Ref": "LeaseEnd"} if "LeaseEnd" in template.get("Parameters", {}) else None
        )


def test_a_model_and_its_configuration_are_replaced_and_the_endpoint_stays():
    one = live(leased=True, target="endpoint")
    other = replace(one, archive="models/other.tar.gz")
    first, second = one.build()["Resources"], other.build()["Resources"]
    for name, key in (("Model", "ModelName"), ("EndpointConfig", "EndpointConfigName")):
        assert first[name]["Properties"][key] != second[name]["Properties"][key]
        assert first[name]["Properties"][key].startswith("marfa-soup-")
    assert first["Endpoint"] == second["Endpoint"]


def test_a_page_of_another_origin_may_ask_only_where_it_was_named():
    plain, open_ = live(leased=False), live(leased=False, allow_origin="https://a.example")
    assert "CorsConfiguration" not in plain.build()["Resources"]["Api"]["Properties"]
    cors = open_.build()["Resources"]["Api"]["Properties"]["CorsConfiguration"]
    assert cors["AllowOrigins"] == ["https://a.example"]


@pytest.mark.parametrize("wanted", [1, 2, 14, 15, 366, 3653])
def test_logs_are_kept_as_long_as_asked_or_a_little_longer(wanted):
    allowed = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192}
    allowed |= {2557, 2922, 3288, 3653}
    assert function.days(wanted) in allowed
    assert function.days(wanted) == min(day for day in allowed if day >= wanted)
