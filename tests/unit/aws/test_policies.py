"""Who may do what: AWS's own lists, less what no template uses, and not an action more."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import botocore.session
import cfnlint
import pytest

from marfa.aws import inventory, policies, statements, type_rights
from marfa.aws.names import Names
from marfa.aws.template import base

NAMES = Names("soup", "us-east-1", "123456789012")
SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
REGION = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text())

UNUSED = (
    # no template has a network of its own, a key of its own, or a stream of logs
    *("ec2:*", "elasticfilesystem:*", "s3files:*", "s3tables:*", "kms:*", "firehose:*"),
    # zips have no versions, APIs no body in a bucket
    *("s3:GetObjectVersion", "s3:getObject", "s3:REST.*"),
    # functions: signed code, aliases, capacity providers, pinned runtimes
    *("lambda:*CapacityProvider", "lambda:*RuntimeAlias", "lambda:PublishVersion"),
    *("lambda:Put*Config", "lambda:Delete*Config", "lambda:GetCodeSigningConfig"),
    # log groups: masking, delivery, indexes, keys
    *("logs:*Protection*", "logs:*Delivery", "logs:*ResourcePolic*", "logs:*Index*"),
    *("logs:*Bearer*", "logs:*KmsKey"),
    # distributions: connection groups, private origins, staging
    *("cloudfront:*ConnectionGroup", "cloudfront:*VpcOrigin", "cloudfront:*StagingConfig"),
    # in the lists, and no actions that IAM knows
    *("cloudfront:CreateDistributionWithTags", "apigateway:*Resource"),
    "s3:DeleteBucketTagging",
    # buckets: all that marfa's does not do
    *("s3:*Analytics*", "s3:*Inventory*", "s3:*Metrics*", "s3:*C[Oo][Rr][Ss]", "s3:*Notification"),
    *("s3:*Replication*", "s3:*Website", "s3:*Accelerate*", "s3:*ObjectLock*", "s3:*Acl"),
    *("s3:*Logging", "s3:*Versioning", "s3:*IntelligentTiering*", "s3:*Metadata*", "s3:*Abac"),
    *("s3:DeleteObject", "s3:DeleteBucketEncryption", "s3:DeleteBucketLifecycle"),
    # roles: policies that stand apart, and boundaries
    *("iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:*PermissionsBoundary"),
)
"""Of AWS's lists, what belongs to features that no template of marfa uses."""


def needed(kind):
    """What AWS says that CloudFormation calls for a type, less what belongs to unused features."""
    schema = json.loads((SCHEMAS / "resources" / f"{REGION[kind]}.json").read_text())
    found = {
        action
        for handler, each in schema["handlers"].items()
        if handler != "list"
        for action in each["permissions"]
    }
    if schema.get("tagging", {}).get("taggable"):
        found |= set(schema["tagging"].get("permissions", []))
    return {action for action in found if not any(fnmatchcase(action, each) for each in UNUSED)}


# A bucket and a configuration have no role; roles are not attached policies.
NOT_PASSED = {
    "AWS::S3::Bucket", "AWS::SageMaker::EndpointConfig", "AWS::ApiGatewayV2::Integration",
}  # fmt: skip


@pytest.mark.parametrize("kind", [*type_rights.BY_TYPE, *type_rights.BASE_TYPES])
def test_cloudformation_may_do_what_aws_says_it_must_and_no_more(kind):
    ours = {**type_rights.BY_TYPE, **type_rights.BASE_TYPES}[kind]
    theirs = needed(kind) - ({"iam:PassRole"} if kind in NOT_PASSED else set())
    assert set(ours) == theirs


def test_the_types_in_the_templates_are_the_types_with_rights():
    from tests.unit.aws.test_template import PRODUCED

    found = {
        each["Type"]
        for name, template in PRODUCED.items()
        if name != "base"
        for each in template["Resources"].values()
    }
    assert found == set(type_rights.BY_TYPE)
    roots = {each["Type"] for each in base.build(NAMES)["Resources"].values()}
    assert roots == set(type_rights.BASE_TYPES)


def every_policy():
    yield from policies.deployer(NAMES)
    for each in base.build(NAMES)["Resources"].values():
        for policy in each["Properties"].get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]


def test_no_action_is_a_wildcard():
    for statement in every_policy():
        assert all("*" not in action for action in statement["Action"]), statement


def test_what_cloudformation_may_do_is_granted_whole():
    service = next(
        each["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        for name, each in base.build(NAMES)["Resources"].items()
        if name == "ServiceRole"
    )
    granted = {action for statement in service for action in statement["Action"]}
    wanted = {action for actions in type_rights.BY_TYPE.values() for action in actions}
    assert granted - {"ssm:GetParameters"} == wanted


def test_a_role_is_passed_to_one_service_only():
    passing = [each for each in every_policy() if "iam:PassRole" in each["Action"]]
    assert len(passing) == 6
    for each in passing:
        assert each["Condition"]["StringEquals"]["iam:PassedToService"].endswith(".amazonaws.com")
        assert each["Resource"].startswith("arn:aws:iam::123456789012:role/marfa-soup-")


def test_everything_is_open_only_to_what_has_no_resource():
    wide = {
        action for each in every_policy() if each["Resource"] == "*" for action in each["Action"]
    }
    listing = re.compile(r":(?:List|Describe|Get|Simulate)")
    assert {action for action in wide if not listing.search(action)} == {"cloudwatch:PutMetricData"}


def test_a_policy_fits_into_a_role():
    for each in base.build(NAMES)["Resources"].values():
        for policy in each["Properties"].get("Policies", []):
            assert len(json.dumps(policy["PolicyDocument"], separators=(",", ":"))) < 10_240


def regions():
    session = botocore.session.get_session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("s3", partition):
            yield partition, region


def test_what_is_printed_fits_into_a_policy_of_its_own():
    """AWS counts every character but blanks (IAM user guide, "IAM and AWS STS quotas")."""
    sizes = {}
    for partition, region in regions():
        names = Names("n" * 20, region, "123456789012", partition)
        printed = json.dumps(statements.document(policies.deployer(names)), indent=1)
        sizes[region] = len("".join(printed.split()))
    assert max(sizes.values()) <= policies.MANAGED_LIMIT, sizes


def allowed(statements_, action, arn):
    """Whether statements allow an action on something, whatever their conditions."""
    for each in statements_:
        resources = [each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"]
        if action in each["Action"] and any(
            isinstance(one, str) and fnmatchcase(arn, one) for one in resources
        ):
            return True
    return False


OTHERS = [
    ("sagemaker:DeleteModel", "model/marfa-soup-2-0a1b2c3d"),
    ("sagemaker:DeleteModel", "model/marfa-soup-2-score-0a1b2c3d4e5f"),
    ("sagemaker:DeleteEndpointConfig", "endpoint-config/marfa-soup-2-0a1b2c3d"),
    ("sagemaker:StopTrainingJob", "training-job/marfa-soup-2-20261124223501-0a1b2c"),
    ("sagemaker:StopTransformJob", "transform-job/marfa-soup-2-20261124223501-0a1b2c"),
]


@pytest.mark.parametrize(("action", "resource"), OTHERS)
def test_nothing_is_allowed_on_a_deployment_whose_name_begins_the_same(action, resource):
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:{resource}"
    assert allowed(policies.deployer(NAMES), action, arn.replace("soup-2", "soup"))
    assert not allowed(every_policy(), action, arn)
    assert not allowed(policies.service(NAMES, "*"), action, arn)


def test_a_census_asks_for_no_tags_that_it_may_not_read():
    """Of what is called by a name that begins the same, it would be told that it may not look."""
    found = {"list_models": "Model", "list_endpoint_configs": "EndpointConfig"}

    asked = []

    class Account:
        def pages(self, service, operation, **_):
            kind = found[operation]
            names = ("marfa-soup-0a1b2c3d", "marfa-soup-2-0a1b2c3d")
            yield {f"{kind}s": [{f"{kind}Name": each, f"{kind}Arn": each} for each in names]}

        def call(self, service, operation, *, ResourceArn):
            asked.append(ResourceArn)
            return {"Tags": NAMES.tags}

    kinds = [each for each in inventory.KINDS if each.name in {"model", "endpoint configuration"}]
    for kind in kinds:
        assert list(kind.find(Account(), NAMES)) == ["marfa-soup-0a1b2c3d"]
    assert asked == ["marfa-soup-0a1b2c3d"] * 2


@pytest.mark.parametrize(
    ("whose", "action", "arn"),
    [
        ("service", "cloudfront:UpdateDistribution", "cloudfront::123456789012:distribution/E1"),
        ("service", "cloudfront:DeleteDistribution", "cloudfront::123456789012:distribution/E1"),
        ("service", "apigateway:DELETE", "apigateway:us-east-1::/apis/a1b2c3d4e5"),
        ("service", "apigateway:PATCH", "apigateway:us-east-1::/apis/a1b2c3d4e5"),
        ("deployer", "cloudfront:UpdateDistribution", "cloudfront::123456789012:distribution/E1"),
        ("deployer", "cloudfront:DeleteDistribution", "cloudfront::123456789012:distribution/E1"),
        ("deployer", "apigateway:DELETE", "apigateway:us-east-1::/apis/a1b2c3d4e5"),
    ],
)
def test_what_aws_names_is_changed_and_deleted_by_its_tag_only(whose, action, arn):
    all_ = policies.service(NAMES, "*") if whose == "service" else policies.deployer(NAMES)
    free = [each for each in all_ if "aws:ResourceTag/marfa:deployment" not in str(each)]
    assert allowed(all_, action, f"arn:aws:{arn}")
    assert not allowed(free, action, f"arn:aws:{arn}")


@pytest.mark.parametrize(
    ("target", "site", "absent"),
    [
        ("lambda", False, r"Job$|:ListTags$|ecr:|cloudfront:.*Distribution.*|:AddTags|Endpoint"),
        ("endpoint", False, r"sagemaker:.*(Train|Transform)|cloudfront:.*Distribution.*"),
        ("serverless", True, r"sagemaker:.*(Train|Transform)|servicequotas:"),
    ],
)
def test_a_deployment_is_not_held_up_for_rights_that_it_does_not_need(target, site, absent):
    """But what destroy looks for afterwards is looked for in every kind."""
    needed_ = policies.deployer(NAMES, target=target, site=site, jobs=False)
    census = r"^lambda:ListTags$|sagemaker:(List(Train|Trans|Endp|Mod)|DescribeEndpoint$)"
    census += "|cloudfront:ListDistributions"
    found = {each for each in statements.actions(needed_) if not re.search(census, each)}
    assert {each for each in found if re.search(absent, each)} == set()
    assert set(statements.actions(needed_)) < set(statements.actions(policies.deployer(NAMES)))
