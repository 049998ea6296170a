"""A process that judges: portions come in on stdin, judgements go out on stdout, until nobody asks.

`python -m marfa.stages.score.worker MODEL ENGINE SUFFIX`
"""

from __future__ import annotations

import json
import os
import signal
import sys
from array import array
from collections import Counter

from marfa import environment
from marfa.stages.score import portions


def main(model: str, engine: str, suffix: str) -> None:
    """Judge until stdin ends, which it also does when the process that asks is killed."""
    environment.let_blas_use_one_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the process that asks
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody else's print gets between
    from marfa.stages.score.judge import Judge

    judge = Judge(model, engine, suffix)
    portions.send(answers, judge.identity.encode())
    while True:
        try:
            lengths, joined = portions.receive(sys.stdin.buffer, 2)
        except EOFError:
            return
        judged, counts = judge(portions.texts(array("Q", lengths), joined))
        portions.send(answers, judged, json.dumps(counts).encode())


def counted(document: bytes) -> Counter[str]:
    """Read what a worker has counted."""
    return Counter(json.loads(document))


if __name__ == "__main__":
    main(*sys.argv[1:])
