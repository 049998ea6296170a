"""The golden requests of each task: good ones in every form, and bad ones of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from marfa.container.continuation import Places
from marfa.container.messages import EVENTS, JSON, LINES, TEXT, Request
from marfa.engines.sampling import Sampling
from marfa.predictor import Predictor
from marfa.writer import Engine, Reading, Writer, continued

_REVIEWS = (
    "I laughed, I cried, and I told everyone about it. A wonderful evening, superbly acted.",
    "A waste of time: dull, badly made, and far too long. I want my money back.",
    "Not bad at all; I'd expected worse, and the ending surprised me.",
    "It was not good. Score < 5, and <b>never</b> again!<br /><br />Don't go.",
    "فيلم جميل",
    "Un film très réussi, que je recommande à tous.",
    "good",
)
_LENGTH = 60
_SHORT = 4
_CANDIDATES = 30
_NOISE = 1e-4
_NOISES = 3


def of(model: Predictor | Writer) -> Iterator[Request]:
    """Yield the golden requests for a model.

    Args:
        model: the loaded model, on the reference engine.
    """
    yield from judging() if isinstance(model, Predictor) else writing(model)
    yield Request("GET", "/invocations")
    yield Request("GET", "/ping")


def judging() -> Iterator[Request]:
    """Yield the requests for a classifier."""
    for text in _REVIEWS:
        yield _post(TEXT, JSON, text.encode())
    yield _post(TEXT, TEXT, _REVIEWS[0].encode())
    yield _post(f"{TEXT}; charset=utf-8", "*/*", _REVIEWS[1].encode())
    yield _post(JSON, "", _json({"text": _REVIEWS[0]}))
    yield _post(JSON, JSON, _json({"texts": list(_REVIEWS)}))
    yield _post(JSON, JSON, _json({"text": _REVIEWS[3], "explain": True}))
    yield _post(JSON, JSON, b'{"text": "a film", "explain": 1}')
    lines = b"\n".join([_json({"text": _REVIEWS[1]}), b"not json", _json({"text": ""})])
    yield _post(LINES, LINES, lines)
    for body in (b"", b"   ", b"<br /><p></p>", b"\xff\xfe", b"qzxjv wvkqz"):
        yield _post(TEXT, JSON, body)
    for body in (
        b"",
        b"{",
        b"[1]",
        b'{"text": 1}',
        b'{"text": NaN}',
        b"[" * 2000,
        b'{"texts": []}',
    ):
        yield _post(JSON, JSON, body)
    yield _post(JSON, JSON, b'{"text": "\\ud800 wonderful \\u0000 film"}')
    yield _post("text/csv", JSON, b"a,b")
    yield _post(TEXT, "image/png", _REVIEWS[0].encode())
    yield Request("POST", "/v1/generate", JSON, JSON, b"{}")


def writing(model: Writer) -> Iterator[Request]:
    """Yield the requests for a generator.

    Two engines add in another order, so where two characters are as good as equally likely they may
    choose differently, and all that follows differs. Of several like requests the one is taken whose
    text stays the same when every number is moved by far more than engines differ.
    """
    read = model.codec.read
    symbols = [symbol for symbol in model.codec.symbols if read(symbol) == symbol] or [""]
    prompt = "".join(symbols[-5:])
    odd = read(f"{prompt} سلام 🙂")
    greedy = _steady(
        model,
        [
            {"prompt": symbols[number % len(symbols)], "temperature": 0, "seed": number}
            for number in range(_CANDIDATES)
        ],
    )
    plain = _steady(model, _seeds({"prompt": prompt, "temperature": 1}))
    chosen = _steady(model, _seeds({"prompt": prompt, "top_k": 3, "top_p": 0.9}))
    empty = _steady(model, _seeds({"temperature": 0.5}))
    unknown = _steady(model, _seeds({"prompt": odd}))
    for accept in (JSON, TEXT, EVENTS):
        yield _post(JSON, accept, _json(greedy))
    for document in (plain, chosen, empty, unknown):
        yield _post(JSON, "", _json(document))
    yield Request("POST", "/v1/generate", JSON, EVENTS, _json(chosen))
    rest = _json({**chosen, "continuation": _token(model, chosen)})
    for accept in (JSON, f"{TEXT}; q=0.9, {JSON}; q=0.1", EVENTS):
        yield _post(JSON, accept, rest)
    # without a seed the text would be another one each time; a whole prompt leaves nothing to chance
    yield _post(TEXT, TEXT, f"{len(prompt)}-{prompt}".encode())
    yield _post(f"{TEXT}; charset=utf-8", f"{TEXT}, */*; q=0.1", f"{len(odd)}-{odd}".encode())
    yield from _unanswerable(model, prompt, {**chosen, "continuation": _token(model, plain)})


def _unanswerable(model: Writer, prompt: str, forged: dict[str, Any]) -> Iterator[Request]:
    for body in (b"", b"100", b"0-a", b"-1-a", b"ten-a", b"1000000000-a"):
        yield _post(TEXT, JSON, body)
    yield _post(TEXT, JSON, f"{len(prompt) - 1}-{prompt}".encode())
    yield _post(TEXT, JSON, b"10-\xff")
    for text in ("", "{", "[1]", "{}{}", '{"length": NaN}', "[" * 2000):
        yield _post(JSON, JSON, text.encode())
    wrong: tuple[dict[str, Any], ...] = (
        {"prompt": 1},
        {"length": 0},
        {"length": -5},
        {"length": 1 << 40},
        {"length": 2.5},
        {"length": "9"},
        {"length": True},
        {"temperature": -1},
        {"temperature": "5"},
        {"temperature": True},
        {"top_k": -1},
        {"top_k": 1.5},
        {"top_p": 0},
        {"top_p": 2},
        {"seed": -1},
        {"seed": 1 << 60},
        {"text": "a"},
        {"continuation": "9.0123456789abcdef"},
        forged,
    )
    for document in wrong:
        yield _post(JSON, JSON, _json(document))
    yield _post(JSON, JSON, b'{"temperature": 1e999}')
    foreign = next(
        chr(code) for code in range(0x10300, 0x10FFFF) if chr(code) not in model.codec.ids
    )
    yield _post(JSON, JSON, _json({"prompt": foreign * 3}))
    yield _post("application/xml", JSON, b"<a/>")
    yield _post(JSON, "image/png", b"{}")
    yield Request("POST", "/v1/predict", TEXT, JSON, b"good")


def _post(content_type: str, accept: str, body: bytes) -> Request:
    return Request("POST", "/invocations", content_type, accept, body)


def _json(document: Any) -> bytes:
    return json.dumps(document).encode("ascii")


def _seeds(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**document, "seed": seed} for seed in range(1, _CANDIDATES + 1)]


def _token(model: Writer, document: dict[str, Any]) -> str:
    task = model.plan(document.get("prompt", ""), document["length"], _sampling(document))
    return Places(model.model_id, model.engine.precision, task).token(
        (len(task.prompt) + task.length) // 2
    )


def renamed(model: Writer, request: Request) -> Request:
    """Return a request whose place, if it names one, is named as the model's own engine names it."""
    try:
        document = json.loads(request.body)
        position = int(document["continuation"].partition(".")[0])
    except (ValueError, KeyError, TypeError, AttributeError):
        return request
    task = model.plan(document.get("prompt", ""), document["length"], _sampling(document))
    token = Places(model.model_id, model.engine.precision, task).token(position)
    return replace(request, body=_json({**document, "continuation": token}))


def _sampling(document: dict[str, Any]) -> Sampling:
    names = ("temperature", "top_k", "top_p", "seed")
    return Sampling(**{name: document[name] for name in names if name in document})


def _steady(model: Writer, candidates: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first request whose text stays the same, or the first one with a shorter text."""
    for document in candidates:
        asked = {**document, "length": _LENGTH}
        task = model.plan(asked.get("prompt", ""), _LENGTH, _sampling(asked))
        engines = (_Shaken(model.engine, number) for number in range(_NOISES))
        told = {"".join(continued(engine, model.codec, task)) for engine in engines}
        if told == {"".join(model.write(task))}:
            return asked
    first = candidates[0]
    return {**first, "length": len(first.get("prompt", "")) + _SHORT}


class _Shaken:
    """An engine whose numbers are a little off, always in the same way."""

    def __init__(self, engine: Engine, number: int) -> None:
        self.name, self.precision = engine.name, engine.precision
        self._engine, self._number = engine, number

    def open(self, tokens_T: npt.NDArray[np.int64]) -> Reading:
        return _ShakenReading(self._engine.open(tokens_T), self._number)

    def read(
        self, tokens_TB: npt.NDArray[np.int64], state: Any = None
    ) -> tuple[npt.NDArray[np.float32], Any]:
        return self._engine.read(tokens_TB, state)


class _ShakenReading:
    def __init__(self, reading: Reading, number: int) -> None:
        self._reading = reading
        self._random = np.random.default_rng(number)
        self.logits_V = self._moved(reading.logits_V)

    def step(self, token: int) -> npt.NDArray[np.float32]:
        self.logits_V = self._moved(self._reading.step(token))
        return self.logits_V

    def _moved(self, logits_V: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        noise_V = self._random.uniform(-_NOISE, _NOISE, logits_V.shape)
        return (logits_V + noise_V).astype(np.float32)
