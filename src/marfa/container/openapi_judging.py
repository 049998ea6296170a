"""The classifier's part of the API's description."""

from __future__ import annotations

from typing import Any

from marfa.container.contract import JSON, LINES, TEXT, Limits
from marfa.predictor import EMPTY, SCRIPT, SHORT, UNKNOWN, Predictor

STATUSES = {"422": "No word of the text is left after cleaning, or known to the model."}


def about(model: Predictor) -> str:
    """Say what the model does."""
    return f"Sorts a text into {', '.join(model.labels)}. Model {model.model_id}."


def operation(limits: Limits) -> dict[str, Any]:
    """Describe a question and a good answer."""
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
        },
    }


def schemas(model: Predictor, limits: Limits) -> dict[str, Any]:
    """Describe the shapes of questions and answers."""
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
            "refused": {
                "enum": [EMPTY, UNKNOWN, SCRIPT, SHORT],
                "description": "The same in a word.",
            },
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
    }
