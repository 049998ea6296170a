"""From the name of a deployment to the address where it answers."""

from __future__ import annotations

import re

from marfa.aws import releases
from marfa.aws.client import Cloud
from marfa.errors import CloudError, SettingsError
from marfa.settings import CloudSettings


def address(against: str, settings: CloudSettings, cloud: Cloud | None = None) -> str:
    """Return the address that is meant.

    Args:
        against: a URL, or the name of a deployment.
        settings: region and profile, where it is a name.
        cloud: the account; made of the settings if not given.

    Raises:
        SettingsError: if it is neither a URL nor a name.
        GoneError: if nothing of that name is live.

    >>> address("http://127.0.0.1:8080", CloudSettings())
    'http://127.0.0.1:8080'
    """
    if "://" in against:
        return against
    if re.search("[.:/]", against):  # which no name has
        near = re.match(r"localhost\b|127\.|\[", against)
        hint = f"--against {'http' if near else 'https'}://{against}"
        message = f"{against!r:.60} is no name; a URL begins with http:// or https://"
        raise SettingsError(message, where="--against", hint=hint)
    live = releases.live_of(*releases.deployment_of(against, settings, cloud))
    url = live.outputs.get("Url", "")
    if not url:
        message = f"it is not up ({live.status})"
        raise CloudError(message, where=against, hint=f"marfa status {against}")
    return url
