"""The commands that look at, change or end what is on AWS, and the one that does so without it."""

import sys
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from marfa.cli import flags, show_cloud, show_rehearsal
from marfa.cli.common import COMMON, FLAT, WHERE, Common, app, settings_of, talk
from marfa.errors import SettingsError
from marfa.recipes import RECIPES
from marfa.settings import JobSettings

DEPLOY = flags.make("place.workdir", "cloud", recipe=False)
REHEARSE = flags.make("place", "data.data", "job", "cloud")
_JOB = [each.name for each in fields(JobSettings)]
CLOUD = flags.make(*WHERE, recipe=False)
RENEW = flags.make(*WHERE, "cloud.lease", recipe=False)
_OF_OTHERS = {
    "lambda": ("instance_type", "image", "serverless_memory", "serverless_concurrency"),
    "serverless": ("instance_type", "memory", "numpy"),
    "endpoint": ("memory", "numpy", "serverless_memory", "serverless_concurrency"),
}
"""Settings that decide nothing of a target."""

_MODEL = Annotated[Path, Parameter(help="A model.tar.gz, or a folder with its files.")]
_DEPLOYMENT = Annotated[str, Parameter(help="Name of the deployment.")]


@app.command
def deploy(
    model: _MODEL,
    /,
    *,
    plan: Annotated[
        bool, Parameter(help="Say what would exist, be sent and cost; make nothing.", negative="")
    ] = False,
    policy: Annotated[
        bool,
        Parameter(
            help="Print the rights for all that this name can be deployed as, jobs too, as a policy.",
            negative="",
        ),
    ] = False,
    options: Annotated[DEPLOY, FLAT] = DEPLOY(),
    common: COMMON = Common(),
) -> None:
    """Put a model on AWS, behind a public address with a page; again for a new version."""
    from marfa.stages.deploy import deploy as stage

    if plan and policy:
        message = "--plan and --policy ask for two different things"
        raise SettingsError(message, hint="ask for one after the other")
    settings = settings_of("", options)
    _refuse_of_other_targets(options, settings.cloud.target)
    how = "policy" if policy else "plan" if plan else "deploy"
    result = stage(model, settings.cloud, talk(), workdir=settings.place.workdir, how=how)
    show_cloud.deploy(result, how, common.json)
    if how == "plan" and result["exit_code"]:
        raise SystemExit(result["exit_code"])


@app.command
def status(
    deployment: Annotated[str, Parameter(help="Name of one; all if not given.")] = "",
    /,
    *,
    options: Annotated[CLOUD, FLAT] = CLOUD(),
    common: COMMON = Common(),
) -> None:
    """Say what is up on AWS, until when, what it has cost, and what it costs an hour."""
    from marfa.stages.status import status as stage

    show_cloud.status(stage(deployment, settings_of("", options).cloud), common.json)


@app.command
def renew(
    deployment: _DEPLOYMENT,
    /,
    *,
    options: Annotated[RENEW, FLAT] = RENEW(),
    common: COMMON = Common(),
) -> None:
    """Let a lease end so long from now: --lease 2h."""
    from marfa.stages.renew import renew as stage

    show_cloud.renew(stage(deployment, settings_of("", options).cloud, talk()), common.json)


@app.command
def rollback(
    deployment: _DEPLOYMENT,
    /,
    *,
    options: Annotated[CLOUD, FLAT] = CLOUD(),
    common: COMMON = Common(),
) -> None:
    """Put the version live again that was so before."""
    from marfa.stages.rollback import rollback as stage

    show_cloud.rollback(stage(deployment, settings_of("", options).cloud, talk()), common.json)


@app.command
def destroy(
    deployment: _DEPLOYMENT,
    /,
    *,
    options: Annotated[CLOUD, FLAT] = CLOUD(),
    common: COMMON = Common(),
) -> None:
    """Delete everything of a deployment, and prove that nothing is left."""
    from marfa.stages.destroy import destroy as stage

    show_cloud.destroy(stage(deployment, settings_of("", options).cloud, talk()), common.json)


@app.command
def rehearse(
    what: Annotated[
        str,
        Parameter(
            help="A model.tar.gz, or a folder with its files; or a recipe or a marfa.toml, whose "
            "training job comes first."
        ),
    ],
    /,
    *,
    port: Annotated[int, Parameter(help="Port of the page; 0 for any free one.")] = 0,
    fault: Annotated[
        str, Parameter(help="Let something go wrong: quota, stuck, throttle or cut.")
    ] = "",
    options: Annotated[REHEARSE, FLAT] = REHEARSE(),
    common: COMMON = Common(),
) -> None:
    """Go the whole way to AWS and back on this machine: no account, no Docker, no cost."""
    from marfa.stages.rehearse import rehearse as stage

    is_model = _is_model(what)
    if is_model:
        _refuse_of_a_run(options)
    settings = settings_of("" if is_model else what, options)
    _refuse_of_other_targets(options, settings.cloud.target)
    result = stage(
        Path(what) if is_model else settings,
        settings.cloud,
        talk(),
        workdir=settings.place.workdir,
        port=port,
        fault=fault,
        stay=sys.stdout.isatty() and not common.json,
        tell=(lambda step: None) if common.json else show_rehearsal.step,
    )
    show_rehearsal.rehearse(result, common.json)


def _is_model(what: str) -> bool:
    """Say whether something names a model, and no recipe; which is not there is told by its form.

    >>> _is_model("sentiment"), _is_model("a/marfa.toml"), _is_model("sentimnt")
    (False, False, False)
    >>> _is_model("work/none"), _is_model("none.tar.gz")
    (True, True)
    """
    if what in RECIPES or what.endswith(".toml"):
        return False
    path = Path(what)
    return path.exists() or len(path.parts) > 1 or path.suffix in {".gz", ".tgz"}


def _refuse_of_a_run(options: Any) -> None:
    """Refuse flags that say how a model is trained, where there is one already."""
    for name in ("preset", "name", "data", "mirror", "offline", *_JOB):
        if getattr(options, name) is not None:
            message = "a model is trained already, so this would decide nothing"
            flag = f"--{name.replace('_', '-')}"
            raise SettingsError(message, where=flag, hint="leave it out, or name a recipe")


def _refuse_of_other_targets(options: Any, target: str) -> None:
    """Refuse flags that say how something else is made than what is asked for."""
    unwanted = [f"cloud.{name}" for name in _OF_OTHERS[target]]
    hint = "leave it out, or name the --target that it is meant for"
    flags.refuse(options, unwanted, hint, f"a deployment whose target is {target}")
