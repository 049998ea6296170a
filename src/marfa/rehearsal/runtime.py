"""SageMaker's runtime API on this machine, for clients that believe it to be AWS: boto3, the AWS CLI.

    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=http://127.0.0.1:PORT

A request is looked at as AWS does, headers and signature included; the signature itself is not verified,
so that any credentials will do. Then it goes to the container, and what that answers comes back in AWS's
form: an answer above 399 as 424 ModelError.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from marfa.rehearsal import eventstream
from marfa.rehearsal.loopback import Answer, Asked

MOST_BYTES = 6_291_456
"""Of a body, before an endpoint on a machine of its own."""

MOST_SERVERLESS_BYTES = 4 << 20

SECONDS = 60.0
"""How long a container may take."""

_PATH = re.compile(r"/endpoints/([^/]+)/(invocations|invocations-response-stream)")
_NAME = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}")
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/,\s]+/\d{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request, ?"
    r"SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}"
)
_LONGEST_HEADER = 1024
_PASSED = (
    *("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes"),
    *("X-Amzn-SageMaker-Inference-Id", "X-Amzn-SageMaker-Session-Id"),
)
"""Headers that reach the container; AWS takes all others off."""

_ACCEPT_STREAMED = "X-Amzn-SageMaker-Accept"
"""Where a call for a stream says what the container is to hear as `Accept`."""

_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_REFUSALS = {400: "ValidationError", 413: "413"}


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint that is in service.

    Attributes:
        name: its name.
        url: where its container answers.
        variant: name of its one variant.
        serverless: it is one, with a smaller body and without streams.
        account: the account's number, for its messages.
        region: where it is.
    """

    name: str
    url: str
    variant: str = "live"
    serverless: bool = False
    account: str = "000000000000"
    region: str = "us-east-1"

    @property
    def most_bytes(self) -> int:
        """Return the largest body."""
        return MOST_SERVERLESS_BYTES if self.serverless else MOST_BYTES

    @property
    def log(self) -> str:
        """Return the ARN of its log."""
        group = f"log-group:/aws/sagemaker/Endpoints/{self.name}"
        return f"arn:aws:logs:{self.region}:{self.account}:{group}"


class Runtime:
    """Answers calls of SageMaker's runtime API.

    Args:
        seconds: how long a container may take.

    Attributes:
        endpoints: those in service, by name.
        refusals: what the next calls meet in place of the endpoint: a status and AWS's word for it.
        calls: how many calls there were of each status.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.refusals: deque[tuple[int, str]] = deque()
        self.calls: Counter[int] = Counter()
        self._seconds, self._lock = seconds, threading.Lock()

    def answer(self, asked: Asked) -> Answer:
        """Answer one call."""
        answer = self._answered(asked)
        with self._lock:
            self.calls[answer.status] += 1
        return answer

    def _answered(self, asked: Asked) -> Answer:
        found = _PATH.fullmatch(asked.path)
        if not found or asked.method != "POST":
            return _refused(404, "UnknownOperationException", "")
        if unsigned := _signature(asked):
            return unsigned
        with self._lock:
            refusal = self.refusals.popleft() if self.refusals else None
        if refusal:
            return _refused(*refusal, "Rate exceeded")
        name = unquote(found[1])
        endpoint = self.endpoints.get(name)
        if not _NAME.fullmatch(name):
            return _invalid("endpointName", "satisfy regular expression pattern")
        if endpoint is None:
            return _refused(400, "ValidationError", f"Endpoint {name} of account not found.")
        if wrong := _wrong(asked, endpoint):
            return wrong
        streamed = found[2] != "invocations"
        if streamed and endpoint.serverless:
            message = "InvokeEndpointWithResponseStream is not supported by serverless endpoints"
            return _refused(400, "ValidationError", message)
        return self._pass_on(asked, endpoint, streamed=streamed)

    def _pass_on(self, asked: Asked, endpoint: Endpoint, *, streamed: bool) -> Answer:
        line = http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=self._seconds)
        headers = {name: asked.header(name) for name in _PASSED if asked.header(name)}
        if streamed:
            headers.pop("Accept", "")
            if accept := asked.header(_ACCEPT_STREAMED):
                headers["Accept"] = accept
        try:
            line.request("POST", "/invocations", asked.body, headers)
            response = line.getresponse()
            if response.status >= 400 or not streamed:
                body = response.read()
        except (OSError, http.client.HTTPException) as error:
            line.close()
            return _no_answer(endpoint, error)
        if response.status >= 400:
            line.close()
            return _model_error(endpoint, response.status, body.decode("utf-8", "replace"))
        kind = response.headers.get("Content-Type", "")
        attributes = response.headers.get(_ATTRIBUTES, "")
        told = [("x-Amzn-Invoked-Production-Variant", endpoint.variant)]
        told += [(_ATTRIBUTES, attributes)] if attributes else []
        if not streamed:
            line.close()
            return Answer(200, (("Content-Type", kind), *told), body)
        told += [("Content-Type", eventstream.KIND), ("X-Amzn-SageMaker-Content-Type", kind)]
        return Answer(200, tuple(told), _parts(line, response))


def _parts(line: http.client.HTTPConnection, response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield what a container says, as it says it, in frames; and how it ended, if not well."""
    try:
        while content := response.read1(1 << 16):
            yield eventstream.part(content)
    except TimeoutError:
        yield eventstream.failure("the model took too long", "ModelInvocationTimeExceeded")
    except (OSError, http.client.HTTPException):
        yield eventstream.failure("the container broke off its answer", "StreamBroken")
    finally:
        response.close()
        line.close()


def _signature(asked: Asked) -> Answer | None:
    """Return the refusal of a call that is not signed, or not for SageMaker."""
    given = asked.header("authorization")
    if not given:
        return _refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    found = _SIGNED.fullmatch(given)
    if not found:
        message = "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'."
        return _refused(403, "IncompleteSignatureException", message)
    if found[1] != "sagemaker":
        message = "Credential should be scoped to correct service: 'sagemaker'."
        return _refused(403, "InvalidSignatureException", message)
    return None


def _wrong(asked: Asked, endpoint: Endpoint) -> Answer | None:
    """Return the refusal of a call that AWS would not let through to the container."""
    if len(asked.body) > endpoint.most_bytes:
        return _too_large(endpoint.most_bytes)
    if not asked.body:
        return _invalid("body", "have length greater than or equal to 1")
    for name in (*_PASSED, _ACCEPT_STREAMED):
        value = asked.header(name)
        if len(value) > _LONGEST_HEADER or not (value.isascii() and (value + " ").isprintable()):
            return _invalid(name, f"have length less than or equal to {_LONGEST_HEADER}")
    return None


def refuse(status: int) -> Answer:
    """Return the answer to what is no request that can be read."""
    if status == 413:
        return _too_large(MOST_BYTES)
    return _refused(400, "ValidationError", "the request cannot be read")


def _too_large(most: int) -> Answer:
    message = f"HTTP content length exceeded {most} bytes."
    return Answer(413, (("Content-Type", "application/json"),), _json({"message": message}))


def _invalid(member: str, constraint: str) -> Answer:
    message = (
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
        f"Member must {constraint}"
    )
    return _refused(400, "ValidationError", message)


def _refused(status: int, word: str, message: str, **more: Any) -> Answer:
    headers = (
        ("Content-Type", "application/json"),
        ("x-amzn-errortype", f"{word}:http://internal.amazon.com/coral/com.amazon.sagemaker/"),
    )
    return Answer(status, headers, _json({"Message": message, **more} if message else more))


def _model_error(endpoint: Endpoint, status: int, original: str) -> Answer:
    whose = "client" if 400 <= status < 500 else "server"
    message = (
        f'Received {whose} error ({status}) from primary with message "{original}". See '
        f"https://{endpoint.region}.console.aws.amazon.com/cloudwatch/home in account "
        f"{endpoint.account} for more information."
    )
    code = "CLIENT_ERROR_FROM_MODEL" if whose == "client" else "INTERNAL_FAILURE_FROM_MODEL"
    return _refused(
        424,
        "ModelError",
        message,
        OriginalStatusCode=status,
        OriginalMessage=original,
        LogStreamArn=endpoint.log,
        ErrorCode=code,
    )


def _no_answer(endpoint: Endpoint, error: Exception) -> Answer:
    """Return what AWS says of a container that is silent, or gone."""
    told = "Your invocation timed out while waiting for a response from container primary."
    if not isinstance(error, TimeoutError):
        told = "The container primary closed the connection."
    return _model_error(endpoint, 0, told)


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()
