"""How long a person waits for `marfa --help`, and for a server's first answer."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request

from machine import median_seconds, table


def helped() -> None:
    """Run marfa --help."""
    subprocess.run([sys.executable, "-m", "marfa", "--help"], check=True, capture_output=True)


def first_answer(model: str) -> float:
    """Seconds from the start of `marfa serve` to its first answer."""
    began = time.perf_counter()
    port = "18423"
    server = subprocess.Popen(
        [sys.executable, "-m", "marfa", "serve", model, "--port", port], stderr=subprocess.DEVNULL
    )
    try:
        while server.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1).close()
                return time.perf_counter() - began
            except urllib.error.URLError:
                time.sleep(0.005)
    finally:
        server.terminate()
        server.wait()
    sys.exit("the server ended")


def main() -> None:
    """Print the table."""
    rows = [("marfa --help", f"{median_seconds(helped, 9):.2f}")]
    if len(sys.argv) > 1:
        seconds = sorted(first_answer(sys.argv[1]) for _ in range(5))[2]
        rows.append(("marfa serve, to the first answer", f"{seconds:.2f}"))
    table("Start", ("command", "median, s"), rows)


if __name__ == "__main__":
    main()
