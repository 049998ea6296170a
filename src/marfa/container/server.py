"""One process's HTTP server: uvicorn, with `Connection`s, and an end that loses no request."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from marfa.container.app import Application
from marfa.container.connection import Connection, Guard
from marfa.settings import ServeSettings

if sys.platform == "linux":
    from marfa.container.loop import Loop

_ACCEPTED = 8
"""Connections taken at once: a process that took all that wait would leave none to the others."""
_BACKLOG = 1024
"""Connections that may wait to be taken."""
_TICKS = 5
"""Of a tenth of a second each, between two looks at all connections."""
_MORE_SECONDS = 0.2
"""For answers that are ready to be taken."""
_FAREWELL_SECONDS = 0.05
"""For what has been given up to be told so."""
_LAST_SECONDS = 0.25
"""Between being asked to stop and taking no more: what is on its way by then is still answered."""


class Server(uvicorn.Server):
    """Serves an application until `should_exit` is set, then finishes what is under way.

    Args:
        application: what answers.
        settings: limits.
        ready: called when it listens.
        tick: called each half second, while the loop is alive.
    """

    def __init__(
        self,
        application: Application,
        settings: ServeSettings,
        ready: Callable[[], None] = lambda: None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=Connection,
                ws="none",
                loop="marfa.container.loop:Loop" if sys.platform == "linux" else "asyncio",
                lifespan="off",
                log_config=None,  # nothing that a client sends can reach a log
                access_log=False,
                server_header=False,
                proxy_headers=False,  # who a client is makes no difference
                # what is under way ends by itself before that, and says why; who does not read does not
                timeout_graceful_shutdown=max(  # type: ignore[arg-type]
                    _MORE_SECONDS, settings.drain_seconds + _MORE_SECONDS - _LAST_SECONDS
                ),
                backlog=_ACCEPTED,
            )
        )
        self._application, self._drain_seconds = application, settings.drain_seconds
        self._ready, self._tick = ready, tick
        guard = Guard(
            settings,
            lambda: application.state.draining,
            application.full,
            application.metrics.refuse,
        )
        self.config.guard = guard  # type: ignore[attr-defined]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if sys.platform == "linux" and isinstance(loop := asyncio.get_running_loop(), Loop):
            loop.few.crowded = self._application.full
        for each in sockets or []:
            each.listen(_BACKLOG)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Look at all connections now and then."""
        if counter % _TICKS == 0:
            self._tick()
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.sweep(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is on its way, then take no more, then finish what is under way."""
        self._application.drain(self._drain_seconds)
        await asyncio.sleep(_LAST_SECONDS)
        await super().shutdown(sockets)
        await asyncio.sleep(_FAREWELL_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()  # of a client that has not taken its answer
        await asyncio.sleep(0)
        self._application.close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the server."""
        yield
