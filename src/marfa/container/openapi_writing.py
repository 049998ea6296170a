"""The generator's part of the API's description."""

from __future__ import annotations

from typing import Any

from marfa.container.contract import EVENTS, JSON, TEXT, Limits
from marfa.settings import DrawSettings
from marfa.writer import Writer

STATUSES = {
    "400": "The body is not what the content type says, or a value is outside its limits.",
    "413": "The body is too large.",
    "422": "Nothing is left of the prompt once it is read, or no character of it is known.",
}
_EXAMPLE = (
    'event: start\ndata: {"prompt":"you are ","length":100, ...}\n\n'
    'id: 9.3f2a9c0d17e4b586\nevent: text\ndata: {"text":"s","position":9}\n\n'
    'event: done\ndata: {"position":100}\n\n'
)


def about(model: Writer) -> str:
    """Say what the model does."""
    return (
        f"Writes text, character by character, with {len(model.codec.symbols)} symbols. "
        f"Model {model.model_id}."
    )


def operation(limits: Limits) -> dict[str, Any]:
    """Describe a question and a good answer."""
    text = {
        "schema": {"type": "string", "description": "LENGTH-PROMPT"},
        "example": "100-you are ",
    }
    return {
        "description": (
            f"At most {limits.max_body_bytes} bytes and {limits.max_length} characters. "
            "As events the text comes while it is made."
        ),
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/Question"}}, TEXT: text},
        },
        "responses": {
            "200": {
                "description": "The text, in the form that Accept asks for.",
                "content": {
                    JSON: {"schema": {"$ref": "#/components/schemas/Answer"}},
                    TEXT: {"schema": {"type": "string"}},
                    EVENTS: {"schema": {"type": "string"}, "example": _EXAMPLE},
                },
            },
        },
    }


def schemas(limits: Limits) -> dict[str, Any]:
    """Describe the shapes of questions and answers."""
    largest = 2**53 - 1
    length = {"type": "integer", "minimum": 1, "maximum": limits.max_length}
    temperature = {"type": "number", "minimum": 0, "maximum": 10}
    top_k = {"type": "integer", "minimum": 0}
    top_p = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    seed = {"type": "integer", "minimum": 0, "maximum": largest}
    question = {
        "prompt": {"type": "string", "default": ""},
        "length": {**length, "default": min(DrawSettings.length, limits.max_length)},
        "temperature": {**temperature, "default": DrawSettings.temperature},
        "top_k": {**top_k, "default": DrawSettings.top_k},
        "top_p": {**top_p, "default": DrawSettings.top_p},
        "seed": seed,
        "continuation": {"type": "string"},
    }
    answer = {
        "text": {"type": "string"},
        "prompt": {"type": "string"},
        "length": length,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "seed": seed,
        "unknown": {"type": "integer", "minimum": 0},
        "model": {"type": "string"},
    }
    start = {name: shape for name, shape in answer.items() if name != "text"}
    position = {"type": "integer", "minimum": 0, "maximum": limits.max_length}
    return {
        "Question": {
            "type": "object",
            "additionalProperties": False,
            "description": (
                "length counts the prompt too. temperature 0 is always the likeliest character. "
                "top_k and top_p draw among the likeliest only. The same seed gives the same text. "
                "continuation is the id of the last event that arrived; with it, and the seed "
                "that start told, the answer is what comes after."
            ),
            "properties": question,
        },
        "Answer": {
            "type": "object",
            "description": (
                "text begins with prompt, which is the prompt as the model reads it; after a "
                "continuation it is what comes after. unknown counts the prompt's characters "
                "that are not in the alphabet."
            ),
            "required": list(answer),
            "properties": answer,
        },
        "Start": {
            "type": "object",
            "description": "The data of the event start; position counts the characters so far.",
            "required": [*start, "position"],
            "properties": {**start, "position": position},
        },
        "Text": {
            "type": "object",
            "description": "The data of an event text; its id names this place as a continuation.",
            "required": ["text", "position"],
            "properties": {"text": {"type": "string"}, "position": position},
        },
        "Done": {
            "type": "object",
            "description": "The data of the event done; in its place a Problem under error.",
            "required": ["position"],
            "properties": {"position": position},
        },
    }
