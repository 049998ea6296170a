"""The public address: an HTTP API that hands everything to the function."""

from __future__ import annotations

from typing import Any

from marfa.aws.names import TAG, Names
from marfa.aws.template.document import Resources, attribute, ref, resource, sub
from marfa.settings import CloudSettings

URL = sub("https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/")
_GATEWAY_MS = 29_000
"""A little more than the function has, and less than the 30 s that an HTTP API allows."""


def resources(names: Names, settings: CloudSettings) -> Resources:
    """Write the API, its one route, its throttled stage, and the leave to call the function.

    Args:
        names: the deployment's names.
        settings: rate, burst, and whose pages may ask.
    """
    return {
        "Api": resource(
            "AWS::ApiGatewayV2::Api",
            {
                "Name": names.one,
                "Description": names.mark,
                "ProtocolType": "HTTP",
                "CorsConfiguration": _cors(settings.allow_origin),
                "Tags": {TAG: names.deployment},
            },
        ),
        "Integration": resource(
            "AWS::ApiGatewayV2::Integration",
            {
                "ApiId": ref("Api"),
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": attribute("Function", "Arn"),
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": _GATEWAY_MS,
            },
        ),
        "Route": resource(
            "AWS::ApiGatewayV2::Route",
            {
                "ApiId": ref("Api"),
                "RouteKey": "$default",
                "Target": sub("integrations/${Integration}"),
            },
        ),
        "Stage": resource(
            "AWS::ApiGatewayV2::Stage",
            {
                "ApiId": ref("Api"),
                "StageName": "$default",
                "AutoDeploy": True,
                "DefaultRouteSettings": {
                    "ThrottlingRateLimit": settings.rate,
                    "ThrottlingBurstLimit": settings.burst,
                },
                "Tags": {TAG: names.deployment},
            },
            # with the leave given and the route there, the address answers from its first second
            after=["Permission", "Route"],
        ),
        "Permission": resource(
            "AWS::Lambda::Permission",
            {
                "FunctionName": ref("Function"),
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": sub(
                    "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}"
                    ":${Api}/*/$default"
                ),
            },
        ),
    }


def _cors(allow_origin: str) -> dict[str, Any] | None:
    """Allow other origins only where somebody has named them; the page itself needs none."""
    origins = [origin.strip() for origin in allow_origin.split(",") if origin.strip()]
    if not origins:
        return None
    return {
        "AllowOrigins": origins,
        "AllowMethods": ["GET", "HEAD", "POST"],
        "AllowHeaders": ["accept", "content-type"],
        "MaxAge": 3600,
    }
