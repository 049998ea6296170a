"""`python -m tests.torture.load URL --rate 500 --seconds 10`: a load on a server, and its table.

Without `--rate` some clients ask in turn, each as soon as it has its answer: what the server can do.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.torture.load import asked
from tests.torture.load.client import Ask, post
from tests.torture.load.drive import closed_load, open_load
from tests.torture.load.machine import apart, kept_to, shared
from tests.torture.load.trivial import ceiling


def main(arguments: list[str] | None = None) -> int:
    """Run a load; return 1 where something was answered wrongly, or the tool was too slow."""
    chosen = _chosen(arguments)
    cores = apart() if chosen.pin else shared()
    asks = _asks(chosen)
    if not chosen.unchecked:
        asks = asked.learned(chosen.url, asks)
    top = ceiling(asks, cores)
    kept = f"the tool on core {min(cores.tool)}" if chosen.pin else "not pinned"
    _say(f"{chosen.url}, {asks[0].name} of {len(asks[0].data):,} bytes, {kept}")
    _say(f"the tool's own ceiling: {top.rate:,.0f} requests a second")
    with kept_to(cores.tool):
        if chosen.rate:
            kind = "at even distances" if chosen.constant else f"by chance (seed {chosen.seed})"
            _say(f"open: {chosen.rate:g} a second, {kind}, {chosen.clients} connections at most")
            record = open_load(
                chosen.url,
                asks,
                chosen.rate,
                chosen.seconds,
                seed=chosen.seed,
                poisson=not chosen.constant,
                connections=chosen.clients,
                patience=chosen.patience,
            )
        else:
            _say(f"closed: {chosen.clients} clients")
            record = closed_load(
                chosen.url,
                asks,
                chosen.clients,
                chosen.seconds,
                seed=chosen.seed,
                patience=chosen.patience,
            )
    for line in record.lines():
        _say(line)
    if chosen.rate > 0.8 * top.rate:
        _say(f"NOT A FIGURE OF THE SERVER: the tool itself ends at {top.rate:,.0f} a second")
    return 1 if sum(record.wrong) or (chosen.rate and record.too_slow) else 0


def _chosen(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.load", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: closed")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=256, help="connections, at most if open")
    parser.add_argument("--constant", action="store_true", help="even distances, not by chance")
    parser.add_argument("--seed", type=int, default=1, help="of what is left to chance")
    parser.add_argument(
        "--patience", type=float, default=30.0, help="seconds until one is given up"
    )
    parser.add_argument("--path", default="/invocations")
    parser.add_argument("--texts", type=int, default=0, help="reviews in each request, as JSON")
    parser.add_argument("--words", type=int, help="in each review; 200 if not given")
    parser.add_argument("--body", type=Path, help="a file to send instead of reviews")
    parser.add_argument("--content-type", help="of the file; application/json if not given")
    parser.add_argument("--unchecked", action="store_true", help="take any answer for right")
    parser.add_argument("--pin", action="store_true", help="keep the tool to the last core")
    chosen = parser.parse_args(arguments)
    for option, is_idle in (
        ("--constant without --rate", chosen.constant and not chosen.rate),
        ("--texts beside --body", chosen.texts and chosen.body),
        ("--words beside --body", chosen.words and chosen.body),
        ("--content-type without --body", chosen.content_type and not chosen.body),
    ):
        if is_idle:
            parser.error(f"{option} changes nothing")
    return chosen


def _asks(chosen: argparse.Namespace) -> list[Ask]:
    if chosen.body:
        content_type = chosen.content_type or "application/json"
        return [Ask(chosen.body.name, post(chosen.path, chosen.body.read_bytes(), content_type))]
    words = chosen.words or 200
    if chosen.texts:
        return [asked.heavy(number, chosen.texts, chosen.path, words) for number in range(8)]
    return [asked.plain(number, chosen.path, words) for number in range(64)]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
