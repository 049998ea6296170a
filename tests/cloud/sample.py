"""A template with every type that CloudFormation can make here, for the tests of the bed itself."""

import copy
import io
import json
import zipfile

from tests.cloud.aws import ACCOUNT, REGION

TAGS = [{"Key": "whose", "Value": "soup"}]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/soup-role"
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
PLACE = {"LocationConstraint": REGION}

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def policy(action="logs:PutLogEvents"):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}],
    }


def code(session, bucket="code-of-others"):
    """Put a zip into a bucket of its own, for functions and layers."""
    s3 = session.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=PLACE)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("soup.py", "hot = True\n")
    s3.put_object(Bucket=bucket, Key="code.zip", Body=whole.getvalue())


def one(kind, properties, after=()):
    """Write one resource."""
    return {"Type": kind, "Properties": properties, **({"DependsOn": list(after)} if after else {})}


def get(name, attribute):
    return {"Fn::GetAtt": [name, attribute]}


ZIP = {"S3Bucket": "code-of-others", "S3Key": "code.zip"}
RESOURCES = {
    "Bucket": one(
        "AWS::S3::Bucket",
        {
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "half",
                        "Status": "Enabled",
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                    }
                ]
            },
            "Tags": TAGS,
        },
    ),
    "BucketPolicy": one(
        "AWS::S3::BucketPolicy",
        {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:PutBucketAcl",
                        "Resource": [get("Bucket", "Arn"), {"Fn::Sub": "${Bucket.Arn}/*"}],
                    }
                ],
            },
        },
    ),
    "Role": one(
        "AWS::IAM::Role",
        {
            "RoleName": "soup-role",
            "AssumeRolePolicyDocument": _TRUST,
            "Policies": [{"PolicyName": "logs", "PolicyDocument": policy()}],
            "Tags": TAGS,
        },
    ),
    "Log": one(
        "AWS::Logs::LogGroup",
        {"LogGroupName": "/aws/lambda/soup", "RetentionInDays": 14, "Tags": TAGS},
    ),
    "Layer": one(
        "AWS::Lambda::LayerVersion",
        {
            "LayerName": "soup-numpy",
            "Content": ZIP,
            "CompatibleRuntimes": ["python3.13"],
            "CompatibleArchitectures": ["arm64"],
        },
    ),
    "Function": one(
        "AWS::Lambda::Function",
        {
            "FunctionName": "soup",
            "Runtime": "python3.13",
            "Handler": "soup.handler",
            "Architectures": ["arm64"],
            "Role": get("Role", "Arn"),
            "Code": ZIP,
            "MemorySize": 512,
            "Layers": [{"Ref": "Layer"}],
            "ReservedConcurrentExecutions": 5,
            "Environment": {"Variables": {"HOT": "yes"}},
            "Tags": TAGS,
        },
        after=["Log"],
    ),
    "Permission": one(
        "AWS::Lambda::Permission",
        {
            "FunctionName": {"Ref": "Function"},
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {
                "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}"
                ":${Api}/*/$default"
            },
        },
    ),
    "Api": one(
        "AWS::ApiGatewayV2::Api",
        {
            "Name": "soup",
            "ProtocolType": "HTTP",
            "CorsConfiguration": {"AllowOrigins": ["https://example.org"]},
            "Tags": {"whose": "soup"},
        },
    ),
    "Integration": one(
        "AWS::ApiGatewayV2::Integration",
        {
            "ApiId": {"Ref": "Api"},
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": get("Function", "Arn"),
            "PayloadFormatVersion": "2.0",
            "TimeoutInMillis": 29_000,
        },
    ),
    "Route": one(
        "AWS::ApiGatewayV2::Route",
        {
            "ApiId": {"Ref": "Api"},
            "RouteKey": "$default",
            "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "Integration"}]]},
        },
    ),
    "Stage": one(
        "AWS::ApiGatewayV2::Stage",
        {
            "ApiId": {"Ref": "Api"},
            "StageName": "$default",
            "AutoDeploy": True,
            "DefaultRouteSettings": {"ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 20},
        },
        after=["Route"],
    ),
    "Lease": one(
        "AWS::Scheduler::Schedule",
        {
            "Name": "soup",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": "rate(5 minutes)",
            "StartDate": {"Ref": "End"},
            "Target": {
                "Arn": "arn:aws:scheduler:::aws-sdk:cloudformation:deleteStack",
                "RoleArn": get("Role", "Arn"),
                "Input": {"Fn::Sub": '{"StackName":"${AWS::StackId}"}'},
            },
        },
    ),
    "Model": one(
        "AWS::SageMaker::Model",
        {
            "ModelName": "soup-1",
            "ExecutionRoleArn": get("Role", "Arn"),
            "PrimaryContainer": {"Image": "images/soup:1"},
            "Tags": TAGS,
        },
    ),
    "Config": one(
        "AWS::SageMaker::EndpointConfig",
        {
            "EndpointConfigName": "soup-1",
            "ProductionVariants": [
                {
                    "VariantName": "all",
                    "ModelName": get("Model", "ModelName"),
                    "InstanceType": "ml.t2.medium",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": 1.0,
                }
            ],
            "Tags": TAGS,
        },
    ),
    "Endpoint": one(
        "AWS::SageMaker::Endpoint",
        {
            "EndpointName": "soup",
            "EndpointConfigName": get("Config", "EndpointConfigName"),
            "Tags": TAGS,
        },
        after=["Lease"],
    ),
    "Access": one(
        "AWS::CloudFront::OriginAccessControl",
        {
            "OriginAccessControlConfig": {
                "Name": "soup",
                "Description": "whose=soup",
                "OriginAccessControlOriginType": "s3",
                "SigningBehavior": "always",
                "SigningProtocol": "sigv4",
            }
        },
    ),
    "Distribution": one(
        "AWS::CloudFront::Distribution",
        {
            "DistributionConfig": {
                "Comment": "whose=soup",
                "Enabled": True,
                "IPV6Enabled": True,
                "Origins": [
                    {
                        "Id": "page",
                        "DomainName": get("Bucket", "RegionalDomainName"),
                        "OriginAccessControlId": get("Access", "Id"),
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                    },
                    {
                        "Id": "api",
                        "DomainName": {
                            "Fn::Sub": "${Api}.execute-api.${AWS::Region}.amazonaws.com"
                        },
                        "CustomOriginConfig": {
                            "OriginProtocolPolicy": "https-only",
                            "OriginSSLProtocols": ["TLSv1.2"],
                        },
                    },
                ],
                "DefaultCacheBehavior": {
                    "TargetOriginId": "page",
                    "ViewerProtocolPolicy": "redirect-to-https",
                    "AllowedMethods": ["GET", "HEAD"],
                },
            },
            "Tags": TAGS,
        },
    ),
}
OUTPUTS = {
    "Url": {"Value": get("Api", "ApiEndpoint")},
    "Site": {"Value": {"Fn::Sub": "https://${Distribution.DomainName}/"}},
    "Bucket": {"Value": {"Ref": "Bucket"}},
    "End": {"Value": {"Ref": "End"}},
}


def whole():
    """Return a copy of the whole template, to be changed as a test likes."""
    return copy.deepcopy(
        {"Parameters": {"End": {"Type": "String"}}, "Resources": RESOURCES, "Outputs": OUTPUTS}
    )


def only(*names, outputs=()):
    """Return a template of some of the resources."""
    template = whole()
    template["Resources"] = {name: template["Resources"][name] for name in names}
    template["Outputs"] = {name: template["Outputs"][name] for name in outputs}
    if "Lease" not in names:
        del template["Parameters"]
    return template


def wanted(template, name="soup", **parameters):
    """Return what CreateStack and UpdateStack are given."""
    given = {"End": "2027-01-01T14:00:00Z"} if "Parameters" in template else {}
    return {
        "StackName": name,
        "TemplateBody": json.dumps(template),
        "Capabilities": CAPABILITIES,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in {**given, **parameters}.items()
        ],
        "Tags": TAGS,
    }
