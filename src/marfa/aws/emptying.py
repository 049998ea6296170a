"""Emptying the bucket, down to what a listing does not show: old versions, and parts nobody joined."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marfa.aws.bucket import Bucket
from marfa.aws.client import Cloud
from marfa.errors import CloudError, GoneError, NotPermittedError

_SHOWN = 3


@dataclass(frozen=True)
class Unfinished:
    """An upload that was begun and not completed; its parts are billed as long as they lie.

    Attributes:
        key: what was being sent.
        id: S3's name for the upload.
        begun: when.
    """

    key: str
    id: str
    begun: datetime


def unfinished(cloud: Cloud, bucket: str) -> list[Unfinished]:
    """List the uploads that were begun and not completed.

    Args:
        cloud: the account and region.
        bucket: its name.

    Returns:
        The uploads; none if the bucket is gone.

    Raises:
        MarfaError: if the bucket cannot be asked.
    """
    try:
        return [
            Unfinished(found["Key"], found["UploadId"], found["Initiated"])
            for page in Bucket(cloud, bucket).pages("list_multipart_uploads")
            for found in page.get("Uploads", [])
        ]
    except GoneError:
        return []


def empty(cloud: Cloud, bucket: str) -> int:
    """Remove everything from a bucket: objects, all versions, marks of deletion, unfinished uploads.

    What is gone already is success, so it can be repeated after any interruption.

    Args:
        cloud: the account and region.
        bucket: its name.

    Returns:
        How many things were removed.

    Raises:
        NotPermittedError: if the credentials do not allow it.
        CloudError: if S3 keeps something, naming it.
    """
    place = Bucket(cloud, bucket)
    removed = 0
    for upload in unfinished(cloud, bucket):
        with contextlib.suppress(GoneError):
            place.call("abort_multipart_upload", Key=upload.key, UploadId=upload.id)
            removed += 1
    try:
        for batch in _versions(place):
            answer = place.call("delete_objects", Delete={"Objects": batch, "Quiet": True})
            _raise(bucket, answer.get("Errors", []))
            removed += len(batch)
    except GoneError:
        pass
    return removed


def _versions(bucket: Bucket) -> Iterator[list[dict[str, str]]]:
    """List all versions and marks of deletion; a page holds no more than one deletion takes."""
    for page in bucket.pages("list_object_versions"):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            yield [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]


def _raise(bucket: str, errors: list[dict[str, Any]]) -> None:
    """S3 answers 200 also where it has kept something, and says so inside."""
    if not errors:
        return
    codes = {str(error.get("Code", "")) for error in errors}
    shown = ", ".join(str(error.get("Key", "")) for error in errors[:_SHOWN])
    rest = f" and {len(errors) - _SHOWN:,} more" if len(errors) > _SHOWN else ""
    message = f"S3 has kept {shown}{rest}: {errors[0].get('Message') or errors[0].get('Code')}"
    if codes == {"AccessDenied"}:
        hint = "ask for the rights that --policy prints"
        raise NotPermittedError(message, where=bucket, hint=hint)
    hint = "run the same command again"
    raise CloudError(message, where=bucket, hint=hint, code=sorted(codes)[0])
