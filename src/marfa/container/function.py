"""The Lambda function: the bundle beside this package, answered by the numpy engine.

It answers what `marfa serve` answers, but whole: Lambda streams nothing for Python.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from marfa import bundle as bundles
from marfa import environment, loading
from marfa.container import contract, pages, routing
from marfa.container.contract import DEFAULT_LIMITS, EVENTS, Reply, Request, Response
from marfa.container.front import Front, lease_end
from marfa.container.messages import event, problem_document
from marfa.container.tally import tally
from marfa.errors import TooLargeError
from marfa.predictor import Predictor
from marfa.writer import Writer

MODEL = Path(__file__).parents[2] / "model"
"""The bundle's folder in the zip."""

SECONDS = 15.0
"""Of writing, at most. The page takes a server for lost that says nothing for 20 s, the function has
25 s, and the gateway 30 s."""


def __getattr__(name: str) -> Any:
    """Make the handler when Lambda looks it up, which it does once, before the first event."""
    if name == "handler":
        return handler_of(MODEL, lease_end(environment.read().settings))
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def handler_of(folder: Path, ends: float | None = None) -> Callable[[Any, Any], dict[str, Any]]:
    """Load the model, and make the function that Lambda calls.

    Nothing is asked of the model before: the hashes say that it is the one that was packaged.

    Args:
        folder: the bundle's folder.
        ends: when the lease ends, in seconds since 1970; None without one.

    Raises:
        BundleError: if it is no whole bundle.
    """
    bundle = bundles.load(folder)
    model = loading.of(bundle, engine="numpy")
    fixed = pages.files(model, DEFAULT_LIMITS)
    answering = Answering(model)
    fixed |= pages.own(bundle, fixed)
    front = Front(fixed, answering.respond, told=answering.told, ends=ends)

    def handler(asked: Any, context: Any) -> dict[str, Any]:
        return front.answer(asked)

    return handler


class Answering:
    """Answers with the contract, within the time that there is.

    Args:
        model: the loaded model.
        clock: tells the seconds.
    """

    def __init__(
        self, model: Predictor | Writer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._model, self._clock = model, clock
        self._told: dict[str, Any] = {}

    def told(self) -> dict[str, Any]:
        """Return what the log may tell of the last answer, once."""
        told, self._told = self._told, {}
        return told

    def respond(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            MarfaError: if there is no answer.
        """
        if routing.route(self._model.task, request.method, request.path) != "question":
            return contract.respond(self._model, request)
        if len(request.body) > DEFAULT_LIMITS.max_body_bytes:  # before what it is, as while reading
            raise contract.too_large(DEFAULT_LIMITS.max_body_bytes)
        ends = self._clock() + SECONDS
        query, form = contract.understand(self._model, request, DEFAULT_LIMITS)
        its = contract.door(self._model)
        computed = its.compute(self._model, its.portions(query))
        self._told = tally(computed)  # now: of what is declined there may be no answer
        found = its.begin(self._model, query, computed)
        return self._whole(contract.reply(self._model, found, form), ends)

    def _whole(self, reply: Reply, ends: float) -> Response:
        made = []
        for part in reply.parts:
            made.append(part.body)
            if not part.last and self._clock() > ends:
                message = f"this text takes more than {SECONDS:g} s to write"
                error = TooLargeError(message, hint="ask for a shorter one")
                if not reply.content_type.startswith(EVENTS):
                    raise error
                made.append(event("error", problem_document(error)))  # after what there is of it
                break
        return Response(200, reply.content_type, b"".join(made))
