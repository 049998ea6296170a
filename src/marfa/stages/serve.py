"""serve: the model behind an address, with its page."""

from __future__ import annotations

import math
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from marfa import bundle as bundles
from marfa import loading, signals
from marfa.console import Silence, Talk
from marfa.container import app, golden
from marfa.errors import MarfaError, SettingsError
from marfa.settings import ServeSettings

_BACKLOG = 256


def serve(
    model: str | Path, settings: ServeSettings | None = None, talk: Talk | None = None
) -> None:
    """Serve a model until SIGTERM or Ctrl-C, then finish what is under way.

    Args:
        model: a model.tar.gz or a bundle folder.
        settings: address and limits.
        talk: whom to tell; nobody if not given.

    Raises:
        BundleError: if the model is incomplete, altered, or answers otherwise than it was packaged.
        SettingsError: if the address cannot be listened on.
        MarfaError: if the server ends without having been asked to.
    """
    talk = talk or Silence()
    with signals.caught() as stop, Running(model, settings or ServeSettings()) as running:
        talk.say(
            f"serving {running.model.name} ({running.model.engine.name} engine), Ctrl-C to stop"
        )
        talk.say(running.url)
        while not stop.signal_number:
            if not running.alive:
                message = "the server ended by itself"
                raise MarfaError(message, where=running.url)
            time.sleep(0.05)
        talk.say("stopping")


class Running:
    """A server at work in a thread, from `with` to the end of its block.

    Args:
        model: a model.tar.gz or a bundle folder.
        settings: address and limits.

    Attributes:
        url: where it answers.
        model: the loaded model.
    """

    def __init__(self, model: str | Path, settings: ServeSettings) -> None:
        bundle = bundles.load(Path(model))
        self.model = loading.of(bundle, settings.engine)
        golden.replay(self.model, bundle.contents["golden.jsonl"])
        self._socket = _listen(settings.host, settings.port)
        host, port = self._socket.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{port}/"
        self._app = app.create(self.model, settings, bundle=bundle)
        self._drain_seconds = settings.drain_seconds
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app,
                log_config=None,  # nothing that a client sends can reach a log
                access_log=False,
                server_header=False,
                # what is under way ends by itself before that, and says why
                timeout_graceful_shutdown=math.ceil(settings.drain_seconds) + 1,
                backlog=_BACKLOG,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="marfa-server"
        )

    @property
    def alive(self) -> bool:
        """Whether the server is still at work."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            if not self.alive:
                message = "the server did not start"
                raise MarfaError(message, where=self.url)
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._app.state.marfa.drain(self._drain_seconds)
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        message = f"cannot listen: {error.strerror or error}"
        hint = "choose another with --port, or --port 0 for any free one"
        raise SettingsError(message, where=f"{host}:{port}", hint=hint) from error
    return listener
