"""A server whose answers are written down beforehand, so that a test says what the server does."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import marfa
from marfa.container import styles

WEB = Path(marfa.__file__).parent / "web"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}
_NAMES = {file.name: (file.name, KINDS[file.suffix]) for file in WEB.iterdir() if file.is_file()}
FILES = {
    **_NAMES,
    "": _NAMES["index.html"],
    "docs": _NAMES["docs.html"],
    "write": _NAMES["write.html"],
}
PREFIX = (
    "/prod/"  # as behind an API gateway's stage, so that an absolute address would be found out
)


@dataclass
class Reply:
    """What the server does with one request.

    Attributes:
        body: sent as it stands if bytes, as JSON otherwise.
        status: HTTP status.
        content_type: of the body.
        headers: further headers.
        until: the reply waits for this event, at most ten seconds.
        cut: close the connection after half of the body.
        hang_up: close the connection instead of answering.
        pieces: sent one by one, as they come, instead of the body.
        announced: the length that is told before pieces, so that fewer bytes are a broken
            connection and not the end; None tells no length.
    """

    body: Any = b""
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    until: threading.Event | None = None
    cut: bool = False
    hang_up: bool = False
    pieces: Iterable[bytes] | None = None
    announced: int | None = None

    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


MODEL = {
    "task": "sentiment",
    "name": "sentiment",
    "labels": ["negative", "positive"],
    "model": "3f2a9c41",
    "metrics": {"accuracy": 0.897, "baseline_accuracy": 0.904, "n": 12500},
    "limits": {"body_bytes": 1_048_576, "texts": 256},
}


def judgement(label: str | None = "positive", score: float | None = 0.983, **changes: Any) -> Reply:
    """Return a good answer of two classes; `changes` replace its fields."""
    best = 0.5 if score is None else score
    shares = {"negative": 1 - best, "positive": best}
    if label == "negative":
        shares = {"negative": best, "positive": 1 - best}
    document = {
        "label": label,
        "score": score,
        "probabilities": shares,
        "known_words": {"known": 5, "total": 5, "unknown": []},
        "model": "3f2a9c41",
    }
    return Reply(document | changes)


def explained(
    text: str, weights: Mapping[str, float], label: str = "positive", **changes: Any
) -> Reply:
    """Return an answer that says why: the weight of each word, and none of all the others."""
    words = [
        {
            "text": found[0],
            "start": found.start(),
            "end": found.end(),
            "weight": weights.get(found[0], 0.0),
        }
        for found in re.finditer(r"\w+", text)
    ]
    return judgement(label, 0.9, explanation={"label": label, "words": words}, **changes)


def problem(status: int, title: str, detail: str, **headers: str) -> Reply:
    """Return a problem document (RFC 9457)."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Reply(document, status, "application/problem+json", headers)


class FakeServer(ThreadingHTTPServer):
    """Serves the page's files and scripted answers.

    Attributes:
        replies: answers to /v1/predict, one a request in order; the last one stays.
        asked: the texts of the requests, in order.
        whys: of each, whether it was also asked why.
        others: answers to further addresses, by path under the prefix.
        write: answers a request to /v1/generate.
        received: signals each request for an answer that has arrived.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.replies: list[Reply] = [judgement()]
        self.asked: list[str] = []
        self.whys: list[bool] = []
        self.others: dict[str, Reply] = {
            "v1/model": Reply(MODEL),
            "healthz": Reply({"status": "alive"}),
        }
        self.write: Callable[[dict[str, Any]], Reply] = lambda asked: problem(404, "None", "here")
        self.received = threading.Semaphore(0)
        self.url = f"http://127.0.0.1:{self.server_address[1]}{PREFIX}"

    def next_reply(self, document: dict[str, Any]) -> Reply:
        self.asked.append(document["text"])
        self.whys.append(document.get("explain", False))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.received.release()
        return reply

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that cancels a request closes the connection, as it should."""


class _Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        name = path.removeprefix(PREFIX)
        if path.startswith(PREFIX) and name in self.server.others:
            self._send(self.server.others[name])
        elif path.startswith(PREFIX) and name in FILES:
            file, kind = FILES[name]
            self._send(Reply((WEB / file).read_bytes(), content_type=kind))
        else:
            self._send(problem(404, "Not found", "no such address"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path not in {f"{PREFIX}v1/predict", f"{PREFIX}v1/generate"}:
            self._send(problem(404, "Not found", "no such address"))
        elif self.headers.get("Content-Type") != "application/json":
            self._send(problem(415, "Unsupported content type", "expected application/json"))
        elif self.path.endswith("generate"):
            self._send(self.server.write(json.loads(body)))
        else:
            self._send(self.server.next_reply(json.loads(body)))

    def _send(self, reply: Reply) -> None:
        if reply.until is not None:
            reply.until.wait(10)
        if reply.hang_up:
            return
        content = reply.bytes()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        length = len(content) if reply.pieces is None else reply.announced
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header(styles.POLICY, styles.policy(content))
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in reply.pieces or ():
            self.wfile.write(piece)
        self.wfile.write(content[: len(content) // 2] if reply.cut else content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
        """Say nothing."""


@contextmanager
def running(port: int = 0) -> Iterator[FakeServer]:
    """Run a server for the time of the block, on a free port unless told otherwise."""
    server = FakeServer(port)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
