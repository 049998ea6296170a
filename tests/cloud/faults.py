"""A line that fails, power that fails, and an AWS that refuses: at one chosen call of a run.

`Faults(session)` alone counts the calls of a run. `Faults(session, 7, "die-after")` then lets the
seventh fail: count first, and try every number with every kind.
"""

import io
import json

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from tests.cloud.actions import action_of
from tests.cloud.recorder import Recorder

KINDS = (
    "die-before",  # the power fails before the request leaves
    "die-after",  # the request has arrived and been obeyed; the power fails before the answer is here
    "throttle",  # AWS asks to come back later, at every try
    "error500",  # AWS fails, at every try
    "denied",  # AWS refuses
    "timeout",  # the request has arrived and been obeyed; the line fails before the answer is here
    "timeout-before",  # the line fails before the request has arrived
)
_LASTING = {"die-before", "die-after"}


class PowerCut(BaseException):
    """The process is gone: nothing that it would still do may have any effect."""


class Faults(Recorder):
    """Lets one call of a run fail.

    Args:
        session: a boto3 session of which no client has been made yet.
        at: the number of the call that fails, from 1; 0 for none.
        kind: one of KINDS.
        transient: only the first try fails, so that botocore's second one saves the call.
        watch: as for a recorder.

    Attributes:
        fired: whether the call that was to fail has been made.
    """

    def __init__(self, session, at=0, kind="", *, transient=False, watch=None):
        assert kind in {"", *KINDS}, kind
        super().__init__(session, watch)
        self.at, self.kind, self.transient = at, kind, transient
        self.fired = False
        self._dark = False
        self._line = URLLib3Session()
        session.events.register("before-send", self._leaving)

    def _sent(self, **known):
        if self._dark:
            raise PowerCut
        super()._sent(**known)

    def _leaving(self, request, **_):
        self._now.tries += 1
        if self._now.number != self.at or (self.transient and self._now.tries > 1):
            return None
        self.fired = True
        if self.kind in {"die-after", "timeout"}:
            _ = self._line.send(request).content
        if self.kind in _LASTING:
            self._dark = True
            raise PowerCut
        if self.kind == "timeout":
            raise ReadTimeoutError(endpoint_url=request.url)
        if self.kind == "timeout-before":
            raise ConnectTimeoutError(endpoint_url=request.url)
        return _refusal(self._now.model, self._now.call, self.kind, request)


class _Raw(io.BytesIO):
    def stream(self):
        yield self.getvalue()


def _refusal(model, call, kind, request):
    """Answer as the service would, in its own protocol."""
    protocol = model.service_model.resolved_protocol
    status, code = _CODES[kind][protocol]
    if call.service == "s3":
        status, code = _S3_CODES[kind]
    message = {
        "throttle": "Rate exceeded",
        "error500": "We encountered an internal error. Please try again.",
        "denied": "User: arn:aws:iam::123456789012:user/marfa is not authorized to perform: "
        f"{action_of(call.service, call.operation)} because no identity-based policy allows it",
    }[kind]
    headers = {"x-amzn-requestid": "0", "content-type": "text/xml"}
    if protocol in {"json", "rest-json"}:
        headers |= {"content-type": "application/json", "x-amzn-errortype": code}
        body = json.dumps({"__type": code, "message": message})
    else:
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        if call.service != "s3":
            body = f"<ErrorResponse>{body}<RequestId>0</RequestId></ErrorResponse>"
    raw = _Raw(b"" if request.method == "HEAD" else body.encode())
    return AWSResponse(request.url, status, headers, raw)


_CODES = {
    "throttle": {
        "query": (400, "Throttling"),
        "rest-xml": (400, "Throttling"),
        "json": (400, "ThrottlingException"),
        "rest-json": (429, "TooManyRequestsException"),
    },
    "error500": {
        "query": (500, "InternalFailure"),
        "rest-xml": (500, "InternalError"),
        "json": (500, "InternalServerException"),
        "rest-json": (500, "InternalServerException"),
    },
    "denied": {
        "query": (403, "AccessDenied"),
        "rest-xml": (403, "AccessDenied"),
        "json": (400, "AccessDeniedException"),
        "rest-json": (403, "AccessDeniedException"),
    },
}
_S3_CODES = {
    "throttle": (503, "SlowDown"),
    "error500": (500, "InternalError"),
    "denied": (403, "AccessDenied"),
}
