"""serve: the model behind an address, with its page."""

from __future__ import annotations

import functools
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self

from marfa import bundle as bundles
from marfa import loading, signals
from marfa.console import Silence, Talk
from marfa.container import crew, noting, resident
from marfa.errors import MarfaError, SettingsError
from marfa.settings import ServeSettings

if TYPE_CHECKING:
    from marfa.container import pages
    from marfa.predictor import Predictor
    from marfa.writer import Writer

_MOST_WORKERS = 4
_SWITCH_SECONDS = 0.001
"""How long the loop waits for Python while the machine's thread computes with it."""
_UNSENT_BYTES = 131_072
"""Of an answer, kept by the kernel for a client that does not read."""
_OTHER_FILES = 128
"""That a process opens besides its connections; those that are too many, and told so, among them."""
_END_SECONDS = 0.9
"""For a process to end, when it has finished what was under way."""


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
        MarfaError: if no process can be brought to serve.
    """
    from marfa.container.server import Server  # noqa: F401 - once for all processes

    resident.share_heap()
    talk, settings = talk or Silence(), _within_files(settings or ServeSettings())
    loaded, found = _load(model, settings)
    listener, url = _listen(settings.host, settings.port)
    counters = tempfile.mkdtemp(prefix="marfa-counters-")
    count = settings.workers or min(_cores(), _MOST_WORKERS)
    work = functools.partial(_work, loaded, found, listener, settings, counters)
    noting.tell(settings.log)
    try:
        with signals.caught() as stop:
            servers = crew.Crew(work, count, noting.warn)
            try:
                servers.start()
                talk.say(f"serving {loaded.name} ({loaded.engine.name} engine), Ctrl-C to stop")
                talk.say(url)
                if threading.active_count() == 1:  # another could load a library meanwhile
                    resident.drop_libraries()
                while not stop.signal_number:
                    servers.watch(0.05)
                talk.say("stopping")
            finally:
                listener.close()  # from when no process takes connections, nobody waits for one
                servers.stop(settings.drain_seconds + _END_SECONDS)
    finally:
        listener.close()
        shutil.rmtree(counters, ignore_errors=True)


def _within_files(settings: ServeSettings) -> ServeSettings:
    """Let this process open as many files as it may hold connections, or hold fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return replace(settings, connections=max(1, soft - _OTHER_FILES))
    return settings


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _load(
    path: str | Path, settings: ServeSettings
) -> tuple[Predictor | Writer, dict[str, pages.Page]]:
    """Return a model that answers as it was packaged, and its pages."""
    from marfa.container import app, golden

    bundle = bundles.load(Path(path))
    model = loading.of(bundle, settings.engine)
    golden.replay(model, bundle.contents["golden.jsonl"])
    # The page's own model is made of the rest; of the graphs the one that is needed has been read.
    kept = {n: data for n, data in bundle.contents.items() if n not in bundles.GRAPHS.values()}
    return model, app.pages_of(model, settings, replace(bundle, contents=kept))


def _work(
    model: Predictor | Writer,
    found: Mapping[str, pages.Page],
    listener: socket.socket,
    settings: ServeSettings,
    counters: str,
    line: crew.Line,
) -> None:
    """Be one of the processes that serve."""
    from marfa.container import observing
    from marfa.container.app import Application
    from marfa.container.server import Server

    observing.share(counters, line.place)
    application = Application(model, settings, found=found, counters=counters)
    sys.setswitchinterval(_SWITCH_SECONDS)

    def tick() -> None:
        resident.trim()
        if not line.is_watched:  # nobody is there to end this process
            server.should_exit = True
            shutil.rmtree(counters, ignore_errors=True)
        elif not application.hangs:
            line.beat()

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    server = Server(application, settings, line.ready, tick)
    signal.signal(signal.SIGTERM, stop)
    server.run(sockets=[listener])


class Running:
    """A server at work in a thread of this process, from `with` to the end of its block.

    Args:
        model: a model.tar.gz or a bundle folder.
        settings: address and limits.

    Attributes:
        url: where it answers.
        model: the loaded model.
        application: what answers.

    Raises:
        BundleError: if the model is incomplete, altered, or answers otherwise than it was packaged.
        SettingsError: if the address cannot be listened on.
    """

    def __init__(self, model: str | Path, settings: ServeSettings) -> None:
        from marfa.container.app import Application
        from marfa.container.server import Server

        self.model, found = _load(model, settings)
        self.application = Application(self.model, settings, found=found)
        self._socket, self.url = _listen(settings.host, settings.port)
        self._server = Server(self.application, settings)
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
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    """Bind a socket that does not take connections yet; return also its address as a browser has it."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # its connections have it too; without it the kernel keeps megabytes for a slow reader
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        message = f"cannot listen: {error.strerror or error}"
        hint = "choose another with --port, or --port 0 for any free one"
        raise SettingsError(message, where=f"{host}:{port}", hint=hint) from error
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return listener, f"http://{shown}:{port}/"
