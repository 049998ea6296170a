"""Text files read line by line, in bounded memory, with errors that say where."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from marfa.errors import DataError, SettingsError
from marfa.files import CHUNK

_NOT_FOR_FILES = {"idna", "punycode", "unicode-escape", "raw-unicode-escape"}


def codec(encoding: str) -> str:
    """Return the codec to read with: the one named, or for UTF-8 the one that drops a BOM.

    Args:
        encoding: a name such as "utf-8", "cp1252" or "utf-16".

    Returns:
        A codec's name.

    Raises:
        SettingsError: if Python has no such character encoding.

    >>> codec("UTF8"), codec("latin-1")
    ('utf-8-sig', 'iso8859-1')
    """
    try:
        "a".encode(encoding)  # unlike codecs.lookup, this refuses base64, rot13 and the like
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        name = ""
    if not name or name.replace("_", "-") in _NOT_FOR_FILES:
        message = f"no character encoding of files: {encoding[:40]!r}"
        hint = "--encoding utf-8, cp1252, utf-16, or another name that Python knows"
        raise SettingsError(message, where="encoding", hint=hint)
    return "utf-8-sig" if name == "utf-8" else name


class Position:
    """How far the reading of a file has come.

    Attributes:
        share: from 0 to 1; None where it cannot be known.
    """

    def __init__(self) -> None:
        self.share: float | None = None
        self._file: IO[str] | None = None
        self._size = 0

    def watch(self, file: IO[str]) -> None:
        """Take the place in a file for the position; what is packed is counted packed."""
        self._file, self._size = file, os.fstat(file.fileno()).st_size

    def look(self) -> float | None:
        """Return the share read by now."""
        if self._file is not None and not self._file.closed and self._size:
            read = os.lseek(self._file.fileno(), 0, os.SEEK_CUR)
            self.share = min(1.0, read / self._size)
        return self.share


def open_text(path: Path, encoding: str, position: Position | None = None) -> IO[str]:
    """Open a text file, gzip-compressed if its name ends in `.gz`, with its line ends as they are.

    Args:
        path: the file.
        encoding: what `codec` returned.
        position: told how much has been read.

    Returns:
        The file, to be closed by the caller.
    """
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    file = cast("IO[str]", opener(path, "rt", encoding=encoding, newline=""))
    if position:
        position.watch(file)
    return file


def read_lines(file: IO[str], limit: int, where: str, hint: str) -> Iterator[str]:
    r"""Yield the lines of a file, each with its end: "\n", "\r\n" or "\r".

    Args:
        file: from `open_text`.
        limit: characters of the longest line, its end included.
        where: the file's name, for the error.
        hint: what to do about a line that is too long.

    Raises:
        DataError: if a line is too long; no more than `limit` characters of it were read.

    >>> import io
    >>> list(read_lines(io.StringIO("a\r\nb", newline=""), 9, "a.csv", ""))
    ['a\r\n', 'b']
    """
    for number in range(1, 2**63):
        line = file.readline(limit + 1)
        if not line:
            return
        if len(line) > limit:
            message = f"a line of more than {limit} characters, the most that is read"
            raise DataError(message, where=f"{where}:{number}", hint=hint)
        yield line


@contextlib.contextmanager
def explained(path: Path, encoding: str) -> Iterator[None]:
    """Turn what goes wrong while a file is read into an error that says where and what to do.

    Args:
        path: the file or folder.
        encoding: what `codec` returned.

    Raises:
        DataError: instead of the system's, gzip's or the decoder's error.
    """
    try:
        yield
    except UnicodeError as error:
        raise _undecodable(path, encoding) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        message = "not gzip, cut off or damaged"
        hint = f"get it again; test it with: gzip -t {path.name}"
        raise DataError(message, where=str(path), hint=hint) from error
    except OSError as error:
        where = str(error.filename or path)
        message = f"cannot be read: {error.strerror or error}"
        hint = "check the name, and that you may read it"
        raise DataError(message, where=where, hint=hint) from error


def _undecodable(path: Path, encoding: str) -> DataError:
    """Read a second time, to find the line and the byte: the first time, Python had read ahead."""
    decoder = codecs.getincrementaldecoder(encoding)()
    fed = line_feeds = returns = 0
    start = b""
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with explained(path, encoding), opened(path, "rb") as file:
        while chunk := file.read(CHUNK):
            start = start or chunk[:2]
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                fed += len(chunk) - len(error.object) + error.start
                text = error.object[: error.start].decode(encoding, "replace")
                line_feeds, returns = line_feeds + text.count("\n"), returns + text.count("\r")
                break
            except UnicodeError:  # UTF-16 without its byte order mark, told at the first byte
                break
            fed += len(chunk)
            line_feeds, returns = line_feeds + text.count("\n"), returns + text.count("\r")
        else:
            fed -= len(decoder.getstate()[0])  # the file ends inside a character
    name = "utf-8" if encoding == "utf-8-sig" else encoding
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and name != "utf-16":
        hint = "it begins as UTF-16 does: --encoding utf-16"
    elif name == "utf-8":
        hint = f"--encoding cp1252, or: iconv -f cp1252 -t utf-8 {path.name} > utf8-{path.name}"
    else:
        hint = "--encoding utf-8, or whatever encoding it was saved in"
    message = f"byte {fed} is not {name}"
    return DataError(message, where=f"{path}:{(line_feeds or returns) + 1}", hint=hint)
