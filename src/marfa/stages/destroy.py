"""destroy: take a deployment down, what bills first, and prove that nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from marfa.aws import inventory, job_inventory, releases, stacks, uploads
from marfa.aws.client import Cloud
from marfa.aws.jobs import Kind
from marfa.aws.names import Names
from marfa.aws.template import base
from marfa.console import Silence, Talk
from marfa.errors import CloudError, GoneError, LeftOverError, NetworkError
from marfa.settings import CloudSettings


def destroy(
    deployment: str,
    settings: CloudSettings | None = None,
    talk: Talk | None = None,
    *,
    cloud: Cloud | None = None,
) -> dict[str, Any]:
    """Delete everything of a deployment, from any machine, however far an earlier try came.

    Args:
        deployment: its name.
        settings: region and profile.
        talk: whom to tell; nobody if not given.
        cloud: the account; made of the settings if not given.

    Returns:
        What was deleted besides the stacks, and an empty list of what is left.

    Raises:
        LeftOverError: naming what is left.
        CloudError: if AWS refuses.
    """
    talk, settings = talk or Silence(), settings or CloudSettings()
    cloud, names = releases.deployment_of(deployment, settings, cloud)
    ended = _stop_the_meter(cloud, names, talk)
    before = [*ended, *inventory.left(cloud, names)]
    talk.say(f"{deployment} in {names.region}: {len(before)} thing(s) to delete")
    reasons = [_live(cloud, names, talk), _base(cloud, names, talk)]
    swept: list[tuple[str, str]] = []
    if not any(reasons):
        swept, refused = inventory.sweep(cloud, names)
        reasons += refused
    left = inventory.left(cloud, names)
    if left:
        listed = ", ".join(f"{kind} {name}" for kind, name in left)
        why = "; ".join(reason for reason in reasons if reason)
        message = f"{len(left)} left: {listed}{'; ' + why if why else ''}"
        hint = f"run again: marfa destroy {deployment}"
        raise LeftOverError(message, where=deployment, hint=hint)
    return {
        "deployment": deployment,
        "region": names.region,
        "deleted": [{"kind": kind, "name": name} for kind, name in before],
        "swept": [{"kind": kind, "name": name} for kind, name in swept],
        "left": [],
    }


def _stop_the_meter(cloud: Cloud, names: Names, talk: Talk) -> list[tuple[str, str]]:
    """End at once what bills: a stack takes its time, and may fail over something else.

    Returns:
        The jobs that were taken away, kind and name; no stack holds them.
    """
    there = [(kind, name) for kind in inventory.JOBS for name in _known(cloud, names, kind)]
    for kind, name in there:
        if _try(partial(job_inventory.stop, cloud, kind, name), name, talk):
            talk.say(f"{kind.title} {name}: being stopped")
    for name in inventory.BILLERS.find(cloud, names):
        if _try(partial(inventory.BILLERS.delete, cloud, name), name, talk) is not None:
            talk.say(f"endpoint {name}: deleted, it bills no more")
    ended = []
    for (
        kind,
        name,
    ) in there:  # what they write until they are over would come too late for the bucket
        if _try(partial(job_inventory.end, cloud, kind, name), name, talk) is not None:
            talk.say(f"{kind.title} {name}: over, and taken away")
            ended.append((kind.title, name))
    return ended


def _known(cloud: Cloud, names: Names, kind: Kind) -> list[str]:
    """Return the jobs of a kind; where they may not be listed, the census says so in the end."""
    try:
        return list(inventory.JOBS[kind].find(cloud, names))
    except NetworkError:
        raise
    except CloudError:
        return []


def _try(work: Callable[[], object], name: str, talk: Talk) -> object:
    """Do something, and return what it says; None where AWS refuses, which the end tries again."""
    try:
        return work() or False
    except GoneError:
        return None
    except NetworkError:
        raise
    except CloudError as error:  # an endpoint that is still being made cannot be deleted yet
        talk.say(f"{name}: {error.what}")
        return None


def _live(cloud: Cloud, names: Names, talk: Talk) -> str:
    live = stacks.find(cloud, names, names.live)
    if live is None:
        return ""
    if not inventory.has_role(cloud, names, "service"):
        # somebody deleted the roles first, and CloudFormation needs one to delete the rest
        talk.say("its roles are gone; they are made again, to delete what they had made")
        if reason := _base_stack(cloud, names, talk):
            return reason
        stacks.apply(cloud, names, names.base, base.build(names), talk)
    return stacks.delete(cloud, names, names.live, talk)


def _base(cloud: Cloud, names: Names, talk: Talk) -> str:
    if stacks.find(cloud, names, names.live) is not None:
        return ""  # its roles are still needed
    return _base_stack(cloud, names, talk)


def _base_stack(cloud: Cloud, names: Names, talk: Talk) -> str:
    """Delete the base stack, its bucket with all that is in it."""
    reason = ""
    for _ in range(2):  # somebody may put an object into the bucket meanwhile
        if stacks.settle(cloud, names, names.base, talk) is None:
            return ""
        bucket = stacks.resources(cloud, names.base).get("Bucket", "")
        if bucket:
            try:
                uploads.empty(cloud, bucket)
            except GoneError:
                talk.say("its bucket is gone already")
        reason = stacks.delete(cloud, names, names.base, talk)
    return reason
