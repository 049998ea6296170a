"""tar.gz, strictly: equal content gives equal bytes, and nothing read is trusted.

The reader parses the headers itself. The library's own has had path, link and size holes in every
Python that marfa supports (CVE-2025-4517 and its kin), and offers far more than a flat list of
regular files, which is all that a bundle is.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from marfa import files
from marfa.errors import BundleError


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


BLOCK = 512
_LEVEL = 6

_PLAIN, _FOLDER, _PAX = (b"0", b"\0"), b"5", (b"x", b"g")
_PAX_LIMIT = 1 << 14
_MOST = 4096
"""Headers at most, so that an endless list of folders ends."""
_MOST_TIMES = 100
"""Numbers as a network has them hardly become smaller; what becomes a hundred times larger is a trap."""
_ROOM = 16 << 20
"""What any archive may unpack to, however small it is."""
_DECIDING = (b"path=", b"size=", b"linkpath=", b"GNU.sparse")
"""What a record of pax may not say here, since it would change what the next header says."""


def write_tar_gz(path: Path, members: Mapping[str, bytes]) -> None:
    """Write regular files as a tar.gz, atomically; equal members give equal bytes.

    Args:
        path: the archive.
        members: content by name; the order of the mapping is the order in the archive.

    Raises:
        DiskFullError: if there is no room.
    """
    with (
        files.atomic(path) as raw,
        gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, content in members.items():
            entry = tarfile.TarInfo(name)  # mode 0644, owner 0, time 0
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def read_tar_gz(path: Path, limit_of: Callable[[str], int], total_limit: int) -> dict[str, bytes]:
    """Read a tar.gz of regular files into memory, refusing anything else.

    Args:
        path: the archive.
        limit_of: the largest size allowed for a name in bytes, 0 for a name that is not allowed.
        total_limit: the largest sum of sizes, which is also what is decompressed at most; a hundred
            times the archive's own size, if that is less.

    Returns:
        Content by name.

    Raises:
        BundleError: for any other kind of member, a name not allowed or twice, a size over its limit,
            a wrong checksum, or an archive that is cut or no archive.
    """
    found: dict[str, bytes] = {}
    try:
        left = min(total_limit, max(_ROOM, _MOST_TIMES * path.stat().st_size))
        with gzip.open(path, "rb") as stream:
            for name, size in _headers(stream, path):
                if name in found:
                    raise _refuse(path, f"{name!r} stands in it twice")
                limit = min(limit_of(name), left)
                if limit == 0:
                    raise _refuse(path, f"{name!r} is not a file of a bundle")
                if size > limit:
                    raise _refuse(path, f"{name!r} has {size} bytes, more than the {limit} allowed")
                found[name] = _exactly(stream, size, path)
                _exactly(stream, -size % BLOCK, path)
                left -= size
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _refuse(path, "the archive is cut, altered, or not a tar.gz") from error
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise BundleError(message, where=str(path)) from error
    return found


def _headers(stream: _Readable, path: Path) -> Iterator[tuple[str, int]]:
    """Yield name and size of each plain file; the caller reads its content in between.

    Other archivers, such as SageMaker's, list folders too, begin names with "./", and put times into
    records of their own (POSIX pax). Those say nothing that is needed, and are passed over.
    """
    for _ in range(_MOST):
        header = _exactly(stream, BLOCK, path)
        if header == bytes(BLOCK):
            return
        # The checksum is the sum of the header's bytes, its own field counted as spaces (POSIX ustar).
        total = sum(header) - sum(header[148:156]) + 8 * 32
        if total != _octal(header[148:156], path):
            raise _refuse(path, "a header is damaged, or this is no tar archive")
        kind, size = header[156:157], _octal(header[124:136], path)
        if kind in _PAX:
            _pass_over(stream, size, path)
            continue
        if kind == _FOLDER and not size:
            continue
        if kind not in _PLAIN or header[345:500].strip(b"\0"):
            raise _refuse(path, "it holds something else than plain files")
        try:
            name = header[:100].rstrip(b"\0").decode("ascii")
        except UnicodeDecodeError:
            raise _refuse(path, "a name is not plain ASCII") from None
        yield name.removeprefix("./"), size
    raise _refuse(path, "it holds more than a bundle ever does")


def _pass_over(stream: _Readable, size: int, path: Path) -> None:
    """Read a record about the next file, which may say when it was made, but not what it is."""
    if size > _PAX_LIMIT:
        raise _refuse(path, "it holds something else than plain files")
    record = _exactly(stream, size, path)
    _exactly(stream, -size % BLOCK, path)
    if any(word in record for word in _DECIDING):
        raise _refuse(path, "it holds something else than plain files")


def _octal(field: bytes, path: Path) -> int:
    digits = field.strip(b"\0 ")
    if not digits or digits.strip(b"01234567"):
        raise _refuse(path, "a header is damaged, or this is no tar archive")
    return int(digits, 8)


def _exactly(stream: _Readable, size: int, path: Path) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise _refuse(path, "the archive ends too early")
    return data


def _refuse(path: Path, what: str) -> BundleError:
    return BundleError(what, where=str(path), hint="package the model again, or copy it again")
