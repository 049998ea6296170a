"""Putting a version live, and going back to an earlier one.

The record of a version is written before it goes live, and the check after: whoever looks later, from
whichever machine, sees what was live before it and whether it has ever answered as it should.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marfa.aws import lease, stacks, versions
from marfa.aws.client import Cloud
from marfa.aws.names import Names, check
from marfa.aws.stacks import Stack
from marfa.aws.template.live import LEASE_END
from marfa.aws.versions import Version
from marfa.console import Talk
from marfa.errors import CloudError, GoneError
from marfa.settings import CloudSettings


def deployment_of(
    deployment: str, settings: CloudSettings, cloud: Cloud | None
) -> tuple[Cloud, Names]:
    """Return the account that a deployment is in, and the names of all that is its own.

    Raises:
        SettingsError: if the name is none, before anybody is asked.
        CredentialsError: if AWS does not know who asks.
    """
    check(deployment)
    cloud = cloud or Cloud(settings.region, settings.profile)
    return cloud, Names(deployment, cloud.region, cloud.account, cloud.partition)


def bucket_of(cloud: Cloud, names: Names) -> str:
    """Return the deployment's bucket.

    Raises:
        GoneError: if there is none.
    """
    base = stacks.find(cloud, names, names.base)
    bucket = (base.outputs if base else {}).get("Bucket", "")
    if not bucket:
        message = f"there is no deployment named {names.deployment!r} in {names.region}"
        raise GoneError(message, hint="marfa status lists what there is")
    return bucket


def live_of(cloud: Cloud, names: Names) -> Stack:
    """Return the live stack.

    Raises:
        GoneError: if there is none.
    """
    live = stacks.find(cloud, names, names.live)
    if live is None:
        message = f"nothing of {names.deployment!r} is live in {names.region}"
        raise GoneError(message, hint="marfa status lists what there is")
    return live


def is_leased(template: dict[str, Any]) -> bool:
    """Say whether a template holds a lease."""
    return LEASE_END in template.get("Parameters", {})


def release(
    cloud: Cloud, names: Names, version: Version, end: datetime | None, talk: Talk
) -> Stack:
    """Make a version live.

    Args:
        cloud: the account.
        names: the deployment's names.
        version: what is to be live.
        end: when its lease ends, if it has one.
        talk: whom to tell.
    """
    parameters = {LEASE_END: lease.stamp(end)} if end and is_leased(version.template) else {}
    return stacks.apply(
        cloud,
        names,
        names.live,
        version.template,
        talk,
        parameters=parameters,
        role=names.role_arn("service"),
    )


def earlier(cloud: Cloud, bucket: str, version: str) -> Version | None:
    """Return the version before another one that has answered its golden requests, if any."""
    seen = {version}
    found = versions.read(cloud, bucket, version)
    while found is not None and found.previous and found.previous not in seen:
        seen.add(found.previous)
        found = versions.read(cloud, bucket, found.previous)
        if found is not None and versions.is_checked(cloud, bucket, found.version):
            return found
    return None


def back(cloud: Cloud, names: Names, bucket: str, live: Stack, talk: Talk) -> Version | None:
    """Go back from what is live to the version before it.

    The lease goes on as it is; where the version before had one and what is live has none, it begins
    anew.

    Returns:
        The version that is live now, or None where there is none to go back to.
    """
    version = earlier(cloud, bucket, live.outputs.get("Version", ""))
    if version is None:
        return None
    refuse_turn(names, live.outputs.get("Target", ""), version.target)
    release(cloud, names, version, next_end(cloud.now(), live), talk)
    return version


def refuse_turn(names: Names, was: str, wanted: str) -> None:
    """Refuse to turn an endpoint on a machine into a serverless one in place, or the reverse.

    The one SageMaker refuses. The other it allows, but an update that fails, and `rollback` too, would
    then need the one.

    Raises:
        CloudError: if that is what is wanted.
    """
    hint = f"first: marfa destroy {names.deployment}; or choose another --deployment"
    if (was, wanted) == ("endpoint", "serverless"):
        message = "SageMaker turns no endpoint on a machine into a serverless one"
        raise CloudError(message, where=names.live, hint=hint)
    if (was, wanted) == ("serverless", "endpoint"):
        message = (
            "marfa turns no serverless endpoint into one on a machine: "
            "SageMaker has no way back from that"
        )
        raise CloudError(message, where=names.live, hint=hint)


def running_end(live: Stack | None) -> datetime | None:
    """Return when the lease of what is live ends; None where there is none."""
    running = (live.parameters if live else {}).get(LEASE_END, "")
    return lease.read(running) if running else None


def next_end(now: datetime, live: Stack | None) -> datetime:
    """Return when a lease is to end that nobody has said anything about: as it is.

    One that would end before an update has is begun anew, as is one that there was not.
    """
    running = running_end(live)
    if running is not None and running >= now + lease.SHORTEST:
        return running
    return lease.end(now, lease.DEFAULT)
