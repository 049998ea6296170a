"""What becomes of streams when a server ends, or one of its processes."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from tests import streamed
from tests.torture.load.client import LAST_CHUNK, Ask, joined, post
from tests.torture.load.ending import Start, answering
from tests.torture.load.served import Served
from tests.torture.promise import Promise

_CLIENTS, _WRITING_SECONDS, _CUTS = 4, 0.2, 100
_ENDS, _EVENTS = ("done", "error"), "Accept: text/event-stream"


def ended(start: Start, ask: Ask, times: int, seed: int) -> Promise:
    """Ask a server to stop while it writes: each stream ends with its end, or with an error."""
    dice = random.Random(seed)
    begun = done = 0
    with ThreadPoolExecutor(_CLIENTS) as pool:
        for number in range(times):
            with start() as served:
                reading = [pool.submit(_read, served, ask.data) for _ in range(_CLIENTS)]
                time.sleep(0.2 + dice.random() * 0.4 + number * 0.01)
                served.process.send_signal(signal.SIGTERM)
                found = [each.result() for each in reading]
            begun += sum(map(bool, found))
            done += sum(each[-1][1] in _ENDS for each in found if each)
    return Promise("SIGTERM while it writes: each stream says how it ends", begun, done)


def torn(start: Start, ask: Ask, times: int, seed: int) -> Promise:
    """Kill one of a server's processes while it writes.

    Whoever was cut asks for the rest, from the place that it knows of, and has the text as it would have
    been; and so has who was not. It goes on until at least one has been cut.
    """
    dice = random.Random(seed)
    cut = whole = tries = 0
    with start() as served, ThreadPoolExecutor(_CLIENTS) as pool:
        _, due = _written(served, ask)
        while tries < times or (not cut and tries < 10 * times):
            tries += 1
            reading = [pool.submit(_written, served, ask) for _ in range(_CLIENTS)]
            time.sleep(dice.random() * _WRITING_SECONDS)
            if workers := answering(served.process.pid):
                os.kill(dice.choice(workers), signal.SIGKILL)
            found = [each.result() for each in reading]
            cut += sum(goings > 0 or text != due for goings, text in found)
            whole += sum(goings > 0 and text == due != "" for goings, text in found)
    return Promise("a process killed: who was cut in a stream goes on with it", cut, whole)


def _written(served: Served, ask: Ask) -> tuple[int, str]:
    """Return how often a stream was gone on with, and all of its text; none if it has no good end."""
    _, _, body = ask.data.partition(b"\r\n\r\n")
    document, goings, text = json.loads(body), 0, ""
    for _ in range(_CUTS):
        asked = post("/invocations", json.dumps(document).encode(), "application/json", _EVENTS)
        found = _read(served, asked)
        goings += "continuation" in document and bool(found)
        text += streamed.written(found)
        for place, name, _ in found:
            document |= {"continuation": place} if name == "text" else {}
        if found and (end := found[-1][1]) in _ENDS:
            return goings, text if end == "done" else ""
        time.sleep(0.02)
    return goings, ""


def _read(served: Served, data: bytes) -> list[streamed.Event]:
    """Ask for a stream, and return what came of it, to its end or until it was cut."""
    said = b""
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", served.port), 20) as line,
    ):
        line.sendall(data)
        while not said.endswith(LAST_CHUNK) and (piece := line.recv(1 << 16)):
            said += piece
            head, is_whole, _ = said.partition(b"\r\n\r\n")
            if is_whole and b"chunked" not in head:  # another answer, and its end is no last chunk
                break
    return streamed.events(joined(said.partition(b"\r\n\r\n")[2]))
