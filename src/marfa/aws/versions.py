"""What has been deployed, kept in the deployment's own bucket, so that any machine can go back to it.

versions/<version>.json      the template, what it stands for, and which version it replaced
versions/<version>.checked   it has answered its golden requests as it should
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from marfa.aws.bucket import Bucket
from marfa.aws.client import Cloud
from marfa.errors import CloudError, GoneError

_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a deployment.

    Attributes:
        version: its name, made of its content.
        previous: the version it replaced; empty for the first.
        model: twelve digits that name its model.
        target: "lambda", "serverless" or "endpoint".
        made: when, as text.
        template: the live stack's.
    """

    version: str
    previous: str = ""
    model: str
    target: str
    made: str
    template: dict[str, Any] = field(repr=False)


def _key(version: str, end: str) -> str:
    return f"versions/{version}.{end}"


def read(cloud: Cloud, bucket: str, version: str) -> Version | None:
    """Return a version, or None where there is no record of it.

    Raises:
        NetworkError: if the line fails, also while the record comes.
        CloudError: if the record is not one that this marfa understands.
    """
    try:
        _, content = Bucket(cloud, bucket).content("get_object", Key=_key(version, "json"))
    except GoneError:
        return None
    try:
        match json.loads(content):
            case {"format": int(number), "version": dict() as fields} if number == _FORMAT:
                return Version(**fields)
    except (ValueError, TypeError):
        pass
    message = "the record of this version is not one that this marfa understands"
    raise CloudError(message, where=f"{bucket}/{_key(version, 'json')}")


def write(cloud: Cloud, bucket: str, version: Version) -> None:
    """Keep the record of a version, before it is deployed."""
    document = {"format": _FORMAT, "version": asdict(version)}
    _put(cloud, bucket, _key(version.version, "json"), json.dumps(document).encode())


def is_checked(cloud: Cloud, bucket: str, version: str) -> bool:
    """Say whether a version has answered its golden requests."""
    try:
        Bucket(cloud, bucket).call("head_object", Key=_key(version, "checked"))
    except GoneError:
        return False
    return True


def mark_checked(cloud: Cloud, bucket: str, version: str) -> None:
    """Note that a version has answered its golden requests."""
    _put(cloud, bucket, _key(version, "checked"), b"")


def _put(cloud: Cloud, bucket: str, key: str, body: bytes) -> None:
    Bucket(cloud, bucket).call("put_object", Key=key, Body=body, ContentType="application/json")
