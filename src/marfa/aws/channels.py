"""What a job is given to read: files in a folder, in the bucket under a name made of all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from marfa.aws.parcel import Parcel, pack

ROOT = "jobs"
"""First part of the keys of all that jobs read."""

CODE, RAW, PREPARED, EARLIER = "code", "raw", "prepared", "earlier"
"""What a training job may be given: marfa itself, texts, numbers made of them, an earlier model."""

PROGRAM = "marfa.zip"
"""The file of the channel `code`."""

_DIGITS = 12


@dataclass(frozen=True)
class Channel:
    """A folder that a job reads, at /opt/ml/input/data/<name>.

    Attributes:
        name: the folder's.
        files: what is in it: bytes, or where they are, by name.

    >>> Channel("code", {"marfa.zip": b""}).prefix
    'jobs/8c3757d40d42/'
    """

    name: str
    files: Mapping[str, bytes | Path]

    @cached_property
    def parcels(self) -> list[Parcel]:
        """Measure the files, and name each as the job is to find it.

        Raises:
            MarfaError: if one cannot be read.
        """
        made = {name: pack(ROOT, self.files[name], "") for name in sorted(self.files)}
        whole = hashlib.sha256()
        for name, parcel in made.items():
            whole.update(f"{name}\0{parcel.sha256}\n".encode())
        folder = f"{ROOT}/{whole.hexdigest()[:_DIGITS]}"
        return [replace(parcel, key=f"{folder}/{name}") for name, parcel in made.items()]

    @property
    def prefix(self) -> str:
        """Return how the keys of all its files begin, the last slash included."""
        first = self.parcels[0].key
        return "/".join(first.split("/")[:2]) + "/"

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(parcel.size for parcel in self.parcels)
