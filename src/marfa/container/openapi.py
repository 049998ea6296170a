"""The HTTP API, described (OpenAPI 3.1) from the contract that answers it."""

from __future__ import annotations

from typing import Any

from marfa import __version__
from marfa.container.contract import JSON, LINES, PROBLEM, TEXT, Limits
from marfa.predictor import Predictor

_STATUSES = {
    "400": "The body is not what the content type says.",
    "406": "Nothing that the client accepts can be produced.",
    "408": "The body took too long to arrive.",
    "413": "The body is too large, or holds too many texts.",
    "415": "This content type is not read.",
    "422": "No word of the text is left after cleaning, or known to the model.",
    "500": "Something that should not happen did.",
    "503": "Too many requests are waiting; Retry-After says when to come back.",
}


def document(model: Predictor, limits: Limits) -> dict[str, Any]:
    """Describe the API of a served model.

    Args:
        model: the loaded model, whose labels the examples show.
        limits: what a request may ask for.

    Returns:
        An OpenAPI document.
    """
    ask = _ask(limits)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"marfa: {model.name}",
            "version": __version__,
            "description": f"Sorts a text into {', '.join(model.labels)}. Model {model.model_id}.",
        },
        "paths": {
            "/invocations": {"post": {**ask, "operationId": "invoke", "summary": "Judge text."}},
            "/v1/predict": {
                "post": {**ask, "operationId": "predict", "summary": "The same, for the page."}
            },
            "/ping": {"get": _get("ping", "200 when the model has loaded and answers.", ("503",))},
            "/readyz": {"get": _get("ready", "The same as /ping.", ("503",))},
            "/healthz": {"get": _get("health", "That the process is alive, and its engine.")},
            "/v1/model": {"get": _get("model", "Labels, limits and figures of the model.")},
        },
        "components": {"schemas": _schemas(model, limits)},
    }


def _ask(limits: Limits) -> dict[str, Any]:
    text = {"schema": {"type": "string"}, "example": "A film I would gladly see again."}
    return {
        "description": f"At most {limits.max_body_bytes} bytes and {limits.max_texts} texts.",
        "requestBody": {
            "required": True,
            "content": {
                TEXT: text,
                JSON: {"schema": {"$ref": "#/components/schemas/Question"}},
                LINES: {"schema": {"type": "string"}, "example": '{"text": "..."}\n'},
            },
        },
        "responses": {
            "200": {
                "description": "The answer, in the form that Accept asks for.",
                "content": {
                    JSON: {"schema": {"$ref": "#/components/schemas/Answer"}},
                    TEXT: {"schema": {"type": "string"}, "example": "1"},
                    LINES: {"schema": {"type": "string"}},
                },
            },
            **{status: _problem(meaning) for status, meaning in _STATUSES.items()},
        },
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


def _schemas(model: Predictor, limits: Limits) -> dict[str, Any]:
    judgement = {
        "type": "object",
        "required": ["label", "score", "probabilities", "known_words", "model"],
        "properties": {
            "label": {"enum": [*model.labels, None]},
            "score": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "probabilities": {"type": "object", "additionalProperties": {"type": "number"}},
            "known_words": {
                "type": "object",
                "required": ["known", "total", "unknown"],
                "properties": {
                    "known": {"type": "integer", "minimum": 0},
                    "total": {"type": "integer", "minimum": 0},
                    "unknown": {"type": "array", "items": {"type": "string"}, "maxItems": 50},
                },
            },
            "model": {"type": "string"},
            "reason": {"type": "string", "description": "Why there is no label."},
        },
    }
    one, many = (
        {"text": {"type": "string"}},
        {
            "texts": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": limits.max_texts,
            }
        },
    )
    closed = {"type": "object", "additionalProperties": False}
    return {
        "Question": {
            "oneOf": [
                {**closed, "required": ["text"], "properties": one},
                {**closed, "required": ["texts"], "properties": many},
            ]
        },
        "Judgement": judgement,
        "Answer": {
            "oneOf": [
                {"$ref": "#/components/schemas/Judgement"},
                {
                    "type": "object",
                    "required": ["results"],
                    "properties": {
                        "results": {
                            "type": "array",
                            "items": {"$ref": "#/components/schemas/Judgement"},
                        }
                    },
                },
            ]
        },
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
            },
        },
    }
