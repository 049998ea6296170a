"""A large file in parts, of which S3 itself keeps the journal.

What has arrived is asked of S3, never remembered here: a process that is killed, or another machine,
goes on after the last part that is whole.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from marfa.aws.body import Body, Throttle
from marfa.aws.bucket import Bucket
from marfa.aws.parcel import Parcel
from marfa.errors import DataError

PART = 5 << 20
"""The smallest part that S3 takes: what a cut can cost."""


def send(bucket: Bucket, parcel: Parcel, throttle: Throttle, told: Callable[[int], None]) -> int:
    """Send the parts that are not there yet, and have them joined.

    Args:
        bucket: where to.
        parcel: of at least one part.
        throttle: keeps the rate.
        told: told how many bytes of the whole are there.

    Returns:
        How many bytes were sent; what was there before is not among them.

    Raises:
        GoneError: if somebody else joined or threw away the parts meanwhile.
        DataError: if the file is not what it was when it was measured.
    """
    found = [upload["UploadId"] for upload in _begun(bucket, parcel.key)]
    upload = found[-1] if found else _begin(bucket, parcel)
    there = _there(bucket, parcel.key, upload)
    place = {"Key": parcel.key, "UploadId": upload}
    whole, joined = hashlib.sha256(), []
    done = sent = 0
    for number, content in enumerate(parcel.slices(PART), 1):
        whole.update(content)
        part = {"PartNumber": number, "ChecksumSHA256": _digest(content)}
        etag = _right(there.get(number, {}), content)
        if not etag:
            body = Body(content, throttle, _counted(told, done))
            answer = bucket.call(
                "upload_part", **place, **part, Body=body, ChecksumAlgorithm="SHA256"
            )
            etag = answer["ETag"]
            sent += len(content)
        done += len(content)
        told(done)
        joined.append({**part, "ETag": etag})
    try:
        parcel.check(whole.hexdigest())
    except DataError:
        bucket.call("abort_multipart_upload", **place)
        raise
    bucket.call("complete_multipart_upload", **place, MultipartUpload={"Parts": joined})
    for other in found[:-1]:  # begun earlier, and billed as long as they lie
        bucket.call("abort_multipart_upload", Key=parcel.key, UploadId=other)
    return sent


def checksum(parcel: Parcel) -> str:
    """Return the SHA-256 that S3 tells of what was joined of parts: that of their SHA-256s.

    >>> checksum(Parcel("k", b"", "", 0))
    '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    digests = [hashlib.sha256(content).digest() for content in parcel.slices(PART)]
    return _digest(b"".join(digests))


def encoded(digest: bytes) -> str:
    """Write a digest as S3 does."""
    return base64.b64encode(digest).decode("ascii")


def _begun(bucket: Bucket, key: str) -> list[dict[str, Any]]:
    """Find what was begun under a key, the newest last; what others began otherwise is not ours."""
    pages = bucket.pages("list_multipart_uploads", Prefix=key)
    uploads = [
        upload
        for page in pages
        for upload in page.get("Uploads", [])
        if upload["Key"] == key and upload.get("ChecksumAlgorithm") == "SHA256"
    ]
    return sorted(uploads, key=lambda upload: str(upload["Initiated"]))


def _begin(bucket: Bucket, parcel: Parcel) -> str:
    answer = bucket.call(
        "create_multipart_upload",
        **parcel.description,
        ChecksumAlgorithm="SHA256",
    )
    return str(answer["UploadId"])


def _there(bucket: Bucket, key: str, upload: str) -> dict[int, dict[str, Any]]:
    pages = bucket.pages("list_parts", Key=key, UploadId=upload)
    return {part["PartNumber"]: part for page in pages for part in page.get("Parts", [])}


def _right(part: dict[str, Any], content: bytes) -> str:
    """Return the ETag of a part that holds these bytes, empty if it does not.

    S3 tells a part's SHA-256; where something between does not, the ETag is its MD5.
    """
    if part.get("Size") != len(content):
        return ""
    etag = str(part["ETag"])
    if told := part.get("ChecksumSHA256"):
        return etag if told == _digest(content) else ""
    return (
        etag if etag.strip('"') == hashlib.md5(content, usedforsecurity=False).hexdigest() else ""
    )


def _digest(content: bytes) -> str:
    return encoded(hashlib.sha256(content).digest())


def _counted(told: Callable[[int], None], before: int) -> Callable[[int], None]:
    return lambda count: told(before + count)
