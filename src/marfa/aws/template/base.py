"""The base stack: a bucket and five roles. It costs nothing while the bucket is empty.

The bucket's name is CloudFormation's choice, since a name that can be guessed can be taken by somebody
else first; where it is, the stack says.
"""

from __future__ import annotations

from typing import Any

from marfa.aws import policies
from marfa.aws.names import Names
from marfa.aws.statements import document
from marfa.aws.template.document import Resources, Template, attribute, ref, resource, sub, template

SITE = "site/"
"""Where in the bucket the pages are that CloudFront may read."""

_DAYS_OF_A_HALF_UPLOAD = 7
"""Long enough for a slow line to come back; parts that nobody completes are billed as long."""


def build(names: Names) -> Template:
    """Write the base stack's template.

    Args:
        names: the deployment's names.
    """
    return template(
        f"marfa: bucket and roles of {names.deployment}. Made and deleted by marfa.",
        {"Bucket": _bucket(names), "BucketPolicy": _bucket_policy(names), **_roles(names)},
        {"Bucket": ref("Bucket")},
    )


def _bucket(names: Names) -> dict[str, Any]:
    rule = {
        "Id": "unfinished-uploads",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _DAYS_OF_A_HALF_UPLOAD},
    }
    return resource(
        "AWS::S3::Bucket",
        {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                ]
            },
            "LifecycleConfiguration": {"Rules": [rule]},
            "Tags": names.tags,
        },
    )


def _bucket_policy(names: Names) -> dict[str, Any]:
    in_the_open: dict[str, Any] = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",  # what is refused may be everything
        "Resource": [attribute("Bucket", "Arn"), sub("${Bucket.Arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    distributions = f"arn:{names.partition}:cloudfront::{names.account}:distribution/*"
    page: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": sub("${Bucket.Arn}/" + SITE + "*"),
        "Condition": {
            "ArnLike": {"aws:SourceArn": distributions},  # which names the account
        },
    }
    return resource(
        "AWS::S3::BucketPolicy",
        {"Bucket": ref("Bucket"), "PolicyDocument": document([in_the_open, page])},
    )


def _under(folder: str) -> Any:
    """Return the ARN of all that is in a folder of the bucket."""
    return sub("${Bucket.Arn}/" + folder + "*")


def _roles(names: Names) -> Resources:
    bucket = attribute("Bucket", "Arn")
    statements = {
        "answer": ("lambda.amazonaws.com", policies.answer(names)),
        "proxy": ("lambda.amazonaws.com", policies.proxy(names)),
        "scheduler": ("scheduler.amazonaws.com", policies.scheduler(names)),
        "execution": (
            "sagemaker.amazonaws.com",
            policies.execution(names, bucket, _under),
        ),
        "service": (
            "cloudformation.amazonaws.com",
            policies.service(names, sub("${Bucket.Arn}/*")),
        ),
    }
    return {
        f"{who.title()}Role": resource(
            "AWS::IAM::Role",
            {
                "RoleName": names.role(who),
                "Description": f"marfa: {names.deployment}, {who}",
                "AssumeRolePolicyDocument": policies.trust(taker, names.account),
                "Policies": [{"PolicyName": who, "PolicyDocument": document(allowed)}],
                "Tags": names.tags,
            },
        )
        for who, (taker, allowed) in statements.items()
    }
