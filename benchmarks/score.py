"""`marfa score` on a file of IMDb's reviews, each kind of file, in one process and in two.

`python benchmarks/score.py MODEL [ROWS]`; MARFA_MIRROR names a folder with the reviews. A million rows
are read and written as JSON Lines for the figures of memory, 40,000 for the other kinds.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import machine

from marfa.data import parquet
from marfa.data.imdb import read

WORDS = 200
FEW = 40_000
KINDS = ("jsonl", "csv", "tsv", "jsonl.gz", "csv.gz", "parquet")


def reviews() -> list[str]:
    """Return reviews of 200 words, cut off there."""
    archive = Path(os.environ["MARFA_MIRROR"], "aclImdb_v1.tar.gz")
    found = (row.text.split() for row in read(archive) if row.split == "test")
    return [" ".join(words[:WORDS]) for words in found if len(words) >= WORDS]


def chosen(texts: list[str], rows: int) -> Iterator[str]:
    chance = random.Random(1)
    return (texts[chance.randrange(len(texts))] for _ in range(rows))


def write(path: Path, texts: Iterator[str]) -> None:
    """Write a file of texts; the kinds other than these two are made by marfa's own writers."""
    if path.suffix == ".parquet":
        with open(path, "wb") as out:
            parquet.write(out, {"text": "string"}, ((text,) for text in texts))
        return
    import csv
    import gzip

    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as out:
        if "jsonl" in path.name:
            out.writelines(json.dumps({"text": text}) + "\n" for text in texts)
        else:
            writer = csv.writer(out, delimiter="\t" if ".tsv" in path.name else ",")
            writer.writerows([("text",), *((text,) for text in texts)])


def memory(pid: int) -> int:
    """Return the resident bytes of a process and of those that it has started."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                total = int(line.split()[1]) * 1024
        threads = Path(f"/proc/{pid}/task").glob("*/children")
        children = [child for path in threads for child in path.read_text().split()]
    except OSError:
        return total
    return total + sum(memory(int(child)) for child in children)


def measured(model: str, file: Path, output: Path, workers: int) -> tuple[float, int]:
    """Return the seconds that it took, and the most memory of all processes together."""
    command = [sys.executable, "-m", "marfa", "score", model, str(file), "-o", str(output)]
    began, peak = time.perf_counter(), 0
    with subprocess.Popen(
        [*command, "--workers", str(workers)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        while run.poll() is None:
            peak = max(peak, memory(run.pid))
            time.sleep(0.05)
    assert run.returncode == 0
    return time.perf_counter() - began, peak


def main() -> None:
    model = sys.argv[1]
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    texts = reviews()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, count, workers in [
            *(("jsonl", rows, workers) for workers in (1, 2)),
            *((kind, FEW, workers) for kind in KINDS for workers in (1, 2)),
        ]:
            file, output = Path(folder, f"in.{kind}"), Path(folder, f"out.{kind}")
            if workers == 1:
                write(file, chosen(texts, count))
            seconds, peak = measured(model, file, output, workers)
            figures = f"{count / seconds:,.0f}", f"{seconds:.1f}", f"{peak / 1e6:.0f}"
            lines.append((kind, f"{count:,}", workers, *figures))
    columns = ("kind, in and out", "rows", "processes", "rows a second", "seconds", "peak MB")
    machine.table("score, reviews of 200 words", columns, lines)


if __name__ == "__main__":
    main()
