"""Files that survive a power cut: write beside, sync, then move.

The order is always data fsync -> rename -> directory fsync, so that after any interruption a name
holds either the old bytes or the new ones, never a mixture (cf. Pillai et al., "All File Systems Are
Not Created Equal", OSDI 2014). Locks are the kernel's, so a killed holder leaves nothing stale.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from marfa.errors import BusyError, DataError, DiskFullError, MarfaError

CHUNK = 1 << 20
"""Bytes read at a time where a whole file is passed through."""

_FULL = {errno.ENOSPC, errno.EDQUOT}


def disk_error(error: OSError, path: Path) -> MarfaError:
    """Turn an operating-system error into one that says what to do.

    Args:
        error: what the system raised.
        path: the file concerned.

    Returns:
        A `DiskFullError` when there is no room, otherwise a `MarfaError` with the system's words.

    >>> disk_error(OSError(errno.ENOSPC, "No space left on device"), Path("a.bin")).exit_code
    28
    """
    if error.errno in _FULL:
        return DiskFullError(
            "no room left on the disk while writing",
            where=str(path),
            hint="free some space, then run the same command again; what was complete is intact",
        )
    return MarfaError(
        f"cannot be read or written: {error.strerror or error}",
        where=str(path),
        hint="check that it exists and that you may use it, or choose another --workdir",
    )


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file beside `path` that takes its place only when all is written and synced.

    Args:
        path: the final name; parent folders are made.

    Yields:
        A binary file to write to.

    Raises:
        DiskFullError: if there is no room; the old file is untouched and no part is left.
        MarfaError: if the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        sync_folder(path.parent)
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; a rename is not, before this."""
    if os.name == "nt":  # Windows has no handle on a folder to sync
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file, or leave the old one.

    Args:
        path: the file.
        data: its new content.

    Raises:
        DiskFullError: if there is no room.
    """
    with atomic(path) as file:
        file.write(data)


def to_json(document: Any) -> bytes:
    r"""Write a JSON document in one form: sorted keys, UTF-8, a final newline, no NaN.

    >>> to_json({"b": 1, "a": "é"})
    b'{\n "a": "\xc3\xa9",\n "b": 1\n}\n'
    """
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return text.encode("utf-8") + b"\n"


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document atomically, in the form of `to_json`."""
    write_bytes(path, to_json(document))


def read_json(path: Path) -> Any:
    """Read a JSON document of ours.

    Args:
        path: the file.

    Returns:
        The document.

    Raises:
        DataError: if the file is missing, is not UTF-8 or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = "no such file"
        raise DataError(message, where=str(path)) from error
    except (ValueError, RecursionError) as error:
        message = "not a JSON document"
        raise DataError(message, where=str(path)) from error


def hash_file(path: Path, algorithm: str = "sha256") -> str:
    """Hash a file without holding it in memory.

    Args:
        path: the file.
        algorithm: a name that `hashlib` knows, such as "sha256" or "md5".

    Returns:
        The digest in hexadecimal.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def hash_json(document: Any) -> str:
    """SHA-256 of a document in the form of `to_json`, for comparing settings."""
    return hashlib.sha256(to_json(document)).hexdigest()


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold a folder for this process; another process gets a clear refusal at once.

    The lock is `flock` on a file in the folder, so it ends with the process, however that ends. On a
    system without `flock` (Windows) nothing is locked; correctness rests on atomic writes, the lock
    only spares wasted work.

    Args:
        folder: the folder to hold; it is made.

    Raises:
        BusyError: if another process holds it.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    path = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+", encoding="ascii")  # noqa: SIM115 - held over the yield
    except OSError as error:
        raise disk_error(error, path) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read(20).strip() or "unknown"
            message = f"another marfa is at work here (process {holder})"
            raise BusyError(message, where=str(folder), hint="wait for it to end") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        for part in folder.glob(".*.tmp"):  # of a process that was killed; nobody else writes here
            part.unlink(missing_ok=True)
        yield
