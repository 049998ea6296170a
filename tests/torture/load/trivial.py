"""A server that does nothing but answer, to learn how fast the tool itself is: `ceiling`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from tests.torture.load.client import Ask
from tests.torture.load.drive import closed_load
from tests.torture.load.machine import Cores, kept_to
from tests.torture.load.record import Record
from tests.torture.load.served import Served

_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
    + b'{"label": "no"}'
)
COMMAND = (sys.executable, "-m", "tests.torture.load.trivial", "{port}")


class _Trivial(asyncio.Protocol):
    """Answers when as much has arrived as was announced; one request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._missing = transport, 0

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            head = data.find(b"\r\n\r\n") + 4
            at = data.find(b"Content-Length: ", 0, head)
            length = int(data[at + 16 : data.find(b"\r", at)]) if at >= 0 else 0
            self._missing = head + length - len(data)
        if self._missing <= 0:
            self._missing = 0
            self._transport.write(_ANSWER)  # type: ignore[attr-defined]


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Trivial, "127.0.0.1", port)
    await server.serve_forever()


def ceiling(asks: Sequence[Ask], cores: Cores, seconds: float = 1.0) -> Record:
    """Ask a server that does nothing, as fast as the tool can."""
    unknown = [Ask(ask.name, ask.data) for ask in asks]
    with Served(COMMAND, cores) as served, kept_to(cores.tool):
        return closed_load(served.url, unknown, 64, seconds)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
