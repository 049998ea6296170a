"""One table after the other; half an hour with nothing else running beside it.

`explaining.py`, `page.py` and `serving.py` are run by themselves: they need more than is made here, such
as a Chromium or other servers.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODEL = "work/bench-default/model.tar.gz"
TUTORIAL = "work/bench-tutorial/model.tar.gz"
WRITER = "work/bench-writing-default/model.tar.gz"


def main() -> int:
    """Run each benchmark in a process of its own; fail if one does."""
    codes = [
        subprocess.run([sys.executable, HERE / "text.py"], check=False).returncode,
        subprocess.run([sys.executable, HERE / "accuracy.py"], check=False).returncode,
        subprocess.run(
            [sys.executable, HERE / "latency.py", MODEL, TUTORIAL], check=False
        ).returncode,
        subprocess.run([sys.executable, HERE / "score.py", MODEL], check=False).returncode,
        subprocess.run([sys.executable, HERE / "startup.py", MODEL], check=False).returncode,
        subprocess.run([sys.executable, HERE / "cold_start.py"], check=False).returncode,
        subprocess.run([sys.executable, HERE / "cloud.py"], check=False).returncode,
        subprocess.run([sys.executable, HERE / "shakespeare.py"], check=False).returncode,
        subprocess.run([sys.executable, HERE / "generating.py", WRITER], check=False).returncode,
        subprocess.run(
            [sys.executable, HERE / "first_character.py", WRITER], check=False
        ).returncode,
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
