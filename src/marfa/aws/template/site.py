"""The page on CloudFront: from a private bucket, with the API under the same address."""

from __future__ import annotations

from typing import Any

from marfa.aws.names import Names
from marfa.aws.template.document import Resources, attribute, resource, sub

URL = sub("https://${Distribution.DomainName}/")

# AWS's managed policies have the same ids in every account (CloudFront developer guide).
_CACHED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
_NEVER_CACHED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
_SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
_READING = ["GET", "HEAD"]
_ALL = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]

_ANSWERED = ("invocations", "healthz", "readyz", "v1/predict", "v1/generate")
"""Addresses that the function answers; all others are files."""


def resources(names: Names, bucket: str, page: str) -> Resources:
    """Write the distribution.

    Args:
        names: the deployment's names.
        bucket: the private bucket.
        page: prefix of the page's files in it; another for each version, so that none is mixed.
    """
    files = {
        "Id": "page",
        "DomainName": sub(f"{bucket}.s3.${{AWS::Region}}.${{AWS::URLSuffix}}"),
        "OriginPath": f"/{page.strip('/')}",
        "OriginAccessControlId": attribute("PageAccess", "Id"),
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    answers = {
        "Id": "api",
        "DomainName": sub("${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"),
        "CustomOriginConfig": {
            "OriginProtocolPolicy": "https-only",
            "OriginSSLProtocols": ["TLSv1.2"],
        },
    }
    return {
        "PageAccess": resource(
            "AWS::CloudFront::OriginAccessControl",
            {
                "OriginAccessControlConfig": {
                    "Name": f"{names.one}-{names.region}",
                    "Description": names.worldwide_mark,
                    "OriginAccessControlOriginType": "s3",
                    "SigningBehavior": "always",
                    "SigningProtocol": "sigv4",
                }
            },
        ),
        "Distribution": resource(
            "AWS::CloudFront::Distribution",
            {
                "DistributionConfig": {
                    "Comment": names.worldwide_mark,
                    "Enabled": True,
                    "HttpVersion": "http2and3",
                    "IPV6Enabled": True,
                    "PriceClass": "PriceClass_All",
                    "DefaultRootObject": "index.html",
                    "Origins": [files, answers],
                    "DefaultCacheBehavior": _behaviour("page", _CACHED, _READING),
                    "CacheBehaviors": [
                        {
                            "PathPattern": f"/{path}",
                            **_behaviour("api", _NEVER_CACHED, _ALL, _ALL_BUT_HOST),
                        }
                        for path in _ANSWERED
                    ],
                },
                "Tags": names.tags,
            },
        ),
    }


def _behaviour(origin: str, cached: str, methods: list[str], passed: str = "") -> dict[str, Any]:
    passing = {"OriginRequestPolicyId": passed} if passed else {}
    return {
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": methods,
        "Compress": True,
        "CachePolicyId": cached,
        "ResponseHeadersPolicyId": _SECURITY_HEADERS,
        **passing,
    }
