"""What a server's process writes to its log: of others' failures no more than their kind."""

import json
import logging
import subprocess
import sys

from marfa.container.noting import Lines

SAID = """
import logging
from marfa.container import noting

noting.tell("failures")
noting.warn("a process ended")
try:
    raise ValueError("my secret")
except ValueError:
    logging.getLogger("asyncio").exception("Fatal error: %s", "my secret")
logging.getLogger("uvicorn.error").error("Cancel %s running task(s)", 3)
logging.getLogger("uvicorn.error").info("Started server process")
"""


def test_every_line_is_json_and_no_failure_of_a_library_quotes_a_client():
    done = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=True)
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert events == [
        "a process ended",
        "asyncio: ValueError",
        "uvicorn.error: Cancel 3 running task(s)",
    ]


def test_what_is_told_stands_beside_the_event():
    record = logging.LogRecord("marfa", logging.INFO, "", 0, "answered", (), None)
    record.told = {"status": 200}
    line = json.loads(Lines().format(record))
    assert (line["event"], line["status"], line["level"]) == ("answered", 200, "info")
