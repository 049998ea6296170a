"""The classifier's door: texts in, labels out."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from marfa import errors, explaining
from marfa.container.messages import (
    DEFAULT_LIMITS,
    JSON,
    LINES,
    TEXT,
    Limits,
    Part,
    from_json,
    problem_document,
    to_json,
)
from marfa.container.negotiation import decode
from marfa.errors import RequestError
from marfa.predictor import EMPTY, Judgement, Predictor

READ = (TEXT, JSON, LINES)
AT_ONCE = 32
"""Texts that are judged in one turn at most; a long one counts for several."""

_LONG = 8192
"""Characters that count for one text: so who waits for the next turn does not wait for megabytes."""

MOST_EXPLAINED = 8
"""Texts of one request that are explained at most: each is read about as often as it has words."""

Portion = list[str]
"""Texts of one query that are judged in one turn."""

_OFFERED = {"one": (JSON, TEXT, LINES), "many": (JSON, LINES), "lines": (LINES,)}


@dataclass(frozen=True, slots=True)
class Query:
    """A request that has been understood.

    Attributes:
        texts: the texts; for JSON Lines an error stands where a line is not understood.
        form: "one", "many" or "lines".
        explained: places among them of the texts whose labels are to be explained.
    """

    texts: Sequence[str | RequestError]
    form: str
    explained: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says.

    Attributes:
        items: a judgement for each text, or the error that stood in its place.
        form: the query's.
        explained: the texts whose labels are to be explained, by their places.
    """

    items: Sequence[Judgement | RequestError]
    form: str
    explained: Mapping[int, str] = field(default_factory=dict)


def parse(body: bytes, content_type: str, limits: Limits = DEFAULT_LIMITS) -> Query:
    """Understand a body.

    Args:
        body: the bytes.
        content_type: as in the header.
        limits: what a request may ask for.

    Returns:
        The texts asked about.

    Raises:
        RequestError: with the status that says why not: 400, 413 or 415.
    """
    kind, text = decode(body, content_type, READ, limits)
    if kind == TEXT:
        return Query([text], "one")
    if kind == JSON:
        return _parse_json(text, limits)
    lines = text.split("\n")
    if lines[-1].strip() == "":
        lines.pop()
    _check_count(len(lines), limits)
    parsed = [_parse_line(line) for line in lines]
    explained = [place for place, (_, wanted) in enumerate(parsed) if wanted]
    return _query([item for item, _ in parsed], "lines", explained)


def _parse_json(text: str, limits: Limits) -> Query:
    match from_json(text):
        case {"text": str(one), **rest} if rest.keys() <= {"explain"}:
            return _query([one], "one", range(_explains(rest)))
        case {"texts": [*many], **rest} if rest.keys() <= {"explain"} and all(
            isinstance(t, str) for t in many
        ):
            _check_count(len(many), limits)
            texts = [str(each) for each in many]
            return _query(texts, "many", range(len(texts) * _explains(rest)))
    message = 'expected {"text": "..."} or {"texts": ["...", "..."]} and nothing else'
    raise RequestError(message)


def _parse_line(line: str) -> tuple[str | RequestError, bool]:
    try:
        match from_json(line):
            case {"text": str(one), **rest} if rest.keys() <= {"explain"}:
                return one, _explains(rest)
    except RequestError as error:
        return error, False
    return RequestError('expected {"text": "..."} on each line and nothing else'), False


def _explains(rest: Mapping[Any, Any]) -> bool:
    wanted = rest.get("explain", False)
    if not isinstance(wanted, bool):
        message = "explain must be true or false"
        raise RequestError(message)
    return wanted


def _query(texts: Sequence[str | RequestError], form: str, explained: Sequence[int]) -> Query:
    if len(explained) > MOST_EXPLAINED:
        message = f"{len(explained)} texts to explain; at most {MOST_EXPLAINED} in one request"
        raise errors.TooLargeError(message, hint="send them in several requests")
    return Query(texts, form, explained)


def _check_count(count: int, limits: Limits) -> None:
    if count == 0:
        message = "no text in the request"
        raise RequestError(message)
    if count > limits.max_texts:
        message = f"{count} texts; at most {limits.max_texts} in one request"
        raise errors.TooLargeError(
            message, hint="send them in several requests, or use marfa score"
        )


def forms(query: Query) -> Sequence[str]:
    """Return the content types that the answer can be written in, the preferred one first."""
    return _OFFERED[query.form]


def answer(model: Predictor, query: Query) -> Answer:
    """Judge what a query asks about.

    Args:
        model: the loaded model.
        query: what `parse` returned.

    Returns:
        What the model says.

    Raises:
        EmptyTextError: if the one text asked about has no word.
        UnknownTextError: if the model knows none of its words.
    """
    return begin(model, query, compute(model, portions(query)))


def portions(query: Query) -> list[Portion]:
    """Return what has to be computed for a query, in pieces that are computed in one turn each."""
    found: list[Portion] = []
    together = 0.0
    for text in query.texts:
        if isinstance(text, str):
            weight = weigh([text])
            if not found or together + weight > AT_ONCE:
                found.append([])
                together = 0.0
            found[-1].append(text)
            together += weight
    return found


def weigh(portion: Portion) -> float:
    """Return how many texts a portion counts for.

    >>> weigh(["a", "b"]), weigh(["a" * 81_920, "b"])
    (2.0, 11.0)
    """
    return sum(max(1.0, len(text) / _LONG) for text in portion)


def compute(model: Predictor, portions: Sequence[Portion]) -> list[Sequence[Judgement]]:
    """Compute portions together, whichever queries they are of; return what each of them gives."""
    judged = iter(model.judge([text for portion in portions for text in portion]))
    return [[next(judged) for _ in portion] for portion in portions]


def begin(model: Predictor, query: Query, computed: Sequence[Sequence[Judgement]]) -> Answer:
    """Put together the answer to a query.

    Args:
        model: the loaded model.
        query: what `parse` returned.
        computed: what `compute` gave for each of its portions.

    Returns:
        What the model says.

    Raises:
        EmptyTextError: if the one text asked about has no word.
        UnknownTextError: if the model knows none of its words.
    """
    judged = iter(item for portion in computed for item in portion)
    items = [next(judged) if isinstance(text, str) else text for text in query.texts]
    first = items[0]
    if query.form == "one" and isinstance(first, Judgement) and not first.known:
        is_empty = not first.total and first.refused in {"", EMPTY}
        kind = errors.EmptyTextError if is_empty else errors.UnknownTextError
        hint = "send a text of words that the model can know"
        raise kind(first.reason, hint=hint, refused=first.refused)
    explained = {place: str(query.texts[place]) for place in query.explained}
    return Answer(items, query.form, explained)


def render(model: Predictor, found: Answer, content_type: str) -> Iterator[Part]:
    """Write an answer in the negotiated form: one part, after an empty one for each step of explaining.

    Args:
        model: the loaded model.
        found: what `answer` returned.
        content_type: what was negotiated.

    Yields:
        The body.

    Raises:
        UnknownTextError: if the one answer has no label and only a bare value was accepted.
    """
    if content_type == TEXT:
        (one,) = found.items
        if not isinstance(one, Judgement) or one.label is None:
            reason = one.reason if isinstance(one, Judgement) else one.what
            refused = one.refused if isinstance(one, Judgement) else ""
            hint = f"accept {JSON} to see the probabilities"
            raise errors.UnknownTextError(reason, hint=hint, refused=refused)
        yield Part(str(model.labels.index(one.label)).encode(), last=True)
        return
    items = yield from _explained(model, found)
    if content_type == LINES:
        yield Part(lines(model, items), last=True)
    else:
        documents = [_document(model, item) for item in items]
        document = documents[0] if found.form == "one" else {"results": documents}
        yield Part(to_json(document), last=True)


def _explained(
    model: Predictor, found: Answer
) -> Generator[Part, None, list[Judgement | RequestError]]:
    """Explain what is to be explained, yielding before each step, and return the items."""
    items = list(found.items)
    for place, text in found.explained.items():
        item = items[place]
        if isinstance(item, Judgement) and item.label is not None:
            yield Part()
            for made in explaining.steps(model, text, item):
                items[place] = replace(item, explanation=made)
                yield Part()
    return items


def lines(model: Predictor, items: Sequence[Judgement | RequestError]) -> bytes:
    """Write judgements as JSON Lines."""
    return b"".join(to_json(_document(model, item)) + b"\n" for item in items)


def _document(model: Predictor, item: Judgement | RequestError) -> dict[str, Any]:
    if isinstance(item, RequestError):
        return {"error": problem_document(item)}
    document: dict[str, Any] = {
        "label": item.label,
        "score": None if item.score is None else round(item.score, 4),
        "probabilities": {label: round(p, 4) for label, p in item.probabilities.items()},
        "known_words": {"known": item.known, "total": item.total, "unknown": list(item.unknown)},
        "model": model.model_id,
    }
    document |= {"reason": item.reason} if item.reason else {}
    document |= {"refused": item.refused} if item.refused else {}
    return document | ({"explanation": _explanation(item.explanation)} if item.explanation else {})


def _explanation(found: explaining.Explanation) -> dict[str, Any]:
    words = [
        {**asdict(word), "weight": round(word.weight, 4) + 0.0} for word in found.words
    ]  # no -0.0
    return {"label": found.label, "words": words}


def describe(model: Predictor, limits: Limits) -> dict[str, Any]:
    """Return what a client may want to know of the model before it asks."""
    return {
        "task": model.task,
        "name": model.name,
        "labels": list(model.labels),
        "model": model.model_id,
        "engine": model.engine.name,
        "metrics": dict(model.metrics.get("summary", {})),
        "card": dict(model.metrics.get("trained_on", {})),
        "refuses": model.refuses,
        "limits": {
            "body_bytes": limits.max_body_bytes,
            "texts": limits.max_texts,
            "explained": MOST_EXPLAINED,
        },
    }


def check(model: Predictor) -> None:
    """Compute an answer; healthy means that it answers, not that it runs."""
    model.judge([model.codec.vocab.words[0]])
