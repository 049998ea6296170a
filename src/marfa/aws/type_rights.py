"""What CloudFormation needs for each type of resource that a template of marfa's has.

It is AWS's own list (the `handlers` of the resource schemas), less what belongs to features that no
template of marfa's uses; the tests hold the two together.
"""

from __future__ import annotations

BY_TYPE: dict[str, tuple[str, ...]] = {
    "AWS::Logs::LogGroup": (
        *("logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DescribeLogGroups"),
        *("logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy", "logs:TagResource"),
        *("logs:UntagResource", "logs:ListTagsForResource"),
    ),
    "AWS::Lambda::Function": (
        *("lambda:CreateFunction", "lambda:DeleteFunction", "lambda:GetFunction"),
        *("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
        *("lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency"),
        *(
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:ListTags",
            "lambda:GetLayerVersion",
        ),
        *("lambda:GetFunctionCodeSigningConfig", "lambda:GetRuntimeManagementConfig"),
        *("lambda:GetFunctionRecursionConfig", "lambda:GetFunctionScalingConfig"),
        *("s3:GetObject", "iam:PassRole"),
    ),
    "AWS::Lambda::LayerVersion": (
        *("lambda:PublishLayerVersion", "lambda:DeleteLayerVersion", "lambda:GetLayerVersion"),
        "s3:GetObject",
    ),
    "AWS::Lambda::Permission": (
        *("lambda:AddPermission", "lambda:RemovePermission", "lambda:GetPolicy"),
    ),
    "AWS::ApiGatewayV2::Api": (
        *("apigateway:POST", "apigateway:PUT", "apigateway:GET", "apigateway:PATCH"),
        "apigateway:DELETE",
    ),
    "AWS::ApiGatewayV2::Integration": (
        *("apigateway:POST", "apigateway:PUT", "apigateway:GET", "apigateway:PATCH"),
        "apigateway:DELETE",
    ),
    "AWS::ApiGatewayV2::Route": (
        *("apigateway:POST", "apigateway:PUT", "apigateway:GET", "apigateway:PATCH"),
        "apigateway:DELETE",
    ),
    "AWS::ApiGatewayV2::Stage": (
        *("apigateway:POST", "apigateway:GET", "apigateway:PATCH", "apigateway:DELETE"),
    ),
    "AWS::Scheduler::Schedule": (
        *("scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule"),
        *("scheduler:GetSchedule", "iam:PassRole"),
    ),
    "AWS::SageMaker::Model": (
        *("sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:DescribeModel"),
        *("sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:ListTags", "iam:PassRole"),
    ),
    "AWS::SageMaker::EndpointConfig": (
        *("sagemaker:CreateEndpointConfig", "sagemaker:DeleteEndpointConfig"),
        *("sagemaker:DescribeEndpointConfig", "sagemaker:AddTags", "sagemaker:DeleteTags"),
        "sagemaker:ListTags",
    ),
    "AWS::SageMaker::Endpoint": (
        *("sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint", "sagemaker:DeleteEndpoint"),
        *("sagemaker:DescribeEndpoint", "sagemaker:AddTags", "sagemaker:DeleteTags"),
        "sagemaker:ListTags",
    ),
    "AWS::CloudFront::OriginAccessControl": (
        *("cloudfront:CreateOriginAccessControl", "cloudfront:UpdateOriginAccessControl"),
        *("cloudfront:DeleteOriginAccessControl", "cloudfront:GetOriginAccessControl"),
    ),
    "AWS::CloudFront::Distribution": (
        *("cloudfront:CreateDistribution", "cloudfront:UpdateDistribution"),
        "cloudfront:DeleteDistribution",
        *("cloudfront:GetDistribution", "cloudfront:GetDistributionConfig"),
        *("cloudfront:TagResource", "cloudfront:UntagResource", "cloudfront:ListTagsForResource"),
    ),
}
"""What CloudFormation does for each type of resource of the live stack."""

BASE_TYPES: dict[str, tuple[str, ...]] = {
    "AWS::S3::Bucket": (
        *("s3:CreateBucket", "s3:DeleteBucket", "s3:ListBucket", "s3:PutBucketTagging"),
        *("s3:GetBucketTagging", "s3:PutEncryptionConfiguration", "s3:GetEncryptionConfiguration"),
        *("s3:PutLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
        *("s3:PutBucketPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        *("s3:PutBucketOwnershipControls", "s3:GetBucketOwnershipControls"),
        *("s3:TagResource", "s3:UntagResource", "s3:ListTagsForResource"),
    ),
    "AWS::S3::BucketPolicy": (
        *("s3:PutBucketPolicy", "s3:GetBucketPolicy", "s3:DeleteBucketPolicy"),
    ),
    "AWS::IAM::Role": (
        *("iam:CreateRole", "iam:DeleteRole", "iam:GetRole", "iam:PutRolePolicy"),
        *("iam:DeleteRolePolicy", "iam:GetRolePolicy", "iam:ListRolePolicies"),
        *("iam:ListAttachedRolePolicies", "iam:TagRole", "iam:UntagRole", "iam:UpdateRole"),
        "iam:ListRoleTags",
        *("iam:UpdateRoleDescription", "iam:UpdateAssumeRolePolicy"),
    ),
}
"""What CloudFormation does for the base stack, in the name of whoever deploys."""
