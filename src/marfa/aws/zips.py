"""Zip files as Lambda takes them: equal content gives equal bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can name."""

_UNIX = 3
_MODE = 0o100644
_LEVEL = 9


def pack(members: Mapping[str, bytes]) -> bytes:
    """Make a zip of regular files, readable by all, which is what Lambda asks for.

    Args:
        members: content by name, in any order.

    Returns:
        The zip's bytes, the same for equal members.

    >>> pack({"b": b"2", "a": b"1"}) == pack({"a": b"1", "b": b"2"})
    True
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            packed.writestr(entry, members[name], zipfile.ZIP_DEFLATED, _LEVEL)
    return made.getvalue()
