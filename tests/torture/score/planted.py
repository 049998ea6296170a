"""`marfa score` as it is, or with the bug that it is told to have.

`python -m tests.torture.score.planted BUG score MODEL FILE -o OUT`: its journal is written often, so
that a short file has many moments at which something may go wrong.
"""

from __future__ import annotations

import contextlib
import signal
import sys

from marfa import cli
from marfa.signals import Stop
from marfa.stages import score
from marfa.stages.score import crew, journal

BUGS = {
    "none": "keeps all promises",
    "twice": "writes down fewer rows than the bytes beside them hold",
    "late": "counts rows before they are written",
    "alone": "goes on without the rows of a process that was killed",
    "deaf": "has no ear for SIGTERM, which ends it as it ends what does not know of it",
}
journal._EVERY_SECONDS = 0.02


class Twice(journal.Journal):
    """Its count is that of one portion ago."""

    _before = (0, "")

    def add(self, portion, judged, counts, left):
        """Add, and remember what was before."""
        kept = self.rows, self.digest
        super().add(portion, judged, counts, left)
        self._before = kept

    def sync(self):
        """Write down what was before."""
        now = self.rows, self.digest
        self.rows, self.digest = self._before
        super().sync()
        self.rows, self.digest = now


class Late(journal.Journal):
    """Its count is ahead of its bytes."""

    def add(self, portion, judged, counts, left):
        """Write down first what is added after."""
        super().add(portion, b"", counts, left)
        super().add(portion, judged, type(counts)(), left)


class Alone(crew.Crew):
    """It takes the loss of a process for an answer."""

    def _judge(self, portion):
        process = self._free.get()
        try:
            return (process or self._start()).judge(portion, self._identity)
        except (EOFError, OSError):
            return b"", {}
        finally:
            self._free.put(process if process and process._process.poll() is None else None)


if __name__ == "__main__":
    bug, *arguments = sys.argv[1:]
    assert bug in BUGS
    score.Journal = {"twice": Twice, "late": Late}.get(bug, journal.Journal)
    crew.Crew = Alone if bug == "alone" else crew.Crew
    if bug == "deaf":
        cli._terminate = signal.SIG_DFL
        score.signals.caught = lambda: contextlib.nullcontext(Stop())
    sys.exit(cli.main(arguments))
