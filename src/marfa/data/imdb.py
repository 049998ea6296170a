"""The Large Movie Review Dataset, read from its archive as it is, without unpacking.

The archive is walked by hand, header by header: `tarfile` makes an object of each of the 100,000
members and takes twice as long, and its stream mode (`r|gz`) never compares the gzip checksum.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from marfa.data.rows import Row
from marfa.errors import DataError
from marfa.files import CHUNK

URL = "http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
"""Where the authors publish the archive."""
MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
"""Of the authors' archive; a mirror's may differ and has its own hash."""
SIZE = 84_125_825
"""Bytes of the authors' archive."""
CITATION = (
    "Andrew L. Maas, Raymond E. Daly, Peter T. Pham, Dan Huang, Andrew Y. Ng, and Christopher "
    "Potts (2011). Learning Word Vectors for Sentiment Analysis. In Proceedings of the 49th Annual "
    "Meeting of the Association for Computational Linguistics: Human Language Technologies, "
    "pages 142-150."
)
"""What the authors ask users to cite."""

MAX_TEXT_BYTES = 1 << 20
"""The longest review has under 15 kB; anything near this is no review."""
MAX_MEMBER_BYTES = 1 << 28
"""For members that are passed over; the authors' largest has about 40 MB."""

_BLOCK = 512
_END = bytes(_BLOCK)
# A hidden name ("._0_9.txt", left by some archivers) holds no review.
_REVIEW = re.compile(rb"(?:\./)?aclImdb/((train|test)/(pos|neg)/[^/.][^/]*\.txt)")
_LABELS = {"pos": "positive", "neg": "negative"}
_FOLDERS = {f"{split}/{folder}" for split in ("train", "test") for folder in _LABELS}
_REGULAR = {b"0", b"\0", b"7"}
_WITHOUT_CONTENT = {b"1", b"2", b"3", b"4", b"5", b"6"}  # links, devices, folders
_EXTENSION = {b"x", b"g", b"L", b"K"}
_PAX_PATH = re.compile(rb"(?:\A|\n)\d+ path=")
_PAX_SIZE = re.compile(rb"(?:\A|\n)\d+ size=")
_AGAIN = "delete it and run: marfa fetch sentiment"


def read(archive: Path) -> Iterator[Row]:
    """Stream the labelled reviews of IMDb out of `aclImdb_v1.tar.gz`.

    Rows come in the order of the archive, the same every time. `train/unsup` and everything that is
    no review is passed over. The gzip checksum stands at the end, so damage may be reported only
    after the last row: use the rows when the iterator has ended without an error.

    Args:
        archive: the gzip-compressed tar, with `aclImdb/{train,test}/{pos,neg}/*.txt` in it.

    Returns:
        Rows labelled "positive" or "negative", with split "train" or "test".

    Raises:
        DataError: if the file is missing, is no such archive, is cut off or is damaged.

    >>> next(read(Path("no-such-archive.tar.gz")))
    Traceback (most recent call last):
    marfa.errors.DataError: no-such-archive.tar.gz: no such file
    """
    where = str(archive)
    seen: set[str] = set()
    try:
        with gzip.open(archive, "rb") as unzipped:
            for name, data in _Tar(io.BufferedReader(unzipped, CHUNK), where).reviews():
                split, folder, _ = name.split("/")
                seen.add(f"{split}/{folder}")
                yield Row(_decoded(data, name, where), _LABELS[folder], split, name)
    except EOFError as error:
        message = "cut off: the gzip data end too early; expected the whole archive"
        raise DataError(message, where=where, hint=_AGAIN) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        message = "not gzip, or damaged; expected the archive aclImdb_v1.tar.gz"
        raise DataError(message, where=where, hint=_AGAIN) from error
    except FileNotFoundError as error:
        message = "no such file"
        raise DataError(message, where=where, hint="run: marfa fetch sentiment") from error
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise DataError(message, where=where, hint="check its name and permissions") from error
    if missing := sorted(_FOLDERS - seen):
        message = (
            f"a complete archive without reviews in {', '.join(missing)}; expected them in "
            "aclImdb/{train,test}/{pos,neg}"
        )
        raise DataError(message, where=where, hint=_AGAIN)


def _decoded(data: bytes, name: str, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8, as every review is expected to be"
        raise DataError(message, where=f"{where}: {name}", hint=_AGAIN) from error


class _Tar:
    """A tar read once from start to end; whatever is not plain is an error or passed over."""

    def __init__(self, stream: io.BufferedReader, where: str) -> None:
        self._stream = stream
        self._where = where
        self._position = 0

    def reviews(self) -> Iterator[tuple[str, bytes]]:
        """Yield name ("train/pos/0_9.txt") and content of each labelled review."""
        renamed = False
        while (header := self._take(_BLOCK)) != _END:
            start = self._position - _BLOCK
            kind, size = self._kind_and_size(header, start)
            padded = -(-size // _BLOCK) * _BLOCK
            if kind in _EXTENSION:
                renamed = self._extension(kind, padded, start) or renamed
                continue
            # A name that needs an extension is too long, or too strange, to be a review's.
            match = None if renamed or kind not in _REGULAR else _REVIEW.fullmatch(_name(header))
            renamed = False
            if match is None:
                self._skip(0 if kind in _WITHOUT_CONTENT else padded)
                continue
            self._limit(size, MAX_TEXT_BYTES, start)
            yield match[1].decode("utf-8", "replace"), self._take(padded)[:size]
        while self._stream.read(CHUNK):  # up to the gzip checksum, which is compared there
            pass

    def _kind_and_size(self, header: bytes, start: int) -> tuple[bytes, int]:
        try:
            size, expected = _octal(header[124:136]), _octal(header[148:156])
        except ValueError:
            size, expected = 0, -1
        # The sum is taken with the checksum's own eight bytes read as spaces.
        if expected != sum(header) - sum(header[148:156]) + 8 * ord(" "):
            found = (
                "no tar inside the gzip" if start == 0 else f"damaged at byte {start} of the tar"
            )
            message = f"{found}; expected the archive aclImdb_v1.tar.gz"
            raise DataError(message, where=self._where, hint=_AGAIN)
        self._limit(size, MAX_MEMBER_BYTES, start)
        return header[156:157], size

    def _extension(self, kind: bytes, padded: int, start: int) -> bool:
        """Pass over what describes the next member; True when it gives it another name."""
        self._limit(padded, MAX_TEXT_BYTES, start)
        described = self._take(padded)
        if kind == b"x" and _PAX_SIZE.search(described):  # needed from 8 GB on only
            self._limit(MAX_MEMBER_BYTES + 1, MAX_MEMBER_BYTES, start)
        return kind == b"L" or (kind == b"x" and _PAX_PATH.search(described) is not None)

    def _limit(self, size: int, limit: int, start: int) -> None:
        if size > limit:
            message = (
                f"the member at byte {start} of the tar says it has {size} bytes or more; "
                f"expected {limit} at most"
            )
            raise DataError(message, where=self._where, hint=_AGAIN)

    def _take(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._position += len(data)
        if len(data) < size:
            message = f"the tar ends at byte {self._position}; expected its end mark first"
            raise DataError(message, where=self._where, hint=_AGAIN)
        return data

    def _skip(self, size: int) -> None:
        while size:
            size -= len(self._take(min(size, CHUNK)))


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits:
        return 0
    if not digits.isdigit():  # int() would take signs and underscores too
        message = "not octal"
        raise ValueError(message)
    return int(digits, 8)


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    # GNU's own format ("ustar  ") keeps other things where ustar keeps the start of a long name.
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name
