"""What becomes of streams when a server ends, or one of its processes."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.torture.load.client import Ask
from tests.torture.load.ending import Start, answering
from tests.torture.load.served import Served
from tests.torture.promise import Promise

_WRITING_SECONDS, _CUTS = 0.2, 100


def ended(start: Start, ask: Ask, times: int, seed: int, clients: int = 4) -> Promise:
    """Ask a server to stop while it writes: each stream ends with its end, or with an error."""
    dice = random.Random(seed)
    begun = done = 0
    for number in range(times):
        with start() as served:
            found: list[bytes] = []
            threads = [
                threading.Thread(target=_read_stream, args=(served, ask, found))
                for _ in range(clients)
            ]
            for thread in threads:
                thread.start()
            time.sleep(0.2 + dice.random() * 0.4 + number * 0.01)
            served.process.send_signal(signal.SIGTERM)
            for thread in threads:
                thread.join()
        begun += sum(b"event: start" in each for each in found)
        done += sum(b"event: done" in each or b"event: error" in each for each in found)
    return Promise("SIGTERM while it writes: each stream says how it ends", begun, done)


def torn(start: Start, ask: Ask, times: int, seed: int, clients: int = 4) -> Promise:
    """Kill one of a server's processes while it writes.

    Whoever was cut asks for the rest, from the place that it knows of, and has the text as it would have
    been; and so has who was not. It goes on until at least one has been cut.
    """
    dice = random.Random(seed)
    cut = whole = tries = 0
    with start() as served, ThreadPoolExecutor(clients) as pool:
        _, due = _written(served, ask)
        while tries < times or (not cut and tries < 10 * times):
            tries += 1
            reading = [pool.submit(_written, served, ask) for _ in range(clients)]
            time.sleep(dice.random() * _WRITING_SECONDS)
            if workers := answering(served.process.pid):
                os.kill(dice.choice(workers), signal.SIGKILL)
            found = [each.result() for each in reading]
            cut += sum(goings > 0 or text != due for goings, text in found)
            whole += sum(goings > 0 and text == due != "" for goings, text in found)
    return Promise("a process killed: who was cut in a stream goes on with it", cut, whole)


def _written(served: Served, ask: Ask) -> tuple[int, str]:
    """Return how often a stream was gone on with, and all of its text; none if it has no good end."""
    goings = 0
    document, text = json.loads(ask.data.partition(b"\r\n\r\n")[2]), ""
    accept = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    for _ in range(_CUTS):
        line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(line):
            line.request("POST", "/invocations", json.dumps(document), accept)
            fields: dict[bytes, bytes] = {}
            answer = line.getresponse()
            goings += "continuation" in document and answer.status == 200
            for row in answer if answer.status == 200 else ():
                name, _, said = row.rstrip(b"\n").partition(b": ")
                fields[name] = said
                if name == b"data" and fields[b"event"] == b"text":
                    text += json.loads(said)["text"]
                    document["continuation"] = fields[b"id"].decode()
                elif name == b"data" and fields[b"event"] in (b"done", b"error"):
                    return goings, text if fields[b"event"] == b"done" else ""
        time.sleep(0.02)
    return goings, ""


def _read_stream(served: Served, ask: Ask, found: list[bytes]) -> None:
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", served.port), 20) as line,
    ):
        line.sendall(ask.data)
        said = b""
        with contextlib.suppress(OSError):
            while piece := line.recv(1 << 16):
                said += piece
                if said.endswith(b"0\r\n\r\n"):
                    break
        found.append(said)
