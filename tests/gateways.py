"""Events as API Gateway and function URLs send them, made of a request as the contract knows it.

HTTP APIs' events are made by the gateway of `marfa rehearse`; the others are made here.
"""

import base64
from datetime import UTC, datetime

from marfa.rehearsal import events
from marfa.rehearsal.events import Place
from marfa.rehearsal.loopback import Asked

WHEN = datetime(2026, 3, 10, 5, 16, 23, tzinfo=UTC)


def asked_of(request, stage="$default", headers=None):
    """A request as it comes over a line; a named stage stands in front of the path."""
    named = {"User-Agent": "curl/8.5.0", **_named(request), **(headers or {})}
    path = request.path if stage == "$default" else f"/{stage}{request.path}"
    return Asked(request.method, path, tuple(named.items()), request.body)


def _named(request):
    named = {"Content-Type": request.content_type, "Accept": request.accept}
    return {name: value for name, value in named.items() if value}


def http(request, stage="$default", headers=None):
    """An HTTP API's event, payload format 2.0."""
    place = Place(stage=stage, source="192.0.2.1")
    return events.http(asked_of(request, stage, headers), place, WHEN, "JKJaXmPLvHcESHA=")


def url(request, headers=None):
    """A function URL's event: the same format without an API."""
    event = http(request, headers=headers)
    event["requestContext"] |= {
        "accountId": "anonymous",
        "domainName": "abc123.lambda-url.eu-west-1.on.aws",
    }
    return event


def rest(request, stage="prod", headers=None):
    """A REST API's event, payload format 1.0: the path stands there without its stage."""
    named = {
        "Host": "def456.execute-api.eu-west-1.amazonaws.com",
        "X-Amzn-Trace-Id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
        "X-Forwarded-For": "192.0.2.1",
        **_named(request),
        **(headers or {}),
    }
    return {
        "resource": "/{proxy+}",
        "path": request.path,
        "httpMethod": request.method,
        "headers": named,
        "multiValueHeaders": {name: [value] for name, value in named.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": request.path.strip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "def456",
            "domainName": "def456.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": "def456",
            "extendedRequestId": "JJbxmplHYosFVYQ=",
            "httpMethod": request.method,
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "curl/8.5.0"},
            "path": f"/{stage}{request.path}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTime": "10/Mar/2026:05:16:23 +0000",
            "requestTimeEpoch": 1773119783000,
            "resourceId": "123456",
            "resourcePath": "/{proxy+}",
            "stage": stage,
        },
        "body": None,
        **events.packed(asked_of(request)),
    }


def body_of(answer):
    """The bytes that a gateway would send of an answer."""
    if answer["isBase64Encoded"]:
        return base64.b64decode(answer["body"], validate=True)
    return answer["body"].encode()
