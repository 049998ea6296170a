"""rollback: back to the version before, from any machine."""

from __future__ import annotations

from typing import Any

from marfa.aws import releases, stacks
from marfa.aws.client import Cloud
from marfa.console import Silence, Talk
from marfa.errors import CloudError
from marfa.settings import CloudSettings


def rollback(
    deployment: str,
    settings: CloudSettings | None = None,
    talk: Talk | None = None,
    *,
    cloud: Cloud | None = None,
) -> dict[str, Any]:
    """Make the version live again that was so before, and had answered as it should.

    Args:
        deployment: its name.
        settings: region and profile.
        talk: whom to tell; nobody if not given.
        cloud: the account; made of the settings if not given.

    Returns:
        Which version is live now, and which was.

    Raises:
        GoneError: if nothing of it is live.
        CloudError: if there is no earlier version, or AWS refuses.
    """
    talk, settings = talk or Silence(), settings or CloudSettings()
    cloud, names = releases.deployment_of(deployment, settings, cloud)
    stacks.settle(cloud, names, names.live, talk)  # a lease may be ending it just now
    live = releases.live_of(cloud, names)
    bucket = releases.bucket_of(cloud, names)
    version = releases.back(cloud, names, bucket, live, talk)
    if version is None:
        message = "there is no earlier version that had answered as it should"
        raise CloudError(message, where=deployment, hint="marfa deploy MODEL puts another one live")
    return {
        "deployment": deployment,
        "region": names.region,
        "version": version.version,
        "model": version.model,
        "made": version.made,
        "replaced": live.outputs.get("Version", ""),
        "url": live.outputs.get("Url", ""),
    }
