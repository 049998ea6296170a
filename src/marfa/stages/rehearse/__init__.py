"""rehearse: the whole cloud path on this machine, without an account and without Docker.

Of a recipe it is the training job first, by the stage `train` itself. What is sent is made as `deploy`
makes it, the templates are those that `deploy` sends, and what answers in the end is that very zip and
that very archive, behind what stands for AWS here. Then it all ends.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from marfa import files
from marfa.aws import launch, lease
from marfa.aws.preflight import preflight
from marfa.console import Silence, Talk
from marfa.recipes import Settings
from marfa.rehearsal import faults, loopback
from marfa.rehearsal.account import Account
from marfa.rehearsal.machine import check_parts
from marfa.rehearsal.story import Story, Tell
from marfa.settings import CloudSettings
from marfa.stages.rehearse import job
from marfa.stages.rehearse.deployment import Deployment

FOLDER = "rehearsal"
"""Where in the work folder a rehearsal has its files while it lasts."""


def _now() -> datetime:
    return datetime.now(UTC)


def rehearse(
    what: str | Path | Settings,
    settings: CloudSettings | None = None,
    talk: Talk | None = None,
    *,
    workdir: str = "work",
    port: int = 0,
    fault: str = "",
    stay: bool = False,
    tell: Tell = lambda step: None,
    now: Callable[[], datetime] = _now,
) -> dict[str, Any]:
    """Go the way of `deploy` and `destroy` on this machine, and say what AWS would do.

    Args:
        what: a model.tar.gz or a bundle folder; or the settings of a run, whose training comes first.
        settings: target, sizes, limits and lease, as for `deploy`; those of the run if not given.
        talk: whom to tell of what is under way; nobody if not given.
        workdir: the work folder.
        port: where the page is to be; 0 for any free one.
        fault: what is to go wrong: "quota", "stuck", "throttle" or "cut"; empty for nothing.
        stay: stay up until Ctrl-C, SIGTERM or the end of the lease.
        tell: told each step once it is done.
        now: tells the time of day.

    Returns:
        The steps, what was measured, and what is left, which is nothing.

    Raises:
        SettingsError: if the port is taken, the target has no such fault, or SageMaker or the
            region cannot do what is asked for.
        MissingExtraError: if a part of marfa is missing that stands for one of AWS's.
        CheckError: if an answer is another than the one recorded.
        CloudError: with the faults "quota" and "stuck", as `deploy` would.
        LeftOverError: if something is still at work in the end.
        JobError: if the training job fails.
        BundleError: if the model is incomplete or altered.
        BusyError: if another rehearsal is at work in the folder.
    """
    talk = talk or Silence()
    if settings is None:
        settings = what.cloud if isinstance(what, Settings) else CloudSettings()
    check_parts(settings.target)
    loopback.check_port(port)
    lease.of(
        settings.lease, settings.target
    )  # all that is wrong is said before a network is trained
    trouble = faults.of(fault, settings.target)
    if isinstance(what, Settings):
        job.check(what)
        launch.refuse_blocking(preflight(Account(settings.region, now=now), settings, ()).findings)
    story = Story(tell, time.monotonic)
    with _emptied(Path(workdir) / FOLDER) as folder:
        model = job.run(what, story, talk) if isinstance(what, Settings) else Path(what)
        deployment = Deployment(model, settings, talk, Path(workdir), trouble, story, now)
        return deployment.play(folder, port, stay=stay)


@contextlib.contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """Hold an empty folder; what a rehearsal that was killed has left there goes first."""
    with files.lock(folder):
        work = folder / "now"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            yield work.resolve()
        finally:
            shutil.rmtree(work, ignore_errors=True)
