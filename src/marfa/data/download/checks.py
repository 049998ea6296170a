"""What the finished file must be, and whether it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from marfa.errors import SettingsError
from marfa.files import disk_error, hash_file

_HEX = {"sha256": 64, "md5": 32}
_LABELS = {"sha256": "SHA-256", "md5": "MD5"}


@dataclass(frozen=True)
class Checks:
    """What the whole must be.

    Attributes:
        size: bytes, where known.
        digests: hexadecimal digests by the name of their algorithm.
    """

    size: int | None
    digests: Mapping[str, str]

    @property
    def expected(self) -> str:
        """The digest that names the file, the strongest there is; empty without any."""
        return next((f"{name}:{digest}" for name, digest in self.digests.items()), "")

    def inspect(self, path: Path) -> tuple[str, str]:
        """Read the whole.

        Returns:
            Its SHA-256, and a few words on what is wrong with it, empty when it is right.

        Raises:
            MarfaError: if it cannot be read.
        """
        try:
            size = path.stat().st_size
            found = {name: hash_file(path, name) for name in {"sha256": "", **self.digests}}
        except OSError as error:
            raise disk_error(error, path) from error
        if self.size is not None and size != self.size:
            return found["sha256"], f"{size:,} bytes; expected {self.size:,}"
        for name, digest in self.digests.items():
            if found[name] != digest:
                return found["sha256"], f"the {_LABELS[name]} is {found[name]}; expected {digest}"
        return found["sha256"], ""


def digests(**given: str) -> dict[str, str]:
    """Check the digests that were given, and keep their order.

    Raises:
        SettingsError: if one is malformed.

    >>> digests(sha256="", md5="D41D8CD98F00B204E9800998ECF8427E")
    {'md5': 'd41d8cd98f00b204e9800998ecf8427e'}
    """
    found = {name: digest.strip().lower() for name, digest in given.items() if digest}
    for name, digest in found.items():
        if not re.fullmatch(r"[0-9a-f]+", digest) or len(digest) != _HEX[name]:
            message = f"{digest!r} is not {_HEX[name]} hexadecimal digits"
            raise SettingsError(message, where=name)
    return found
