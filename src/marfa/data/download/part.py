"""A file in the making: `NAME.part`, and `NAME.part.json` that says how far it can be trusted.

The data is synced before the sidecar mentions it, so after a crash everything up to the recorded
length is real; bytes beyond it are cut off, whatever they look like.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from marfa.data.download.resume import State, etag
from marfa.errors import DataError, DiskFullError, MarfaError
from marfa.files import disk_error, read_json, sync_folder, write_json

VERSION = 1
SMALL, LARGE = 1 << 16, 1 << 20
"""Bytes unsynced that are worth a sync after `QUICK` seconds, and at once."""

QUICK, SLOW = 0.1, 2.0
"""So a crash costs 64 kB or a tenth of a second of the line, and never more than 1 MB or 2 s."""


class RawFile(Protocol):
    """What is needed of the file: no buffer of its own, so nothing is hidden when a write fails."""

    def write(self, data: memoryview, /) -> int | None:
        """Write some of the data and tell how much."""

    def seek(self, offset: int, /) -> int:
        """Go to an offset."""

    def truncate(self, size: int, /) -> int:
        """Cut off, or fill up to, a size."""

    def fileno(self) -> int:
        """Tell the descriptor."""

    def close(self) -> None:
        """Close it."""


def open_raw(path: Path) -> RawFile:
    """Open for writing without emptying; make it if it is not there."""
    return open(path, "r+b", buffering=0, opener=_create)


def _create(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CREAT, 0o666)


class Part:
    """An unfinished file and its sidecar; use it in a `with` block, under the folder's lock.

    Args:
        target: the final name; the two files lie beside it.
        wanted: what is wanted; what is on the disk is kept only if it may be the beginning of this.
        clock: seconds that only go forward.
        opener: opens the data file.
    """

    def __init__(
        self,
        target: Path,
        wanted: State,
        *,
        clock: Callable[[], float] = time.monotonic,
        opener: Callable[[Path], RawFile] = open_raw,
    ) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self.sidecar = target.with_name(f"{target.name}.part.json")
        self.found = ""
        self._wanted = wanted
        self._clock = clock
        self._opener = opener
        self._recorded = State()
        self._when = clock()
        self.state = wanted

    def __enter__(self) -> Part:
        self.state = self._recorded = self._trusted()
        with _disk(self.path):
            for path in self._leftovers():
                path.unlink(missing_ok=True)
            self._file = self._opener(self.path)
            self._file.truncate(self.state.length)
            self._file.seek(self.state.length)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # The failure under way says more than a second one while saving what can be saved.
            with contextlib.suppress(MarfaError) if error else contextlib.nullcontext():
                self.save()
        finally:
            self._file.close()

    def exists(self) -> bool:
        """Tell whether anything is there, be it only what a kill left."""
        return self.path.exists() or self.sidecar.exists() or bool(self._leftovers())

    def begin(self, state: State) -> None:
        """Start from nothing. The sidecar forgets the old bytes before they are overwritten."""
        self.state = replace(state, length=0)
        self._record()
        with _disk(self.path):
            self._file.truncate(0)
            self._file.seek(0)

    def room(self) -> None:
        """Make sure that the rest will fit.

        Raises:
            DiskFullError: naming the bytes needed and those free.
        """
        if self.state.total is None:
            return
        needed = self.state.total - self.state.length
        with _disk(self.path):
            free = shutil.disk_usage(self.path.parent).free
        if needed > free:
            message = f"{needed:,} bytes are still needed, and {free:,} are free on the disk"
            hint = "free some space, then run the same command again: it goes on from here"
            raise DiskFullError(message, where=str(self.path), hint=hint)

    def append(self, data: bytes) -> None:
        """Write after what is there, and make it durable from time to time.

        Raises:
            DiskFullError: if there is no room; what was synced before stays good.
        """
        view = memoryview(data)
        while view:
            with _disk(self.path):
                written = self._file.write(view) or 0
            self.state = replace(self.state, length=self.state.length + written)
            view = view[written:]
        unsaved, waited = self.state.length - self._recorded.length, self._clock() - self._when
        if unsaved >= LARGE or waited >= SLOW or (unsaved >= SMALL and waited >= QUICK):
            self.save()

    def save(self) -> None:
        """Make what was written durable: first the data, then the sidecar that vouches for it."""
        if self._recorded != self.state:
            with _disk(self.path):
                os.fsync(self._file.fileno())
            self._record()

    def install(self, target: Path) -> None:
        """Give the finished, closed file its final name; the sidecar goes last."""
        with _disk(target):
            os.replace(self.path, target)
            sync_folder(target.parent)
        self.discard()

    def discard(self) -> None:
        """Remove both files, and what a kill left of them."""
        with _disk(self.path):
            for path in (self.sidecar, self.path, *self._leftovers()):
                path.unlink(missing_ok=True)

    def _record(self) -> None:
        write_json(self.sidecar, {"version": VERSION, **asdict(self.state)})
        self._recorded = self.state
        self._when = self._clock()

    def _trusted(self) -> State:
        """Find what can be built on; `found` says in words why that may be nothing."""
        if not self.path.exists():
            return self._wanted
        try:
            state = read_state(read_json(self.sidecar))
        except DataError:
            self.found = "the record of an earlier download is unreadable: starting over"
            return self._wanted
        with _disk(self.path):
            size = self.path.stat().st_size
        if size < state.length:
            self.found = "an earlier download is shorter than its record says: starting over"
        elif not state.continues(self._wanted):
            self.found = "an earlier download cannot be continued safely: starting over"
        else:
            return self._moved(state)
        return self._wanted

    def _moved(self, state: State) -> State:
        """Another mirror's ETag means nothing to this one."""
        if state.url == self._wanted.url:
            return state
        return replace(state, url=self._wanted.url, etag="", last_modified="")

    def _leftovers(self) -> list[Path]:
        """Find what a kill leaves while the sidecar is written: files of a random name."""
        return list(self.path.parent.glob(f".{glob.escape(self.sidecar.name)}.*.tmp"))


def read_state(document: Any) -> State:
    """Read a sidecar's document.

    Raises:
        DataError: if it is not one that we wrote.

    >>> read_state({"version": 1, "url": "http://h/a", "length": 7, "total": 9}).length
    7
    """
    known = isinstance(document, dict) and document.get("version") == VERSION
    fields = {name: document.get(name, kind()) for name, kind in _TEXTS.items()} if known else {}
    length, total = (document.get("length"), document.get("total")) if known else (None, None)
    if (
        not known
        or not all(isinstance(value, str) for value in fields.values())
        or type(length) is not int
        or not (total is None or type(total) is int)
        or not 0 <= length <= (length if total is None else total)
    ):
        message = "not a record of an unfinished download"
        raise DataError(message)
    return State(**fields | {"etag": etag(fields["etag"])}, total=total, length=length)


_TEXTS = {"url": str, "expected": str, "etag": str, "last_modified": str}


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error
