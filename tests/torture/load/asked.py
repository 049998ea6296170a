"""What a server is asked under load, and how its answers are known to be right."""

from __future__ import annotations

import http.client
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from tests import streamed
from tests.torture.load.client import Ask, post

_CLAIMS = (
    "good",
    "dull",
    "wonderful",
    "slow",
    "honest",
    "silly",
    "moving",
    "flat",
    "clever",
    "long",
)
_THINGS = (
    "story",
    "acting",
    "music",
    "script",
    "ending",
    "camera",
    "humour",
    "cast",
    "plot",
    "sound",
)
_SLACK = 2e-3
"""Texts that are computed side by side may differ in the last digits."""

Right = Callable[[int, bytes], bool]


def review(number: int, words: int = 200) -> str:
    """Return a review of so many words; each number gives another.

    >>> len(review(1).split()), review(1) == review(1), review(1) == review(2)
    (200, True, False)
    """
    dice = random.Random(number)
    said: list[str] = []
    while len(said) < words:
        said += f"the {dice.choice(_THINGS)} was {dice.choice(_CLAIMS)} and I told them so,".split()
    return " ".join(said[:words])


def plain(number: int, path: str = "/invocations", words: int = 200) -> Ask:
    """Return the question about one review, sent as it is."""
    data = post(path, review(number, words).encode(), "text/plain", "Accept: application/json")
    return Ask("one review", data)


def heavy(number: int, texts: int = 16, path: str = "/invocations", words: int = 200) -> Ask:
    """Return the question about several reviews at once, as JSON."""
    body = json.dumps({"texts": [review(number * 1000 + each, words) for each in range(texts)]})
    return Ask(f"{texts} reviews", post(path, body.encode(), "application/json"))


def stream(number: int, length: int = 100, path: str = "/invocations") -> Ask:
    """Return the question for a text of so many characters, written as a stream of events."""
    body = json.dumps({"prompt": "you ", "length": length, "seed": number}).encode()
    return Ask("a stream", post(path, body, "application/json", "Accept: text/event-stream"))


def learned(url: str, asks: Sequence[Ask]) -> list[Ask]:
    """Ask everything once, in peace, and return the same questions, which know their answer by then.

    Raises:
        RuntimeError: if one is not answered with 200.
    """
    return [Ask(ask.name, ask.data, like(_once(url, ask))) for ask in asks]


def like(body: bytes) -> Right:
    r"""Return what recognises an answer: the same, but for the last digits of numbers.

    A stream is the same however its text is cut into events.

    >>> right = like(b'{"label": "a", "score": 0.5}')
    >>> right(200, b'{"label": "a", "score": 0.5001}'), right(200, b'{"label": "b", "score": 0.5}')
    (True, False)
    >>> right = like(b'event: text\ndata: {"text": "ab"}\n\nevent: done\ndata: {}\n\n')
    >>> pieces = b'event: text\ndata: {"text": "a"}\n\nevent: text\ndata: {"text": "%b"}\n\n'
    >>> right(200, pieces % b"b" + b"event: done\ndata: {}\n\n"), right(200, pieces % b"b")
    (True, False)
    """
    due = _read(body)

    def right(status: int, found: bytes) -> bool:
        return status == 200 and (found == body or _same(due, _read(found)))

    return right


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        if b"event: " not in body:
            return body
    found = streamed.events(body)
    others = [[name, said] for _, name, said in found if name != "text"]
    return [streamed.written(found), *others]


def _same(due: Any, found: Any) -> bool:
    if isinstance(due, float) and isinstance(found, float):
        return math.isclose(due, found, abs_tol=_SLACK)
    if isinstance(due, Mapping) and isinstance(found, Mapping):
        return due.keys() == found.keys() and all(_same(due[key], found[key]) for key in due)
    if isinstance(due, list) and isinstance(found, list):
        return len(due) == len(found) and all(map(_same, due, found))
    return bool(due == found)


def _once(url: str, ask: Ask) -> bytes:
    head, _, body = ask.data.partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        line.request(method, path, body, dict(field.split(": ", 1) for field in fields))
        answer = line.getresponse()
        found = answer.read()
    finally:
        line.close()
    if answer.status != 200:
        message = f"{ask.name}: {answer.status} {found[:200]!r}"
        raise RuntimeError(message)
    return found
