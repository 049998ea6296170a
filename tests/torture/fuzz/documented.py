"""What the server says of itself in /openapi.json, taken at its word by schemathesis."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

from tests.torture.fuzz.served import Served, Tally

HERE = Path(__file__).parent
STACK = Path(".venv-peers/schemathesis/bin/schemathesis")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,unsupported_method,allow_header_conformance"
)
_CASES = re.compile(r"^  ([\d,]+) generated(.*)$", re.MULTILINE)
_FAULTS = re.compile(r"([\d,]+) (?:found|failed|errored|unique failures)")


def as_documented(served: Served, each: int, seed: int) -> Tally:
    """Ask what the document promises, `each` times an operation, and the opposite of it."""
    tally = Tally()
    url = f"http://127.0.0.1:{served.port}/openapi.json"
    command = [str(STACK.resolve()), "run", url, "--seed", str(seed), "--max-examples", str(each)]
    command += [
        "--phases",
        "examples,coverage,fuzzing",
        "--checks",
        CHECKS,
        "--continue-on-failure",
    ]
    command += ["--generation-database", "none", "--no-color", "--no-shrink"]
    hooks = {"SCHEMATHESIS_HOOKS": "hooks_of_schemathesis", "PYTHONPATH": str(HERE)}
    with tempfile.TemporaryDirectory(prefix="marfa-fuzz-") as folder:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **hooks},
            capture_output=True,
            text=True,
            check=False,
        )
    told = _CASES.search(done.stdout)
    if told is None:
        tally.add(f"schemathesis ended with {done.returncode} and told nothing")
        return tally
    tally.add(count=int(told[1].replace(",", "")))
    wrong = sum(int(count.replace(",", "")) for count in _FAULTS.findall(told[2]))
    if done.returncode or wrong:
        tally.broken += [f"schemathesis ended with {done.returncode}"] * max(1, wrong)
        tally.told = done.stdout  # whole, for whoever looks into it
    for found in served.faults("no marker"):
        tally.add(found)
    return tally
