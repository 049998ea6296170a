"""Bugs, planted to see that each promise can be broken: loaders, readers, and a small server.

`python -m tests.torture.fuzz.planted serve MODEL --port 0` is that server, as many a tutorial has it,
and with `--bug` one of BUGS besides.
"""

from __future__ import annotations

import gzip
import importlib
import json
import marshal
import os
import pickle
import re
import signal
import sys
import tarfile
import traceback
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from tests.torture.fuzz import canary

from marfa import loading
from marfa.container import contract
from marfa.container.contract import Limits, Request, Response
from marfa.errors import BundleError, OverloadedError
from marfa.model import Model


def extracting(path: Path) -> Any:
    """Unpack an archive where one stands, as `tar xzf` does, and load it then."""
    with suppress(tarfile.TarError, OSError, ValueError, EOFError), tarfile.open(path) as tar:
        tar.extractall(".", filter=lambda member, _: member)
    return canary.load(path)


def unpickling(path: Path) -> Any:
    """Try first whether a file is what old versions wrote."""
    with suppress(tarfile.TarError, EOFError, OSError), tarfile.open(path) as tar:
        for member in tar:
            if file := tar.extractfile(member):
                with suppress(pickle.UnpicklingError, ValueError, KeyError, IndexError, EOFError):
                    pickle.loads(file.read())
    return canary.load(path)


def unmarshalling(path: Path) -> Any:
    """Run what has been compiled before."""
    with suppress(tarfile.TarError, EOFError, OSError), tarfile.open(path) as tar:
        for member in tar:
            if member.name.endswith(".pyc") and (file := tar.extractfile(member)):
                exec(marshal.loads(file.read()))
    return canary.load(path)


def importing(path: Path) -> Any:
    """Import what a folder brings along."""
    sys.path.insert(0, str(path))
    with suppress(ImportError):
        importlib.import_module("evil")
    return canary.load(path)


_MADE = compile("", "made before anybody listens", "exec")


def executing(path: Path) -> Any:
    """Run code that is made already."""
    exec(_MADE)
    return canary.load(path)


def greedy(path: Path) -> Any:
    """Unpack all of an archive into memory before looking at it."""
    whole = gzip.decompress(path.read_bytes())
    message = f"{len(whole)} bytes"
    raise BundleError(message, where=str(path))


def careless(path: Path) -> Any:
    """Let through what goes wrong with a file."""
    with tarfile.open(path) as tar:
        for member in tar:
            if member.name.endswith(".json"):
                json.loads(tar.extractfile(member).read())  # type: ignore[union-attr]
    return canary.load(path)


def stubborn(path: Path) -> Any:
    """Refuse everything."""
    message = "no"
    raise BundleError(message, where=str(path))


def narrow(path: Path) -> Any:
    """Refuse a network of several layers."""
    model = canary.load(path)
    if loading.bundles.load(path).json("config.json")["model"]["layers"] > 1:
        message = "no"
        raise BundleError(message, where=str(path))
    return model


def talkative(path: Path) -> Any:
    """Show what was found, whole."""
    raise BundleError(repr(path.read_bytes()[:1000]))


def leaking(model: Model, request: Request, limits: Limits) -> Response:
    """Let an exception out, where a body is no JSON."""
    if request.content_type.startswith("application/json"):
        json.loads(request.body)
    return contract.respond(model, request, limits)


def echoing(model: Model, request: Request, limits: Limits) -> Response:
    """Repeat in an error what was sent."""
    found = contract.respond(model, request, limits)
    if found.status < 400:
        return found
    document = {**json.loads(found.body), "detail": request.body.decode("latin-1")}
    return Response(found.status, found.content_type, contract.to_json(document))


def weary(model: Model, request: Request, limits: Limits) -> Response:
    """Take one question in ten for one too many."""
    if len(request.body) % 10 == 0:
        return contract.problem(OverloadedError("too many requests"))
    return contract.respond(model, request, limits)


def naive(text: str) -> str:
    """Strip tags by a pattern that looks for the end of each from each beginning on."""
    return re.sub(r"<[^>]*>", " ", text)


BUGS = {
    "hoarding": "keeps four megabytes for each question",
    "sullen": "is not well any more, once it has been asked something",
    "mortal": "ends at its tenth question; another process takes its place",
    "telling": "writes down what it is asked",
    "complaining": "writes down where it went wrong",
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bug = ""
    kept: ClassVar[list[bytes]] = []

    def do_GET(self) -> None:
        ill = self.bug == "sullen" and self.kept and self.path == "/ping"
        text = json.dumps(_DESCRIPTION) if self.path == "/openapi.json" else "{}"
        self._say(503 if ill else 200, text)

    def do_POST(self) -> None:
        body = self.rfile.read(max(0, int(self.headers.get("Content-Length", 0))))
        self.kept.append(b"." * (4 << 20 if self.bug == "hoarding" else 0))
        if self.bug == "mortal" and len(self.kept) == 10:
            os._exit(1)
        if self.bug == "telling":
            sys.stderr.write(body.decode("latin-1"))
        try:
            text = json.loads(body)["text"]
            self._say(200, json.dumps({"label": text.lower()}))
        except Exception:  # noqa: BLE001, as it is done
            if self.bug == "complaining":
                traceback.print_exc()
            self._say(500, traceback.format_exc() + body.decode("latin-1"))

    def _say(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *said: object) -> None:
        """Write down nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *whom: object) -> None:
        """Write down nothing of clients that have hung up."""


_DESCRIPTION = {
    "openapi": "3.1.0",
    "info": {"title": "planted", "version": "1"},
    "paths": {
        "/invocations": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {"200": {"description": "good"}},
            }
        }
    },
}


def main() -> None:
    """Read what is given, as it should not be read, and serve; another process follows one that ends."""
    path = Path(sys.argv[2])
    if path.suffix == ".gz":
        careless(path)
    _Handler.bug = sys.argv[sys.argv.index("--bug") + 1] if "--bug" in sys.argv else ""
    server = _Server(("127.0.0.1", 0), _Handler)
    child = 0

    def end(number: int, frame: object) -> None:
        if child:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        os._exit(0)

    while True:
        child = os.fork()
        if not child:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            server.serve_forever()
        signal.signal(signal.SIGTERM, end)
        sys.stderr.write(f"http://127.0.0.1:{server.server_port}/\n")
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
