"""What a run leaves behind so that the next one goes on where it was.

Beside the output stands a folder, `.OUTPUT.marfa`, with the rows judged so far and a journal that says
how many of them, and which bytes, are certain. A power cut costs what was judged since it was written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from marfa import files
from marfa.errors import DataError, DiskFullError, MarfaError
from marfa.stages.score.portions import Portion

_FORMAT = 1
_EVERY_SECONDS = 2.0


class Journal:
    """The rows judged so far. The folder must be locked.

    Args:
        output: the file that is to be.
        key: names what judges and what is written; another key begins anew.
        head: what stands before the first row.
        clock: seconds.

    Attributes:
        folder: where everything is until the output is whole.
        part: the rows.
        rows: how many there are.
        bytes: of the part.
        digest: of the texts that they judge.
        counts: how often each label was given.
        is_other: an earlier run has left rows of another judge, which are of no use to this one.
        is_whole: an earlier run has made the output, and was ended before it removed this journal.

    Raises:
        MarfaError: if the folder cannot be written.
    """

    def __init__(
        self,
        output: Path,
        key: str,
        head: bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self._output = folder_of(output), output
        self.part, self._path = self.folder / "part", self.folder / "journal.json"
        self._key, self._head, self._clock = key, head, clock
        self.rows, self.bytes, self.digest = 0, 0, ""
        self.counts: Counter[str] = Counter()
        self.is_other = False
        self._has_failed = False
        found = self._read()
        self.is_whole = bool(found) and not self.part.exists()
        self._take(found)
        if self.is_whole:
            return
        self._open("r+b" if found else "wb")
        if found:
            self._file.truncate(self.bytes)
            self._file.seek(self.bytes)
        else:
            self._begin()

    def restart(self) -> None:
        """Throw the rows away; an output that was made of them stays until there is another."""
        if self.is_whole:
            self.is_whole = False
            self._open("wb")
        self._file.seek(0)
        self._file.truncate()
        self._take({})
        self._begin()

    def add(
        self, portion: Portion, judged: bytes, counts: Counter[str], left: float | None
    ) -> None:
        """Add the judgements of the next portion.

        Args:
            portion: what was judged.
            judged: what to write.
            counts: how often each label was given in it.
            left: how many times as many rows as there are now are still to come, None where unknown.

        Raises:
            DiskFullError: if there is no room; it says how much more is needed.
        """
        try:
            with self._certain():
                self._file.write(judged)
            self.bytes += len(judged)
            self.rows, self.digest = portion.end, portion.digest
            self.counts += counts
            if self._clock() - self._written >= _EVERY_SECONDS:
                self.sync()
        except OSError as error:
            raise self._explained(error, left) from error
        except DiskFullError as error:
            raise self._explained(OSError(28, error.what), left) from error

    def sync(self) -> None:
        """Make certain what has been added: first the rows, then the journal that counts them."""
        with self._certain():
            self._file.flush()
            os.fsync(self._file.fileno())
        document = {
            "format": _FORMAT,
            "key": self._key,
            "rows": self.rows,
            "bytes": self.bytes,
            "digest": self.digest,
            "counts": dict(self.counts),
            "file": _mark(self.part),
        }
        files.write_json(self._path, document)
        self._written = self._clock()

    def close(self) -> None:
        """Leave what is needed to go on; nothing where nothing was judged."""
        if self.is_whole or self._file.closed:  # it is done
            return
        with contextlib.suppress(OSError, MarfaError):  # what was certain before still is
            if self.rows and not self._has_failed:
                self.sync()
        with contextlib.suppress(OSError):
            self._file.close()
        if not self._path.exists():
            shutil.rmtree(self.folder, ignore_errors=True)

    def done(self) -> None:
        """Remove everything; the output is whole."""
        if not self.is_whole:
            self._file.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def whole(self) -> None:
        """Make all rows certain, and add no more, before the output is made of them.

        Raises:
            DiskFullError: if there is no room.
        """
        try:
            self.sync()
        except OSError as error:
            raise self._explained(error, 0.0) from error
        self._file.close()

    @contextlib.contextmanager
    def _certain(self) -> Iterator[None]:
        """Remember that rows could not be written.

        Linux tells that once: it gives up what it held of them, and the next fsync succeeds. What was
        certain before still is; no later journal of this run could be believed.
        """
        try:
            yield
        except OSError:
            self._has_failed = True
            raise

    def _open(self, mode: str) -> None:
        try:
            self._file: IO[bytes] = open(self.part, mode)  # noqa: SIM115 - until close
        except OSError as error:
            raise files.disk_error(error, self.part) from error

    def _begin(self) -> None:
        self._path.unlink(missing_ok=True)
        self._file.write(self._head)
        self.bytes = len(self._head)

    def _take(self, found: dict[str, Any]) -> None:
        self.rows = found.get("rows", 0)
        self.bytes = found.get("bytes", 0)
        self.digest = found.get("digest", "")
        self.counts = Counter(found.get("counts", {}))
        self._written = self._clock()

    def _read(self) -> dict[str, Any]:
        """Return what an earlier run has left, if this one can use it."""
        try:
            found = files.read_json(self._path)
        except (DataError, OSError):
            return {}
        match found:
            case {
                "format": int(form), "key": str(key), "rows": int(rows), "bytes": int(kept),
                "digest": str(), "counts": dict(),
            }:  # fmt: skip
                self.is_other = (form, key) != (_FORMAT, self._key)
                if not self.is_other and (self._holds(kept) or (rows and self._became(found))):
                    return dict(found)
        return {}

    def _holds(self, size: int) -> bool:
        try:
            return self.part.stat().st_size >= size
        except OSError:
            return False

    def _became(self, found: dict[str, Any]) -> bool:
        """Return whether the output is the very file that the rows were in, as it was left.

        A run that ends between its last two steps, to give that file its name and to remove the
        journal, leaves this.
        """
        try:
            return not self.part.exists() and found.get("file") == _mark(self._output)
        except OSError:
            return False

    def _explained(self, error: OSError, left: float | None) -> MarfaError:
        found = files.disk_error(error, self.part)
        if isinstance(found, DiskFullError) and left is not None:
            needed = int(self.bytes * left) + files.CHUNK
            found.what = f"{found.what}; about {needed:,} bytes more are needed"
            found.args = (found.what,)
        return found


def _mark(path: Path) -> list[int]:
    """Return what stays of a file when it is renamed, and does not when anybody writes to it."""
    found = path.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns]


def folder_of(output: Path) -> Path:
    """Return the folder in which a run keeps what it has."""
    return output.with_name(f".{output.name}.marfa")
