"""Sending to the bucket: what is there is not sent again, and a cut costs at most one part.

Names are made of contents, so what is there under a name is what would be sent: there is nothing to
overwrite, and S3 refuses bytes whose SHA-256 is not the announced one.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable

from marfa.aws import multipart
from marfa.aws.body import Body, Throttle
from marfa.aws.bucket import Bucket
from marfa.aws.client import Cloud
from marfa.aws.emptying import Unfinished, empty, unfinished
from marfa.aws.parcel import Parcel, Sent, key_of, pack
from marfa.console import Silence, Talk
from marfa.errors import ChecksumError, GoneError

__all__ = [
    "Parcel",
    "Sent",
    "Unfinished",
    "empty",
    "key_of",
    "missing",
    "pack",
    "send",
    "unfinished",
]

_SILENCE = Silence()


def missing(cloud: Cloud, bucket: str, parcels: Iterable[Parcel]) -> list[Parcel]:
    """Find what is not in the bucket yet, or not in its full size.

    Args:
        cloud: the account and region.
        bucket: its name; empty where there is none yet.
        parcels: what should be there.

    Returns:
        What has to be sent.

    Raises:
        MarfaError: if the bucket cannot be asked.
    """
    place = Bucket(cloud, bucket)
    return [parcel for parcel in parcels if not bucket or not _is_there(place, parcel)]


def send(
    cloud: Cloud,
    bucket: str,
    parcel: Parcel,
    talk: Talk = _SILENCE,
    *,
    max_kbps: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> Sent:
    """Send one parcel, going on where an earlier process or another machine was cut off.

    Args:
        cloud: the account and region.
        bucket: its name.
        parcel: what to send.
        talk: whom to show the progress.
        max_kbps: kilobits (1,000 bits) a second at most; 0 for no limit.
        clock: seconds that only go forward.

    Returns:
        How much was sent, and in what time.

    Raises:
        NetworkError: if the line fails for good; the same command goes on.
        ChecksumError: if the bucket holds other bytes in the end; they are removed.
        DataError: if the file changes meanwhile.
        MarfaError: for what else can be wrong with the file, the bucket or the credentials.
    """
    place = Bucket(cloud, bucket)
    began = clock()
    throttle = Throttle(max_kbps, clock, cloud.sleep)
    with talk.bar(f"sending {parcel.key[:20]}", parcel.size, "B") as bar:
        if parcel.size < multipart.PART:
            size = _at_once(place, parcel, throttle, bar.update)
        else:
            try:
                size = multipart.send(place, parcel, throttle, bar.update)
            except GoneError:  # another process was at it too, and has joined the parts
                if _is_there(place, parcel):
                    size = 0
                else:
                    size = multipart.send(place, parcel, throttle, bar.update)
    _verify(place, parcel)
    return Sent(size, clock() - began)


def _at_once(
    bucket: Bucket, parcel: Parcel, throttle: Throttle, told: Callable[[int], None]
) -> int:
    content = next(parcel.slices(multipart.PART), b"")
    parcel.check(hashlib.sha256(content).hexdigest())
    body = Body(content, throttle, told)
    bucket.call(
        "put_object",
        **parcel.description,
        Body=body,
        ChecksumAlgorithm="SHA256",
        ChecksumSHA256=_checksum(parcel),
    )
    return len(content)


def _is_there(bucket: Bucket, parcel: Parcel) -> bool:
    try:
        found = bucket.call("head_object", Key=parcel.key)
    except GoneError:
        return False
    return bool(found["ContentLength"] == parcel.size)


def _verify(bucket: Bucket, parcel: Parcel) -> None:
    """Make sure that what the bucket holds now is what was to be sent."""
    found = bucket.call("head_object", Key=parcel.key, ChecksumMode="ENABLED")
    told = str(found.get("ChecksumSHA256", "")).partition("-")[0]  # "-3": joined of three parts
    right = (
        told in (_checksum(parcel), multipart.checksum(parcel))
        if told
        else found["Metadata"].get("sha256") == parcel.sha256
    )
    if not right or found["ContentLength"] != parcel.size:
        bucket.call("delete_object", Key=parcel.key)
        message = f"the bucket holds other bytes than were sent, {found['ContentLength']:,} of them"
        hint = "they were removed; run the same command again"
        raise ChecksumError(message, where=parcel.key, hint=hint)


def _checksum(parcel: Parcel) -> str:
    return multipart.encoded(bytes.fromhex(parcel.sha256))
