"""Each call of a job's life fails once, in each way there is; then the same command again, then destroy.

One result is one job, whatever happens to this machine or its line; and nothing is left in the end.
"""

import itertools
import os
import sys

import pytest
from tests.cloud import job_bodies
from tests.cloud.deploying import account, bed
from tests.cloud.faults import KINDS, Faults, PowerCut
from tests.cloud.inventory import blurred, everything
from tests.cloud.recorder import Recorder
from tests.torture.cloud_faults import Point, Tally, report, timed

from marfa.errors import MarfaError
from marfa.recipes import resolve
from marfa.settings import CloudSettings
from marfa.stages.destroy import destroy
from marfa.stages.score import score
from marfa.stages.train import train

__all__ = ["account", "bed"]

EVERY = int(os.environ.get("FAULTS_EVERY", "61"))
"""Of all points, each so many-th is tried; 1 for all."""

VERBS = ("train", "score", "destroy")


class Torture:
    """Trains, scores and destroys over and over.

    Args:
        bed: the account.
        model: a model.tar.gz that was made before.
        folder: where each trial has a folder of its own.
    """

    deployment = "soup"

    def __init__(self, bed, model, folder):
        self._bed, self._model, self._folder = bed, model, folder
        job_bodies.MODEL["path"] = model
        (folder / "rows.jsonl").write_text('{"text": "good"}\n{"text": "bad"}\n')
        self._trials = itertools.count()

    def points(self, verb):
        """Yield every point of a verb, and keep what a run without faults leaves."""
        self._bed.reset()
        self._before(verb, place := self._place())
        session = self._bed.session()
        recorder = Recorder(session)
        self._run(verb, place, session)
        self._usual = sorted(blurred(everything(self._bed.session())))
        for number in range(1, len(recorder.calls) + 1):
            yield from (Point("job", verb, number, kind) for kind in KINDS)

    def survive(self, point):
        """Let one call fail, then do it again, then destroy; return which promise was broken."""
        self._bed.reset()
        self._before(point.verb, place := self._place())
        session = self._bed.session()
        Faults(session, point.number, point.kind)
        try:
            self._run(point.verb, place, session)
        except (MarfaError, PowerCut):
            pass
        except Exception as error:  # noqa: BLE001 - a traceback is a broken promise, told as one
            return f"a traceback: {type(error).__name__}: {error}"
        try:
            self._run(point.verb, place)
            kind = "Transform" if point.verb == "score" else "Training"
            count = len(self._bed.jobs.of(kind))
            if point.verb != "destroy" and count != 1:
                return f"{count} jobs for one result"
            found = sorted(blurred(everything(self._bed.session())))
            if found != self._usual:
                return f"another inventory than usual: {sorted(set(found) ^ set(self._usual))[:3]}"
            self._run("destroy", place)
        except MarfaError as error:
            return f"it does not go on: {error}"
        left = everything(self._bed.session())
        return f"left: {sorted(left)[:3]}" if left else ""

    def _place(self):
        return self._folder / str(next(self._trials))

    def _before(self, verb, place):
        """Begin a job that is still at work when it is destroyed."""
        if verb != "destroy":
            return
        self._bed.jobs.seconds = 3000
        session = self._bed.session()

        def leave(call):
            if any(job.detail == "Training" for job in self._bed.jobs.of()):
                raise KeyboardInterrupt

        Recorder(session, leave)
        with pytest.raises(KeyboardInterrupt):
            self._run("train", place, session)

    def _run(self, verb, place, session=None):
        cloud = self._bed.cloud(session, attempts=1 if session else 2)
        if verb == "destroy":
            destroy(self.deployment, cloud=cloud)
        elif verb == "train":
            chosen = {"preset": "sample", "deployment": self.deployment, "workdir": str(place)}
            train(resolve("sentiment", chosen, folder=None), on="sagemaker", cloud=cloud)
        else:
            place.mkdir(exist_ok=True)
            score(
                self._model,
                self._folder / "rows.jsonl",
                place / "out.jsonl",
                on="sagemaker",
                settings=CloudSettings(deployment=self.deployment),
                workdir=str(place),
                cloud=cloud,
            )


@pytest.mark.timeout(0)
@pytest.mark.parametrize("verb", VERBS)
def test_one_result_is_one_job_and_nothing_is_left(bed, model_path, tmp_path, verb, capsys):
    it, tally = Torture(bed, model_path, tmp_path), Tally()
    points = list(it.points(verb))
    chosen = points[VERBS.index(verb) :: EVERY]

    def work():
        for point in chosen:
            tally.injected[point.shape, point.verb, point.kind] += 1
            if broken := it.survive(point):
                tally.broken.append((point, broken))
                sys.stderr.write(f"BROKEN {point}: {broken}\n")

    seconds = timed(work)
    with capsys.disabled():
        sys.stdout.write(f"\n{report(tally, seconds)}\n")
    assert tally.broken == []
    assert chosen


class Fickle(Torture):
    """One that goes on under another name, where no job that was begun before is found."""

    def _run(self, verb, place, session=None):
        self.deployment = "soup" if session else "stew"
        super()._run(verb, place, session)


class Forgetful(Torture):
    """One whose destroy leaves a log behind."""

    def _run(self, verb, place, session=None):
        super()._run(verb, place, session)
        if verb == "destroy" and session is None:
            cloud = self._bed.cloud()
            cloud.call("logs", "create_log_group", logGroupName="/marfa/soup")


@pytest.mark.parametrize(
    ("verb", "bug", "told"),
    [
        ("train", Fickle, "2 jobs for one result"),
        ("score", Fickle, "2 jobs for one result"),
        ("train", Forgetful, "left: "),
        ("destroy", Forgetful, "another inventory than usual: "),
    ],
)
def test_a_planted_bug_is_seen(bed, model_path, tmp_path, verb, bug, told):
    it = bug(bed, model_path, tmp_path)
    last = [point for point in it.points(verb) if point.kind == "die-after"][-1]
    assert it.survive(last).startswith(told)
