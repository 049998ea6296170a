"""One pure function, bytes in and bytes out, behind every door.

`respond` is a task's `parse`, `answer` and `render` with errors turned into problem documents
(RFC 9457). The server takes the parts of an answer one by one, so that several requests can take
turns; the SageMaker handler calls the three functions itself. Nothing here knows a socket, a framework
or a log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from marfa.container import judging, routing, writing
from marfa.container.messages import (
    DEFAULT_LIMITS,
    EVENTS,
    HEALTHY,
    JSON,
    LINES,
    PROBLEM,
    TEXT,
    Limits,
    Part,
    Reply,
    Request,
    Response,
    problem,
    problem_document,
    to_json,
    too_large,
)
from marfa.container.negotiation import negotiate, with_charset
from marfa.errors import MarfaError
from marfa.model import Model
from marfa.predictor import Predictor
from marfa.writer import Writer

__all__ = [
    "DEFAULT_LIMITS",
    "DOORS",
    "EVENTS",
    "HEALTHY",
    "JSON",
    "LINES",
    "PROBLEM",
    "TEXT",
    "Door",
    "Limits",
    "Part",
    "Reply",
    "Request",
    "Response",
    "ask",
    "describe",
    "door",
    "negotiate",
    "problem",
    "problem_document",
    "respond",
    "to_json",
    "too_large",
]


class Door(Protocol):
    """What a task's module offers; queries and answers are its own.

    Attributes:
        AT_ONCE: weight of the portions that are computed in one turn at most.
    """

    AT_ONCE: int

    def parse(self, body: bytes, content_type: str, limits: Limits = ...) -> Any:
        """Understand a body, or raise the error that says why not."""

    def forms(self, query: Any) -> Sequence[str]:
        """Return the content types that the answer can be written in."""

    def answer(self, model: Any, query: Any) -> Any:
        """Answer a query, or begin to: `begin` with what `compute` gives for its `portions`."""

    def portions(self, query: Any) -> list[Any]:
        """Return what can be computed together with other queries' portions; each takes one turn."""

    def weigh(self, portion: Any) -> float:
        """Return how much of a turn a portion takes."""

    def compute(self, model: Any, portions: Sequence[Any]) -> list[Any]:
        """Compute portions, of one query or of several."""

    def begin(self, model: Any, query: Any, computed: Sequence[Any]) -> Any:
        """Answer a query whose portions have been computed."""

    def render(self, model: Any, found: Any, content_type: str) -> Iterator[Part]:
        """Write an answer, computing what is left of it."""

    def describe(self, model: Any, limits: Limits) -> dict[str, Any]:
        """Return what a client may want to know before it asks."""

    def check(self, model: Any) -> None:
        """Compute something, to see that the model can."""


DOORS: Mapping[str, Door] = {Predictor.task: judging, Writer.task: writing}
"""By the task of a model."""


def door(model: Model) -> Door:
    """Return the door of a model's task."""
    return DOORS[model.task]


def respond(model: Model, request: Request, limits: Limits = DEFAULT_LIMITS) -> Response:
    """Answer one request.

    Args:
        model: the loaded model.
        request: what the client sent.
        limits: what a request may ask for.

    Returns:
        The response; a problem document with the right 4xx for anything that cannot be answered.
    """
    try:
        return _route(model, request, limits)
    except MarfaError as error:
        return problem(error)


def _route(model: Model, request: Request, limits: Limits) -> Response:
    match routing.route(model.task, request.method, request.path):
        case "ping":
            door(model).check(model)
            return HEALTHY
        case "model":
            return Response(200, JSON, to_json(describe(model, limits)))
    reply = ask(model, request, limits)
    return Response(200, reply.content_type, b"".join(part.body for part in reply.parts))


def ask(model: Model, request: Request, limits: Limits = DEFAULT_LIMITS) -> Reply:
    """Begin the answer to a question.

    Args:
        model: the loaded model.
        request: a POST to /invocations or to an address of a task.
        limits: what a request may ask for.

    Returns:
        The answer, whose parts are computed when they are read.

    Raises:
        RequestError: with the status that says why there is none; reading the first part may raise one
            too, reading the others none.
    """
    query, content_type = understand(model, request, limits)
    return reply(model, door(model).answer(model, query), content_type)


def understand(model: Model, request: Request, limits: Limits) -> tuple[Any, str]:
    """Return what a request asks of the model's door, and the form that its answer is to have.

    Raises:
        RequestError: with the status that says why it cannot be answered.
    """
    routing.check_question(model.task, request.path)
    its = door(model)
    query = its.parse(request.body, request.content_type, limits)
    return query, negotiate(request.accept, its.forms(query))


def reply(model: Model, found: Any, content_type: str) -> Reply:
    """Return an answer as it is sent, computed while it is read.

    Args:
        model: the loaded model.
        found: what its door answered.
        content_type: what `understand` returned.
    """
    return Reply(with_charset(content_type), door(model).render(model, found, content_type))


def describe(model: Model, limits: Limits) -> dict[str, Any]:
    """Return what a client may want to know of the model before it asks."""
    return door(model).describe(model, limits)
