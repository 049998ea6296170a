"""The classifier's part of the API's description."""

from __future__ import annotations

from typing import Any

from marfa.container import judging
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
        "description": (
            f"At most {limits.max_body_bytes} bytes and {limits.max_texts} texts, "
            f"{judging.MOST_EXPLAINED} where labels are to be explained."
        ),
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
    closed = {"type": "object", "additionalProperties": False}
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
            "explanation": {
                **closed,
                "description": "What each word adds to the label; where `explain` is true.",
                "required": ["label", "words"],
                "properties": {
                    "label": {"enum": list(model.labels)},
                    "words": {"type": "array", "items": {"$ref": "#/components/schemas/Word"}},
                },
            },
        },
    }
    place = {"type": "integer", "minimum": 0}
    word = {
        **closed,
        "description": "A word that the model has read, where it stands, and what it adds to the label.",
        "required": ["text", "start", "end", "weight"],
        "properties": {
            "text": {"type": "string", "description": "The piece of the text, as it was sent."},
            "start": {**place, "description": "Where it begins, in code points."},
            "end": {**place, "description": "Where it ends."},
            "weight": {
                "type": "number",
                "minimum": -1,
                "maximum": 1,
                "description": "By how much the label's probability falls without the word.",
            },
        },
        "example": {"text": "wonderful", "start": 12, "end": 21, "weight": 0.1834},
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
    explain = {"explain": {"type": "boolean", "default": False}}
    return {
        "Question": {
            "oneOf": [
                {**closed, "required": ["text"], "properties": one | explain},
                {**closed, "required": ["texts"], "properties": many | explain},
            ]
        },
        "Judgement": judgement,
        "Word": word,
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
