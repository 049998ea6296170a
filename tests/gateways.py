"""Events as API Gateway and function URLs send them, made of a request as the contract knows it."""

import base64

TEXTS = ("text/", "application/json")


def _packed(request):
    """The body as a gateway hands it on: text as it is, everything else in base64."""
    if not request.body:
        return {"body": None, "isBase64Encoded": False}
    try:
        if request.content_type.startswith(TEXTS):
            return {"body": request.body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        pass
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def _headers(request, extra):
    named = {"content-type": request.content_type, "accept": request.accept}
    return {
        "host": "abc123.execute-api.eu-west-1.amazonaws.com",
        "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
        "x-forwarded-for": "192.0.2.1",
        **{name: value for name, value in named.items() if value},
        **(extra or {}),
    }


def http(request, stage="$default", headers=None):
    """An HTTP API's event, payload format 2.0; a named stage stands in front of the path."""
    path = request.path if stage == "$default" else f"/{stage}{request.path}"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": _headers(request, headers),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": "abc123.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": "abc123",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": stage,
            "time": "10/Mar/2026:05:16:23 +0000",
            "timeEpoch": 1773119783000,
        },
        **_packed(request),
    }


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
    named = {name.title(): value for name, value in _headers(request, headers).items()}
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
        **_packed(request),
    }


def body_of(answer):
    """The bytes that a gateway would send of an answer."""
    if answer["isBase64Encoded"]:
        return base64.b64decode(answer["body"], validate=True)
    return answer["body"].encode()
