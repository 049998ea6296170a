"""Following a job until it is over. It is AWS's to run: nothing that happens here ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from marfa.aws import jobs, logs
from marfa.aws.client import Cloud
from marfa.aws.jobs import Job, Kind
from marfa.console import Talk
from marfa.errors import NetworkError

T = TypeVar("T")

_POLL_SECONDS = 5.0
_LINE_SECONDS = (5.0, 10.0, 20.0, 30.0, 60.0)
"""Between tries while the line is down; the last one is for all that follow."""

_PATIENCE_SECONDS = 3600.0

_WORDS = {
    "Pending": "waiting for a machine",
    "Starting": "starting: AWS looks for a machine",
    "LaunchingMLInstances": "starting a machine",
    "PreparingTrainingStack": "preparing the machine",
    "Downloading": "fetching what it reads",
    "DownloadingTrainingImage": "fetching its container",
    "Training": "computing",
    "Interrupted": "AWS took the spot machine back; waiting for another, on which it goes on",
    "Restarting": "beginning anew after a failure of AWS's own",
    "Uploading": "uploading what it has made",
    "Stopping": "being stopped: it saves what it has",
    "Stopped": "stopped",
    "MaxRuntimeExceeded": "stopped at the end of its time to compute",
    "MaxWaitTimeExceeded": "stopped: no machine could be had, or not for long enough, in its time",
    "Completed": "done",
    "Failed": "failed",
}


@dataclass
class Told:
    """What has been printed of a job, so that nothing is printed twice.

    Attributes:
        places: how far each stream of its log has been read.
        transitions: how many of its states have been told.
    """

    places: logs.Places = field(default_factory=dict)
    transitions: int = 0


def follow(
    cloud: Cloud,
    kind: Kind,
    name: str,
    talk: Talk,
    told: Told,
    keep: Callable[[Told], None] = lambda told: None,
    *,
    log: bool = True,
) -> Job:
    """Tell what a job says and what it is about, until it is over.

    Args:
        cloud: the account.
        kind: which kind of job.
        name: its name.
        talk: whom to tell.
        told: what has been told before; goes on.
        keep: keeps that, after each look.
        log: tell what the job itself says, too.

    Returns:
        The job, which is over.

    Raises:
        NetworkError: if the line stays down for long; the job goes on.
        MarfaError: if AWS refuses to tell; the job goes on.
    """
    while True:
        job = _patiently(cloud, talk, lambda: jobs.look(cloud, kind, name))
        _tell(job, talk, told)
        try:
            if log:  # after the look, so that the last lines of a job that is over are there
                _patiently(cloud, talk, lambda: _say(cloud, kind, name, talk, told))
        finally:
            keep(told)
        if not job.under_way:
            return job
        cloud.sleep(_POLL_SECONDS)


def _say(cloud: Cloud, kind: Kind, name: str, talk: Talk, told: Told) -> None:
    for line in logs.news(cloud, kind.log, name, told.places):
        talk.say(line)


def _tell(job: Job, talk: Talk, told: Told) -> None:
    """Tell the states that the job has come to since the last look."""
    states = [each["Status"] for each in job.told.get("SecondaryStatusTransitions", [])]
    states = states or [job.status if job.status != "InProgress" else "Training"]
    for state in states[told.transitions :]:
        talk.say(f"{job.name}: {_WORDS.get(state, state)}")
    told.transitions = max(told.transitions, len(states))


def _patiently(cloud: Cloud, talk: Talk, look: Callable[[], T]) -> T:
    """Look again while the line is down."""
    waits = list(_LINE_SECONDS)
    began = cloud.now()
    while True:
        try:
            found = look()
        except NetworkError as error:
            if (cloud.now() - began).total_seconds() > _PATIENCE_SECONDS:
                raise
            if len(waits) == len(_LINE_SECONDS):
                talk.warn(
                    f"{error.what}; the job goes on meanwhile, and this when the line is back"
                )
            cloud.sleep(waits.pop(0) if len(waits) > 1 else waits[0])
        else:
            return found


def reason(job: Job, limit: int = 600) -> str:
    r"""Return why a job failed, in AWS's words, without the lines of a stack.

    >>> from marfa.aws.jobs import TRAINING
    >>> why = 'Error: Traceback (most recent call last):\n  File "x"\nValueError: bad\n, exit code: 1'
    >>> reason(Job(TRAINING, "a", "Failed", why, {}))
    'Error: ValueError: bad'
    """
    told = job.reason.strip()
    if "Traceback (most recent call last)" in told:
        first, _, rest = told.partition("Traceback (most recent call last)")
        lines = [line for line in rest.splitlines() if line.strip() and line[0] not in " ,"]
        told = first + (lines[-1] if len(lines) > 1 else "it ended with an error of Python's")
    return told[:limit] or "AWS gives no reason"
