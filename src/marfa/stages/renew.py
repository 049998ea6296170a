"""renew: let a lease end later, or sooner."""

from __future__ import annotations

from typing import Any

from marfa.aws import lease, releases, stacks
from marfa.aws.client import Cloud
from marfa.aws.template.live import LEASE_END
from marfa.console import Silence, Talk
from marfa.errors import SettingsError
from marfa.settings import CloudSettings


def renew(
    deployment: str,
    settings: CloudSettings | None = None,
    talk: Talk | None = None,
    *,
    cloud: Cloud | None = None,
) -> dict[str, Any]:
    """Set the end of a deployment's lease, counted from now.

    Args:
        deployment: its name.
        settings: the lease, region and profile.
        talk: whom to tell; nobody if not given.
        cloud: the account; made of the settings if not given.

    Returns:
        When the lease ends now.

    Raises:
        GoneError: if nothing of it is live.
        SettingsError: if it has no lease, or the time asked for is none.
        CloudError: if AWS refuses.
    """
    talk, settings = talk or Silence(), settings or CloudSettings()
    asked = lease.parse(settings.lease) if settings.lease.strip() else lease.DEFAULT
    if asked is None:
        message = "a lease is not taken away here"
        hint = f"marfa deploy MODEL --deployment {deployment} --lease none does, for a function"
        raise SettingsError(message, where="lease", hint=hint)
    cloud, names = releases.deployment_of(deployment, settings, cloud)
    live = releases.live_of(cloud, names)
    if LEASE_END not in live.parameters:
        message = "it has no lease: it costs nothing while nobody asks, and stays"
        hint = f"marfa deploy MODEL --deployment {deployment} --lease 2h gives it one"
        raise SettingsError(message, where=deployment, hint=hint)
    end = lease.end(cloud.now(), asked)
    running = releases.running_end(live)
    if not settings.lease.strip() and running is not None:
        end = max(end, running)  # who names no time does not ask for less
    stacks.change(cloud, names, names.live, {LEASE_END: lease.stamp(end)}, talk)
    return {
        "deployment": deployment,
        "region": names.region,
        "lease_end": lease.stamp(end),
        "left": lease.left(cloud.now(), end),
    }
