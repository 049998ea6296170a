"""What is sent to the bucket, under a name made of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marfa.errors import DataError
from marfa.files import disk_error, hash_file

_UNKNOWN = "application/octet-stream"


@dataclass(frozen=True)
class Parcel:
    """Something to send.

    Args:
        key: its name in the bucket.
        body: the bytes, or the file that holds them.
        sha256: their SHA-256 in hexadecimal.
        size: bytes.
        kind: media type, for what a browser will fetch.
        fresh: whoever keeps a copy of it must ask whether it is still right.
    """

    key: str
    body: bytes | Path
    sha256: str
    size: int
    kind: str = _UNKNOWN
    fresh: bool = False

    def __str__(self) -> str:
        return str(self.body) if isinstance(self.body, Path) else self.key

    def slices(self, size: int) -> Iterator[bytes]:
        """Read it, so many bytes at a time.

        Raises:
            MarfaError: if the file cannot be read.
        """
        if isinstance(self.body, bytes):
            yield from (self.body[at : at + size] for at in range(0, len(self.body), size))
            return
        try:
            with open(self.body, "rb") as file:
                while content := file.read(size):
                    yield content
        except OSError as error:
            raise disk_error(error, self.body) from error

    def check(self, sha256: str) -> None:
        """Make sure that what was read is what was measured.

        Raises:
            DataError: if it is not.
        """
        if sha256 != self.sha256:
            message = "changed between being measured and being sent"
            raise DataError(message, where=str(self), hint="run the same command again")

    @property
    def description(self) -> dict[str, Any]:
        """Return what S3 is to know of it beside the bytes."""
        told = {"Key": self.key, "ContentType": self.kind, "Metadata": {"sha256": self.sha256}}
        return {**told, "CacheControl": "no-cache"} if self.fresh else told


@dataclass(frozen=True)
class Sent:
    """What one upload took.

    Attributes:
        size: bytes that were sent; what was there before is not among them.
        seconds: how long that took.
    """

    size: int
    seconds: float


def key_of(prefix: str, sha256: str, suffix: str) -> str:
    """Return the key of what has this SHA-256.

    >>> key_of("code", "0a1b", ".zip")
    'code/0a1b.zip'
    """
    return f"{prefix}/{sha256}{suffix}"


def pack(prefix: str, body: bytes | Path, suffix: str, kind: str = _UNKNOWN) -> Parcel:
    """Measure something, and name it by what it holds.

    Args:
        prefix: first part of its key, such as "code".
        body: the bytes, or the file that holds them.
        suffix: end of its key, such as ".zip".
        kind: media type.

    Raises:
        MarfaError: if the file cannot be read.

    >>> pack("code", b"", ".zip").key
    'code/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.zip'
    """
    if isinstance(body, bytes):
        digest, size = hashlib.sha256(body).hexdigest(), len(body)
    else:
        try:
            digest, size = hash_file(body), body.stat().st_size
        except OSError as error:
            raise disk_error(error, body) from error
    return Parcel(key_of(prefix, digest, suffix), body, digest, size, kind)
