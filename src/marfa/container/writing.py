"""The generator's door: the beginning of a text in, the text out, whole or as it is made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from marfa.container.continuation import Places
from marfa.container.messages import (
    DEFAULT_LIMITS,
    EVENTS,
    JSON,
    TEXT,
    Limits,
    Part,
    event,
    from_json,
    to_json,
)
from marfa.container.negotiation import decode
from marfa.engines.sampling import Sampling
from marfa.errors import RequestError
from marfa.settings import DrawSettings
from marfa.writer import Task, Writer, new_seed

READ = (TEXT, JSON)
_KEYS = ("prompt", "length", "temperature", "top_k", "top_p", "seed", "continuation")
AT_ONCE = 1
"""Texts are not made together."""

_LENGTH_PROMPT = re.compile(r"([0-9]{1,400})-(.*)", re.DOTALL)
_MOST_SYMBOLS = 8192


@dataclass(frozen=True, slots=True)
class Query:
    """A request that has been understood.

    Attributes:
        prompt: how the text begins, as a person wrote it.
        length: characters of the whole text.
        sampling: how characters are drawn.
        continuation: a token of an earlier answer, whose rest is asked for; empty without one.
    """

    prompt: str
    length: int
    sampling: Sampling
    continuation: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A text that is made while it is read.

    Attributes:
        task: what is written.
        places: its continuation tokens.
        position: characters that the client has; those of the prompt, where it has no others.
        continued: whether the client has them from an earlier answer.
        pieces: what comes after them, a few characters at a time; can be read once.
    """

    task: Task
    places: Places
    position: int
    continued: bool
    pieces: Iterable[str]


def parse(body: bytes, content_type: str, limits: Limits = DEFAULT_LIMITS) -> Query:
    """Understand a body.

    Args:
        body: the bytes.
        content_type: as in the header.
        limits: what a request may ask for.

    Returns:
        What is to be written, with a seed of its own where none was sent.

    Raises:
        RequestError: with the status that says why not: 400, 413 or 415.

    >>> parse(b"100-you are ", "text/plain").prompt
    'you are '
    """
    kind, text = decode(body, content_type, READ, limits)
    if kind == JSON:
        return _parse_json(text, limits)
    found = _LENGTH_PROMPT.fullmatch(text)
    if not found:
        message = "expected the text's length, a dash and its beginning, such as 100-you are"
        raise RequestError(message)
    return Query(found[2], _length(int(found[1]), limits), Sampling(seed=new_seed()))


def _parse_json(text: str, limits: Limits) -> Query:
    document = from_json(text)
    if not isinstance(document, dict):
        message = 'expected an object such as {"prompt": "...", "length": 200}'
        raise RequestError(message)
    if not document.keys() <= set(_KEYS):
        message = f"a key that is not known; expected only {', '.join(_KEYS)}"
        raise RequestError(message)
    prompt, continuation = document.get("prompt", ""), document.get("continuation", "")
    if not isinstance(prompt, str):
        message = "prompt: expected a text"
        raise RequestError(message)
    if not isinstance(continuation, str) or ("continuation" in document and not continuation):
        message = "continuation: expected the id of an event of an earlier answer"
        raise RequestError(message)
    if continuation and "seed" not in document:
        message = "a continuation without the seed of the text that it continues"
        raise RequestError(message, hint="send the seed that the start of the text told")
    sampling = Sampling(
        temperature=_number(document.get("temperature", DrawSettings.temperature)),
        top_k=document.get("top_k", DrawSettings.top_k),
        top_p=_number(document.get("top_p", DrawSettings.top_p)),
        seed=document["seed"] if "seed" in document else new_seed(),
    )
    length = _length(document.get("length", min(DrawSettings.length, limits.max_length)), limits)
    return Query(prompt, length, sampling, continuation)


def _number(value: Any) -> Any:
    """Return a number as the answer repeats it, 1 being 1.0; what is none is left to be refused."""
    if type(value) is not int:
        return value
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _length(value: Any, limits: Limits) -> int:
    if type(value) is not int or not 1 <= value <= limits.max_length:
        message = f"length: expected a whole number from 1 to {limits.max_length}"
        raise RequestError(message, hint="it counts the prompt's characters too")
    return value


def forms(query: Query) -> Sequence[str]:
    """Return the content types that the answer can be written in, the preferred one first."""
    return JSON, TEXT, EVENTS


def portions(query: Query) -> list[Any]:
    """Return nothing: a text is made while its answer is read, and not together with others."""
    return []


def weigh(portion: Any) -> float:
    """Return nothing, since there are no portions."""
    return 0.0


def compute(model: Writer, portions: Sequence[Any]) -> list[Any]:
    """Return nothing, since there are no portions."""
    return []


def begin(model: Writer, query: Query, computed: Sequence[Any]) -> Answer:
    """Begin what a query asks for, as `answer` does."""
    return answer(model, query)


def answer(model: Writer, query: Query) -> Answer:
    """Begin what a query asks for; not a character is made yet.

    Args:
        model: the loaded model.
        query: what `parse` returned.

    Returns:
        The text, made while its pieces are read.

    Raises:
        RequestError: if the prompt is longer than the text, or the continuation of another text.
        EmptyTextError: if nothing is left of the prompt once it is read.
        UnknownTextError: if no character of it is known.
    """
    task = model.plan(query.prompt, query.length, query.sampling)
    places = Places(model.model_id, model.engine.precision, task)
    continued = bool(query.continuation)
    position = places.position(query.continuation) if continued else len(task.prompt)
    return Answer(task, places, position, continued, model.write(task, position))


def render(model: Writer, found: Answer, content_type: str) -> Iterator[Part]:
    """Write an answer in the negotiated form, as far as it has been made.

    Args:
        model: the loaded model.
        found: what `answer` returned.
        content_type: what was negotiated.

    Yields:
        For events each event; otherwise nothing until the text is whole, and then the body.
    """
    if content_type == EVENTS:
        yield from _events(model, found)
        return
    made = [] if found.continued else [found.task.prompt]
    left, written = found.task.length - found.position, 0
    for piece in found.pieces:
        made.append(piece)
        left -= len(piece)
        written = len(piece)
        if left:
            yield Part(characters=written)
    text = "".join(made)
    document = {"text": text, **_told(model, found.task)}
    body = to_json(document) if content_type == JSON else text.encode()
    yield Part(body, written, last=True)


def _events(model: Writer, found: Answer) -> Iterator[Part]:
    told = _told(model, found.task)
    name = told.pop("model")
    yield Part(event("start", {**told, "position": found.position, "model": name}))
    place, end = found.position, found.task.length
    done = event("done", {"position": end})
    for piece in found.pieces:
        if not piece:  # what the client has is being made once more
            yield Part()
            continue
        place += len(piece)
        body = event("text", {"text": piece, "position": place}, found.places.token(place))
        over = place == end
        yield Part(body + done if over else body, len(piece), last=over)
    if found.position == end:
        yield Part(done, last=True)


def _told(model: Writer, task: Task) -> dict[str, Any]:
    return {
        "prompt": task.prompt,
        "length": task.length,
        "temperature": task.sampling.temperature,
        "top_k": task.sampling.top_k,
        "top_p": task.sampling.top_p,
        "seed": task.sampling.seed,
        "unknown": task.unknown,
        "model": model.model_id,
    }


def describe(model: Writer, limits: Limits) -> dict[str, Any]:
    """Return what a client may want to know of the model before it asks."""
    symbols = model.codec.symbols
    return {
        "task": model.task,
        "name": model.name,
        "model": model.model_id,
        "engine": model.engine.name,
        "symbols": len(symbols),
        "alphabet": "".join(symbols) if len(symbols) <= _MOST_SYMBOLS else None,
        "metrics": dict(model.metrics.get("summary", {})),
        "limits": {"body_bytes": limits.max_body_bytes, "length": limits.max_length},
        "defaults": {
            "length": min(DrawSettings.length, limits.max_length),
            **{name: getattr(DrawSettings, name) for name in ("temperature", "top_k", "top_p")},
        },
    }


def check(model: Writer) -> None:
    """Write a character; healthy means that it answers, not that it runs."""
    "".join(model.write(model.plan("", 1, Sampling(temperature=0))))
