"""The HTTP API, described (OpenAPI 3.1) from the contract that answers it."""

from __future__ import annotations

from typing import Any

from marfa import __version__
from marfa.container import openapi_judging, openapi_writing
from marfa.container.messages import JSON, PROBLEM, Limits
from marfa.container.routing import QUESTIONS
from marfa.predictor import Predictor
from marfa.writer import Writer

_STATUSES = {
    "400": "The body is not what the content type says.",
    "406": "Nothing that the client accepts can be produced.",
    "408": "The body took too long to arrive.",
    "413": "The body is too large, or holds too many texts.",
    "415": "This content type is not read.",
    "500": "Something that should not happen did.",
    "503": "Too many requests are waiting; Retry-After says when to come back.",
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


def document(model: Predictor | Writer, limits: Limits) -> dict[str, Any]:
    """Describe the API of a served model.

    Args:
        model: the loaded model, which the examples are about.
        limits: what a request may ask for.

    Returns:
        An OpenAPI document.
    """
    if isinstance(model, Predictor):
        about, does = openapi_judging.about(model), "Judge text."
        operation, statuses = openapi_judging.operation(limits), openapi_judging.STATUSES
        schemas, told = openapi_judging.schemas(model, limits), "Labels"
    else:
        about, does = openapi_writing.about(model), "Write text."
        operation, statuses = openapi_writing.operation(limits), openapi_writing.STATUSES
        schemas, told = openapi_writing.schemas(limits), "Alphabet"
    problems = {
        status: _problem(meaning) for status, meaning in sorted((_STATUSES | statuses).items())
    }
    operation["responses"] |= problems
    path = QUESTIONS[model.task]
    name = path.rpartition("/")[2]
    return {
        "openapi": "3.1.0",
        "info": {"title": f"marfa: {model.name}", "version": __version__, "description": about},
        "paths": {
            "/invocations": {"post": {**operation, "operationId": "invoke", "summary": does}},
            path: {
                "post": {**operation, "operationId": name, "summary": "The same, for the page."}
            },
            "/ping": {"get": _get("ping", "200 when the model has loaded and answers.", ("503",))},
            "/readyz": {"get": _get("ready", "The same as /ping.", ("503",))},
            "/healthz": {"get": _get("health", "That the process is alive, and its engine.")},
            "/v1/model": {"get": _get("model", f"{told}, limits and figures of the model.")},
        },
        "components": {"schemas": {**schemas, "Problem": _PROBLEM}},
    }


def _get(name: str, summary: str, problems: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": "As said.", "content": {JSON: {"schema": {"type": "object"}}}},
            **{status: _problem(_STATUSES[status]) for status in problems},
        },
    }


def _problem(meaning: str) -> dict[str, Any]:
    return {
        "description": meaning,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
