"""The Lambda function in front of a SageMaker endpoint: what the contract answers, without the model.

What is always the same is answered from a folder beside the package, a wrong address by the rules that
the contract itself asks, and the rest by the endpoint.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config

from marfa import environment
from marfa.container import pages, routing
from marfa.container.front import Front, lease_end
from marfa.container.messages import (
    DEFAULT_LIMITS,
    HEALTHY,
    JSON,
    TEXT,
    Request,
    Response,
    too_large,
)
from marfa.errors import EndpointBusyError, EndpointError
from marfa.proxy.endpoint import CONNECT_SECONDS, Endpoint

SITE = Path(__file__).parents[2] / "site"
"""The folder of pages in the zip."""

SECONDS = 25.0
"""What the function has, where nobody tells how long it still has."""

_MOST_BYTES = min(DEFAULT_LIMITS.max_body_bytes, 4 << 20)
"""Of a body; a serverless endpoint takes 4 MB."""

_SMALL: Mapping[str, Request] = {
    "classifier": Request("POST", routing.INVOCATIONS, TEXT, JSON, b"good"),
    "generator": Request("POST", routing.INVOCATIONS, JSON, JSON, b'{"length":1}'),
}
"""What is asked, by the task, to see whether the model answers."""


class Context(Protocol):
    """What Lambda tells of the call under way."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still take."""


Handler = Callable[[Any, Context | None], dict[str, Any]]


def __getattr__(name: str) -> Any:
    """Make the handler when Lambda looks it up, which it does once, before the first event."""
    if name == "handler":
        settings = environment.read().settings
        endpoint = Endpoint(settings.get("MARFA_ENDPOINT", ""), client)
        return handler_of(SITE, endpoint, ends=lease_end(settings))
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def handler_of(
    site: Path,
    endpoint: Endpoint,
    clock: Callable[[], float] = time.monotonic,
    ends: float | None = None,
) -> Handler:
    """Make the function that Lambda calls.

    Args:
        site: the folder of pages.
        endpoint: what answers questions.
        clock: tells the seconds.
        ends: when the lease ends, in seconds since 1970; None without one.
    """
    fixed = pages.unpack(site)
    asking = Asking(str(json.loads(fixed["/v1/model"].content)["task"]), endpoint, clock)
    front = Front(fixed, asking.respond, ends=ends)

    def handler(event: Any, context: Context | None = None) -> dict[str, Any]:
        asking.begin(context.get_remaining_time_in_millis() / 1000 if context else SECONDS)
        return front.answer(event)

    return handler


class Asking:
    """Answers as the contract does, with an endpoint in the place of the model.

    Lambda hands over one event at a time, so there is one time that is left.

    Args:
        task: the task of the model.
        endpoint: what answers questions.
        clock: tells the seconds.
    """

    def __init__(self, task: str, endpoint: Endpoint, clock: Callable[[], float]) -> None:
        self._task, self._endpoint, self._clock = task, endpoint, clock
        self._ends = 0.0

    def begin(self, seconds: float) -> None:
        """Take note of how long the next answer may take."""
        self._ends = self._clock() + seconds

    def respond(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            MarfaError: if there is no answer.
        """
        if routing.route(self._task, request.method, request.path) == "ping":
            return self._ready()
        if len(request.body) > _MOST_BYTES:  # before what it is, as while reading
            raise too_large(_MOST_BYTES)
        return self._endpoint.ask(request, self._left)

    def _ready(self) -> Response:
        """Say whether the model answers; that it refuses a question is an answer."""
        code = ""
        try:
            if self._endpoint.ask(_SMALL[self._task], self._left).status < 500:
                return HEALTHY
        except EndpointError as error:
            if error.http_status == 503:
                raise
            code = error.code
        message = "the model does not answer"
        raise EndpointBusyError(message, code=code)

    def _left(self) -> float:
        return self._ends - self._clock()


def client(read_seconds: int) -> Any:
    """Make boto3's client, which tries once: what is tried again, and when, is decided here.

    Args:
        read_seconds: how long an answer may take.
    """
    return boto3.client(
        "sagemaker-runtime",
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"total_max_attempts": 1},
        ),
    )
