"""Who may do what: each role's rights, action by action, on the things of one deployment.

There is no wildcard among the actions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marfa.aws import job_policies, type_rights
from marfa.aws.names import TAG, Names
from marfa.aws.statements import Statement, allow, document

PUBLIC_LAYERS = "336392948345"
"""The account of AWS's layers that hold numpy (aws-sdk-pandas.readthedocs.io, "Managed layers")."""


_NAMING_ITS_ACCOUNT = {"scheduler.amazonaws.com", "sagemaker.amazonaws.com"}
"""Services that say for whose account they take a role. Lambda and CloudFormation are not documented
to; a condition could keep them from taking theirs, which only its own account can pass them anyway."""


def trust(service: str, account: str) -> dict[str, Any]:
    """Say which service may take a role, and, where it tells, for whose account only."""
    taking: Statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if service in _NAMING_ITS_ACCOUNT:
        taking["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return document([taking])


def _writing_logs(names: Names, group: str) -> Statement:
    """Allow writing to a log group that exists, not making one: none comes back after destroy."""
    streams = names.arn("logs", f"log-group:{group}:*")
    return allow(["logs:CreateLogStream", "logs:PutLogEvents"], streams)


def answer(names: Names) -> list[Statement]:
    """Return the rights of the function that answers by itself."""
    return [_writing_logs(names, names.function_log)]


def proxy(names: Names) -> list[Statement]:
    """Return the rights of the function in front of an endpoint: one action on one ARN, and its log."""
    endpoint = names.arn("sagemaker", f"endpoint/{names.one}")
    return [
        allow(["sagemaker:InvokeEndpoint"], endpoint),
        _writing_logs(names, names.function_log),
    ]


def scheduler(names: Names) -> list[Statement]:
    """Return the rights of the lease: to delete exactly the live stack.

    CloudFormation deletes it with the role that it was made with, so nothing is passed on.
    """
    stack = names.arn("cloudformation", f"stack/{names.live}/*")
    return [allow(["cloudformation:DeleteStack"], stack)]


def execution(names: Names, bucket_arn: Any, under: Callable[[str], Any]) -> list[Statement]:
    """Return the rights of what SageMaker runs: an endpoint's container, and jobs.

    Args:
        names: the deployment's names.
        bucket_arn: the bucket's ARN.
        under: returns the ARN of all that is in a folder of it.
    """
    images = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    ]
    spaces = ["Endpoints", "TrainingJobs", "TransformJobs"]
    return [
        allow(["s3:GetObject"], under("models/")),
        allow(["s3:ListBucket"], bucket_arn),
        # AWS's own images lie in accounts of AWS's
        allow(images, f"arn:{names.partition}:ecr:{names.region}:*:repository/*"),
        allow(["ecr:GetAuthorizationToken"], "*"),  # has no resource, says IAM
        _writing_logs(names, names.endpoint_log),
        allow(["logs:DescribeLogStreams"], names.arn("logs", f"log-group:{names.endpoint_log}:*")),
        *job_policies.computing(names, under),
        allow(
            ["cloudwatch:PutMetricData"],
            "*",  # has no resource either; the namespace bounds it
            {
                "StringEquals": {
                    "cloudwatch:namespace": [f"/aws/sagemaker/{each}" for each in spaces]
                }
            },
        ),
    ]


def service(names: Names, any_object: Any) -> list[Statement]:
    """Return the rights of CloudFormation while it makes, changes or deletes the live stack.

    Args:
        names: the deployment's names.
        any_object: the ARN of the objects in the bucket.
    """
    by_service: dict[str, set[str]] = {}
    for actions in type_rights.BY_TYPE.values():
        for action in actions:
            by_service.setdefault(action.partition(":")[0], set()).add(action)
    layers = by_service["lambda"] & {
        *("lambda:PublishLayerVersion", "lambda:DeleteLayerVersion", "lambda:GetLayerVersion"),
    }
    describing = {"logs:DescribeLogGroups"}
    changing = {"apigateway:PATCH", "apigateway:DELETE"}
    parts = f"arn:{names.partition}:apigateway:{names.region}::"
    apis = f"{parts}/apis"
    return [
        allow(
            by_service["lambda"] - layers,
            names.arn("lambda", f"function:{names.one}"),
        ),
        allow(
            layers,
            [
                names.arn("lambda", f"layer:{names.layer}"),
                names.arn("lambda", f"layer:{names.layer}:*"),
                f"arn:{names.partition}:lambda:{names.region}:{PUBLIC_LAYERS}"
                ":layer:AWSSDKPandas-Python313*",
            ],
        ),
        # where the public layer is, CloudFormation reads in a parameter of AWS's (`numpy = "aws"`)
        allow(
            ["ssm:GetParameters"],
            f"arn:{names.partition}:ssm:{names.region}::parameter/aws/service/aws-sdk-pandas/*",
        ),
        allow(by_service["apigateway"] - changing, [apis, f"{apis}/*", f"{parts}/tags/*"]),
        allow(changing, [f"{apis}/*/*", f"{parts}/tags/*"]),  # what an API consists of has no tags
        allow(changing, f"{apis}/*", _tagged(names)),
        allow(
            by_service["logs"] - describing,
            [
                names.arn("logs", f"log-group:{group}{end}")
                for group in (names.function_log, names.endpoint_log)
                for end in ("", ":*")
            ],
        ),
        allow(describing, names.arn("logs", "log-group:*")),  # a list is of all, or of none
        allow(by_service["scheduler"], names.arn("scheduler", f"schedule/default/{names.one}")),
        allow(
            by_service["sagemaker"],
            [
                names.arn("sagemaker", f"endpoint/{names.one}"),
                names.arn("sagemaker", f"endpoint-config/{names.hashed}"),
                names.arn("sagemaker", f"model/{names.hashed}"),
            ],
        ),
        allow(by_service["cloudfront"] - _OF_ITS_OWN, _distributions(names)),
        allow(_OF_ITS_OWN, _distributions(names)[0], _tagged(names)),
        allow(by_service["s3"], any_object),
        *_passing(names),
    ]


_OF_ITS_OWN = {"cloudfront:UpdateDistribution", "cloudfront:DeleteDistribution"}
"""Of CloudFront, whose names are AWS's choice, what is allowed on what has the deployment's tag only."""


def _tagged(names: Names) -> dict[str, Any]:
    """Return the condition that a thing carries the deployment's tag."""
    return {"StringEquals": {f"aws:ResourceTag/{TAG}": names.deployment}}


def _distributions(names: Names) -> list[str]:
    start = f"arn:{names.partition}:cloudfront::{names.account}"
    return [f"{start}:distribution/*", f"{start}:origin-access-control/*"]


def _passing(names: Names) -> list[Statement]:
    receivers = {
        "answer": "lambda.amazonaws.com",
        "proxy": "lambda.amazonaws.com",
        "execution": "sagemaker.amazonaws.com",
        "scheduler": "scheduler.amazonaws.com",
    }
    return [
        allow(
            ["iam:PassRole"],
            names.role_arn(who),
            {"StringEquals": {"iam:PassedToService": receiver}},
        )
        for who, receiver in receivers.items()
    ]


WIDENS = (
    "whoever holds these rights can make the roles of this deployment as strong as an administrator; "
    "give them to nobody who must not become one"
)
"""What an administrator should know of the deployer's rights: they make roles, and pass them on."""

MANAGED_LIMIT = 6144
"""Characters of a policy of its own in IAM (a "managed" one), blanks not counted."""


def deployer(
    names: Names, *, target: str = "", site: bool = True, jobs: bool = True
) -> list[Statement]:
    """Return the rights that whoever deploys, looks and destroys needs: all that `aws` calls, no more.

    The base stack is made in the deployer's own name, so what CloudFormation does for it is among them.

    Args:
        names: the deployment's names.
        target: what is deployed; empty for whichever, and for what only looks at what is up.
        site: the page on CloudFront, too.
        jobs: training and scoring on SageMaker, too.
    """
    return [
        *_looking(names, target),
        *_keeping(names),
        *_endpoints(names, target),
        *(job_policies.asking(names) if jobs else []),
        *_sweeping(names),
        *(_sweeping_site(names) if site else []),
    ]


def _looking(names: Names, target: str) -> list[Statement]:
    """Return the lists, and what has no resource of its own; what is left is looked for in all kinds."""
    quotas = {"servicequotas:ListServiceQuotas", "servicequotas:ListAWSDefaultServiceQuotas"}
    return [
        allow(
            {
                *("sts:GetCallerIdentity", "s3:ListAllMyBuckets", "cloudformation:DescribeStacks"),
                *("sagemaker:ListTrainingJobs", "sagemaker:ListTransformJobs"),
                *("sagemaker:ListEndpointConfigs", "sagemaker:ListModels"),
                *("cloudfront:ListDistributions", "cloudfront:ListOriginAccessControls"),
                *("lambda:GetAccountSettings", "logs:DescribeLogGroups"),
                "iam:SimulatePrincipalPolicy",
                *(quotas if target in {"", "endpoint"} else ()),
                *(() if target else ("cloudwatch:GetMetricStatistics",)),
            },
            "*",
        ),
    ]


def _keeping(names: Names) -> list[Statement]:
    """Return what stacks, the bucket and the roles need."""
    by_service: dict[str, set[str]] = {}
    for actions in type_rights.BASE_TYPES.values():
        for action in actions:
            by_service.setdefault(action.partition(":")[0], set()).add(action)
    return [
        allow(
            [
                *("cloudformation:CreateStack", "cloudformation:UpdateStack"),
                *("cloudformation:DeleteStack", "cloudformation:DescribeStackEvents"),
                "cloudformation:DescribeStackResources",
                *("cloudformation:ContinueUpdateRollback", "cloudformation:TagResource"),
            ],
            [names.arn("cloudformation", f"stack/{name}/*") for name in (names.base, names.live)],
        ),
        allow(
            by_service["s3"]
            | {
                *("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"),
                *("s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
                *("s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"),
            },
            f"arn:{names.partition}:s3:::{names.base}-bucket-*",  # and all that is in it
        ),
        allow(by_service["iam"], names.role_arn("*")),
        allow(
            ["iam:PassRole"],
            names.role_arn("service"),
            {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        ),
    ]


def _sweeping(names: Names) -> list[Statement]:
    """Return what destroy looks for after the stacks, and deletes where they could not."""
    api = f"arn:{names.partition}:apigateway:{names.region}::/apis"
    return [
        allow(
            ["lambda:ListTags", "lambda:GetFunctionConcurrency", "lambda:DeleteFunction"],
            names.arn("lambda", f"function:{names.one}"),
        ),
        allow(
            ["lambda:ListLayerVersions", "lambda:DeleteLayerVersion"],
            [names.arn("lambda", f"layer:{names.layer}{end}") for end in ("", ":*")],
        ),
        allow(["apigateway:GET"], api),
        allow(["apigateway:DELETE"], f"{api}/*", _tagged(names)),
        allow(
            ["logs:ListTagsForResource", "logs:DeleteLogGroup"],
            # the function's and the endpoint's
            [names.arn("logs", f"log-group:/aws/*/{names.one}{end}") for end in ("", ":*")],
        ),
        allow(
            ["scheduler:GetSchedule", "scheduler:DeleteSchedule"],
            names.arn("scheduler", f"schedule/default/{names.one}"),
        ),
    ]


def _endpoints(names: Names, target: str) -> list[Statement]:
    """Return what is looked at before an endpoint is made, and deleted after it."""
    endpoint = names.arn("sagemaker", f"endpoint/{names.one}")
    if target == "lambda":
        return [allow(["sagemaker:DescribeEndpoint"], endpoint)]
    return [
        allow(["ecr:DescribeImages"], names.arn("ecr", "repository/*")),
        allow(
            [
                *("sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"),
                *("sagemaker:DeleteEndpoint", "sagemaker:ListTags"),
                *("sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel"),
            ],
            [
                endpoint,
                names.arn("sagemaker", f"endpoint-config/{names.hashed}"),
                names.arn("sagemaker", f"model/{names.hashed}"),
            ],
        ),
    ]


def _sweeping_site(names: Names) -> list[Statement]:
    return [
        allow(
            [
                *("cloudfront:ListTagsForResource", "cloudfront:GetDistributionConfig"),
                "cloudfront:GetOriginAccessControl",
                "cloudfront:DeleteOriginAccessControl",
            ],
            f"arn:{names.partition}:cloudfront::{names.account}:*",
        ),
        allow(_OF_ITS_OWN, _distributions(names)[0], _tagged(names)),
    ]
