"""rehearse: the whole cloud path on this machine, without an account and without Docker.

What is sent is made as `deploy` makes it, the templates are those that `deploy` sends, and what answers
in the end is that very zip and that very archive, behind what stands for AWS here. Then it all ends.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from marfa import files
from marfa.console import Silence, Talk
from marfa.rehearsal import faults
from marfa.rehearsal.machine import check_parts
from marfa.rehearsal.story import Tell
from marfa.settings import CloudSettings
from marfa.stages.rehearse.deployment import Deployment

FOLDER = "rehearsal"
"""Where in the work folder a rehearsal has its files while it lasts."""


def _now() -> datetime:
    return datetime.now(UTC)


def rehearse(
    model: str | Path,
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
        model: a model.tar.gz or a bundle folder.
        settings: target, sizes, limits and lease, as for `deploy`.
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
        SettingsError: if the port is taken, or the target has no such fault.
        MissingExtraError: if a part of marfa is missing that stands for one of AWS's.
        CheckError: if an answer is another than the one recorded.
        CloudError: with the faults "quota" and "stuck", as `deploy` would.
        LeftOverError: if something is still at work in the end.
        BundleError: if the model is incomplete or altered.
        BusyError: if another rehearsal is at work in the folder.
    """
    talk, settings = talk or Silence(), settings or CloudSettings()
    check_parts(settings.target)
    fault_ = faults.of(fault, settings.target)
    with _emptied(Path(workdir) / FOLDER) as folder:
        deployment = Deployment(Path(model), settings, talk, Path(workdir), fault_, tell, now)
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
