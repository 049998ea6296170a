"""A generator whose text is known beforehand, and which breaks off just where a test says."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.browser.fake_server import Reply, problem

WRITER = {
    "task": "generator",
    "name": "shakespeare",
    "model": "25873edf6f55",
    "engine": "int8",
    "symbols": 65,
    "alphabet": "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "metrics": {
        "bits_per_character": 2.07,
        "loss": 1.435,
        "baseline": "5-gram",
        "baseline_bits_per_character": 2.9,
        "n": 111_539,
    },
    "limits": {"body_bytes": 1_048_576, "length": 10_000},
    "defaults": {"length": 200, "temperature": 0.8, "top_k": 0, "top_p": 1.0},
}
LETTERS = "abcdefghijklmnop   \nàéß–م🎬"  # one to four bytes each
Break = Literal["end", "cut", "in-event", "in-character", "silence", "problem", "bytes"]


@dataclass
class Fault:
    """Where and how one connection fails.

    Attributes:
        after: characters that this connection sends before.
        how: the body ends as if it were whole; the connection breaks; the body ends in the middle
            of an event, or of a character; nothing comes any more; an event tells a problem; other
            bytes come.
        content: the bytes, or the problem document.
        reply: sent instead of a stream.
    """

    after: int = 0
    how: Break = "end"
    content: Any = b""
    reply: Reply | None = None


GONE = Fault(reply=Reply(hang_up=True))


def busy(seconds: int, status: int = 503) -> Fault:
    """Return a refusal that asks for some seconds of patience."""
    reply = problem(status, "Overloaded", "too many are waiting", **{"Retry-After": str(seconds)})
    return Fault(reply=reply)


def event(name: str, data: Any, token: str = "d.65") -> bytes:
    """Return one event; data that is a string is sent as it stands."""
    text = data if isinstance(data, str) else json.dumps(data)
    return f"id: {token}\nevent: {name}\ndata: {text}\n\n".encode()


@dataclass
class FakeWriter:
    """Answers requests to generate; hand `answer` to a FakeServer.

    Attributes:
        faults: one a connection, in order; the connections after them are good.
        asked: the requests, in order.
        allowed: the next connection sends a character for each release, where this is not None.
        written: what it writes after the prompt, instead of letters by chance.
        changes: put into every start.
        pause: seconds before each character.
        end: how lines end.
        silent: ends a silence.
        lowers: prompts are read in lower case.
        whole: a text is sent when all of it is written, as a function in the cloud does.
    """

    faults: list[Fault] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    allowed: threading.Semaphore | None = None
    written: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    pause: float = 0
    end: str = "\n"
    silent: threading.Event = field(default_factory=threading.Event)
    lowers: bool = False
    whole: bool = False

    def read(self, prompt: str) -> str:
        return prompt.lower() if self.lowers else prompt

    def text(self, prompt: str, length: int, seed: int) -> str:
        """Return the whole text of a request."""
        prompt = self.read(prompt)
        chance = random.Random(seed)
        new = self.written or "".join(chance.choice(LETTERS) for _ in range(length))
        return (prompt + new)[:length]

    def answer(self, asked: dict[str, Any]) -> Reply:
        self.asked.append(asked)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and fault.reply is not None:
            return fault.reply
        seed = asked.get("seed", 100 + len(self.asked))
        begin = len(self.read(asked["prompt"]))
        if token := asked.get("continuation"):
            place, _, token_seed = token.partition(".")
            begin = int(place, 16)
            if int(token_seed, 16) != seed:
                return problem(400, "Bad request", "the continuation does not fit")
        pieces = self._pieces(asked | {"seed": seed}, begin, fault)
        if self.whole:
            text = b"".join(pieces)
            return Reply(content_type="text/event-stream", pieces=iter([text]), announced=len(text))
        announced = 10_000_000 if fault is not None and fault.how == "cut" else None
        return Reply(content_type="text/event-stream", pieces=pieces, announced=announced)

    def _pieces(self, asked: dict[str, Any], begin: int, fault: Fault | None) -> Iterator[bytes]:
        prompt, length = self.read(asked["prompt"]), asked["length"]
        text = self.text(asked["prompt"], length, asked["seed"])
        start = {"prompt": prompt, "position": begin, "unknown": 0, "model": WRITER["model"]}
        kept = ("length", "temperature", "top_k", "top_p", "seed")
        start |= {name: asked[name] for name in kept} | self.changes
        allowed = (
            self.allowed
        )  # of this connection: an earlier one may still be waiting for its own
        yield self.event("start", start)
        yield f": still here{self.end}{self.end}".encode()
        for position in range(begin, length):
            sent = position - begin
            event = self.event(
                "text",
                {"text": text[position], "position": position + 1},
                f"{position + 1:x}.{asked['seed']:x}",
            )
            if fault is not None and sent == fault.after:
                yield from self._break(fault, event)
                return
            if allowed is not None:
                allowed.acquire(timeout=10)
            time.sleep(self.pause)
            yield event
        yield self.event("done", {"position": length})

    def _break(self, fault: Fault, event: bytes) -> Iterable[bytes]:
        if fault.how == "cut":  # a browser may drop what it has not handed on by then
            time.sleep(0.3)
        elif fault.how == "in-event":
            yield event[: len(event) // 2]
        elif fault.how == "in-character":
            many = next(at for at, byte in enumerate(event) if byte > 127)
            yield event[: many + 1]
        elif fault.how == "silence":
            self.silent.wait(10)
        elif fault.how == "problem":
            yield self.event("error", fault.content)
        elif fault.how == "bytes":
            yield fault.content

    def event(self, name: str, data: Any, token: str = "") -> bytes:
        lines = [f"id: {token}"] if token else []
        lines += [f"event: {name}", f"data: {json.dumps(data, ensure_ascii=False)}", "", ""]
        return self.end.join(lines).encode()
