"""One question put to a SageMaker endpoint, and what came of it in words that a client may read.

What AWS says of a failure names accounts, machines and log streams, so none of its words are passed on.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    ReadTimeoutError,
)

from marfa.container.messages import PROBLEM, Request, Response, come_back
from marfa.errors import (
    EndpointBusyError,
    EndpointError,
    EndpointGoneError,
    EndpointSilentError,
    RequestError,
)

CONNECT_SECONDS = 2
READ_SECONDS = (20, 10, 5)
"""How long an answer may take: the longest of these that the time left allows."""

_SPARE_SECONDS = 1.5
"""Left after the last call, to say how it ended before the function is stopped."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0
_BUSY_STATUSES = {429, 503}
_BUSY = {
    *("ThrottlingException", "ThrottledException", "Throttling", "TooManyRequestsException"),
    *("ModelNotReadyException", "ServiceUnavailable", "ServiceUnavailableException"),
}
_PROBLEM_KEYS = {"type", "title", "status", "detail"}
_WORD = re.compile(r"[A-Za-z0-9]{1,64}")

_NO_BODY = b"\xef\xbb\xbf"
"""A byte order mark, which the contract reads as an empty text: InvokeEndpoint demands a body."""

_UNKNOWN = "application/octet-stream"
_STANDS_FOR = {
    ("Content-Type", ""): _UNKNOWN,
    ("Content-Type", "application/json"): "application/json; charset=utf-8",
    ("Accept", ""): "*/*;q=1",
    ("Accept", "*/*"): "*/*;q=1",
}
"""Headers that would not arrive as they are, and others that the contract answers with the same bytes.
An empty one is not sent at all; AWS's toolkits decode a bare application/json themselves, and fail where
it is no UTF-8; and they take a bare */* for JSON, a form that some answers do not have."""

_LONGEST_HEADER = 1024


class Endpoint:
    """An endpoint, of which nothing is ever wanted but an answer.

    Args:
        name: the endpoint's.
        client: makes boto3's client, given the seconds that an answer may take.
        sleep: waits some seconds.
    """

    def __init__(
        self, name: str, client: Callable[[int], Any], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._name, self._client, self._sleep = name, cache(client), sleep
        self._client(READ_SECONDS[0])  # now: before the first event Lambda gives a whole processor

    def ask(self, request: Request, left: Callable[[], float]) -> Response:
        """Ask until there is an answer, or the endpoint refuses, or there is no time to go on.

        Args:
            request: a question.
            left: tells how many seconds are left.

        Returns:
            What the model answers; a problem document, if that is its answer.

        Raises:
            RequestError: if a header of the request cannot be passed on.
            EndpointError: if there is no answer; its status says why.
        """
        passed = {
            "EndpointName": self._name,
            "Body": request.body or _NO_BODY,
            "ContentType": _header("Content-Type", request.content_type),
            "Accept": _header("Accept", request.accept),
        }
        return self._insist(passed, left)

    def _insist(self, passed: dict[str, Any], left: Callable[[], float]) -> Response:
        pause, code, first = _FIRST_PAUSE, "", True
        while seconds := _patience(left()):
            try:
                found = self._client(seconds).invoke_endpoint(**passed)
                return Response(200, found.get("ContentType") or _UNKNOWN, found["Body"].read())
            except ClientError as error:
                code = _word(error)
                if code == "ModelError":
                    return _original(error.response)
                if not _is_busy(error):
                    raise _refused(error) from None
            except (BotoCoreError, ValueError) as error:  # ValueError: what it cannot decode
                code = type(error).__name__
                # a function that has slept finds its connection dead, which says nothing
                if not (first and isinstance(error, ConnectionClosedError)):
                    raise _failed(error) from None
            first = False
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        message = "the model is busy, or not ready yet"
        raise EndpointBusyError(message, code=code)


def _header(name: str, value: str) -> str:
    """Return a header as InvokeEndpoint takes it, which says what it takes in its model.

    Raises:
        RequestError: if it takes no such value; a line break is none either.
    """
    value = value.strip()
    if len(value) > _LONGEST_HEADER or not (value.isascii() and value.isprintable()):
        message = (
            f"the header {name} cannot be passed on; expected at most {_LONGEST_HEADER} printable "
            "ASCII characters"
        )
        raise RequestError(message)
    return _STANDS_FOR.get((name, value), value)


def _patience(left: float) -> int:
    """Return how long an answer may take where so many seconds are left; 0 where none may be awaited.

    >>> _patience(25), _patience(21), _patience(8.4)
    (20, 10, 0)
    """
    own = CONNECT_SECONDS + _SPARE_SECONDS
    return next((seconds for seconds in READ_SECONDS if seconds + own <= left), 0)


def _word(error: ClientError) -> str:
    """Return AWS's word for a failure, if it is one."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if _WORD.fullmatch(code) else "Unknown"


def _is_busy(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return _word(error) in _BUSY or status in _BUSY_STATUSES


def _refused(error: ClientError) -> EndpointError:
    code = _word(error)
    if code == "ValidationError" and "constraint" not in str(error):
        message = "the endpoint is not there"
        return EndpointGoneError(message, hint="its lease may have ended", code=code)
    message = "the endpoint could not be asked"
    return EndpointError(message, code=code)


def _original(found: dict[str, Any]) -> Response:
    """Return the problem document that the model answered.

    Raises:
        EndpointError: if it answered none, but failed.
    """
    status, told = found.get("OriginalStatusCode"), found.get("OriginalMessage")
    # AWS's toolkits write a traceback below it
    line = told.partition("\n")[0] if isinstance(told, str) else ""
    if isinstance(status, int) and 400 <= status < 600 and _is_problem(line, status):
        return Response(status, PROBLEM, line.encode(), come_back(status))
    message = "the model failed to answer"
    raise EndpointError(message, code="ModelError")


def _is_problem(line: str, status: int) -> bool:
    """Say whether a line is a problem document as the contract writes it, with this status."""
    try:
        document = json.loads(line)
        line.encode()
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(document, dict)
        and document.keys() - {"refused"} == _PROBLEM_KEYS
        and document["type"] == "about:blank"
        and isinstance(document["title"], str)
        and isinstance(document["detail"], str)
        and isinstance(document.get("refused", ""), str)
        and document["status"] == status
    )


def _failed(error: Exception) -> EndpointError:
    code = type(error).__name__
    if isinstance(error, ReadTimeoutError | ConnectTimeoutError):
        message = "the model did not answer in time"
        return EndpointSilentError(message, code=code)
    message = "the endpoint could not be asked"
    return EndpointError(message, code=code)
