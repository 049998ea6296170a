"""One's own running text: a file, or a folder of text files, in any script."""

from __future__ import annotations

import os
from pathlib import Path

from marfa.data.lines import codec, explained, open_text
from marfa.errors import DataError
from marfa.settings import CorpusSettings

_PIECE = 1 << 20


def read(
    path: Path,
    *,
    encoding: str = CorpusSettings.encoding,
    max_chars: int = CorpusSettings.max_chars,
) -> str:
    r"""Read a text.

    A folder's `.txt` files (also `.txt.gz`), those of its folders included, are read in the order of
    their names, a line feed between one that does not end with it and the next. Hidden files, links out
    of regular files and other suffixes are passed over; a file that is named may have any suffix.

    Args:
        path: the file or folder.
        encoding: a character encoding that Python knows; UTF-8's byte order mark is dropped.
        max_chars: longest text accepted, in characters.

    Returns:
        The text, with its line ends as they are.

    Raises:
        DataError: if it cannot be read, is not text, is empty, or is longer.
        SettingsError: if Python does not know the encoding.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.txt").write_text("One.", encoding="utf-8")
    ...     _ = Path(folder, "b.txt").write_text("Two.\n", encoding="utf-8")
    ...     read(Path(folder))
    'One.\nTwo.\n'
    """
    name = codec(encoding)
    if not path.exists():
        message = "no such file or folder"
        raise DataError(message, where=str(path), hint="check --data")
    files = files_of(path)
    parts: list[str] = []
    left = max_chars
    for file in files:
        found = _read_one(file, name, left, max_chars)
        left -= len(found)
        if parts and not parts[-1].endswith("\n"):
            parts.append("\n")
        parts.append(found)
    text = "".join(parts)
    if not text:
        message = "no text" if files else "no .txt file in this folder"
        raise DataError(message, where=str(path), hint="give a file with text in it")
    return text


def _read_one(file: Path, encoding: str, left: int, limit: int) -> str:
    parts: list[str] = []
    with explained(file, encoding), open_text(file, encoding) as opened:
        while piece := opened.read(_PIECE):
            if "\0" in piece:
                message = "holds a zero byte, which no text does"
                raise DataError(
                    message, where=str(file), hint="give a text file, or --encoding utf-16"
                )
            left -= len(piece)
            if left < 0:
                message = f"more than {limit} characters, the most that is read"
                raise DataError(message, where=str(file), hint="raise --max-chars")
            parts.append(piece)
    return "".join(parts)


def files_of(path: Path) -> list[Path]:
    """Return the files that `read` reads, in their order.

    No folder that is a link is entered, so that no loop can be; nor is one that holds runs of marfa,
    whose downloads are text files too.
    """
    if path.is_file():
        return [path]
    folder, found = path, []
    with explained(folder, "utf-8"):
        for where, folders, names in os.walk(folder, onerror=_fail):
            folders[:] = [
                name
                for name in folders
                if not name.startswith(".") and not Path(where, name, "raw", ".lock").exists()
            ]
            found += [
                Path(where, name)
                for name in names
                if not name.startswith(".")
                and name.lower().endswith((".txt", ".txt.gz"))
                and Path(where, name).is_file()
            ]
    return sorted(found)


def _fail(error: OSError) -> None:
    raise error
