"""Who may do what: AWS's own lists, less what no template uses, and not an action more."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import cfnlint
import pytest

from marfa.aws import policies
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


@pytest.mark.parametrize("kind", [*policies.BY_TYPE, *policies.BASE_TYPES])
def test_cloudformation_may_do_what_aws_says_it_must_and_no_more(kind):
    ours = {**policies.BY_TYPE, **policies.BASE_TYPES}[kind]
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
    assert found == set(policies.BY_TYPE)
    roots = {each["Type"] for each in base.build(NAMES)["Resources"].values()}
    assert roots == set(policies.BASE_TYPES)


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
    wanted = {action for actions in policies.BY_TYPE.values() for action in actions}
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
