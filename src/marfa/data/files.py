"""The user's own labelled texts: CSV, TSV, JSON Lines, Parquet, or a folder per label.

Errors name places and counts, never what a text says. Memory stays within a small multiple of the
longest text accepted, whatever the file.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

from marfa.data import parquet
from marfa.data.fields import Fields, check_label, check_text, kind_of
from marfa.data.lines import Position, codec, explained, open_text, read_lines
from marfa.data.rows import Row
from marfa.errors import DataError
from marfa.settings import DataSettings

_SPLITS = ("train", "test")
_MISTAKES = {  # the csv module has no classes for these, only sentences
    "unexpected end of data": "a double quote is opened and never closed",
    "field larger than field limit": "a field goes on and on; perhaps a double quote is not closed",
}
_QUOTING = "put texts with separators, quotes or new lines in double quotes, their own doubled"


def read(
    path: Path,
    *,
    text_column: str = DataSettings.text_column,
    label_column: str = DataSettings.label_column,
    split_column: str = DataSettings.split_column,
    encoding: str = DataSettings.encoding,
    max_text_chars: int = DataSettings.max_text_chars,
) -> Iterator[Row]:
    r"""Stream labelled texts of any script, with any number of classes.

    The suffix decides: `.csv` (separated by `;` if the first line has more of them than commas,
    otherwise by commas), `.tsv` (quoted as CSV is), `.jsonl` or `.ndjson`, each also with `.gz`; or
    `.parquet`, for which pyarrow must be installed.
    A folder holds `<label>/*.txt` or `{train,test}/<label>/*.txt`, read in the order of the names;
    hidden files, other suffixes and links to anything but a regular file are passed over. Labels
    lose the white space around them; texts, empty ones too, stay as they are.

    Args:
        path: the file or folder.
        text_column: column or key of the text.
        label_column: column or key of the label; in JSON also a number, true or false.
        split_column: column or key that says "train", "test" or nothing; "" when there is none.
        encoding: a character encoding that Python knows; UTF-8's byte order mark is dropped.
        max_text_chars: longest text accepted, in characters, at least 1.

    Returns:
        Rows; their split is "" where nothing names one.

    Raises:
        DataError: at the first thing that cannot be used. That there are no rows at all, or that
            all have one label, is told only after the last row.
        SettingsError: if Python does not know the encoding.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "reviews.csv")
    ...     _ = path.write_text('text,label\n"Good, short",yes\nToo long,no\n', encoding="utf-8")
    ...     for row in read(path):
    ...         print(row)
    Row(text='Good, short', label='yes', split='', origin='reviews.csv:2')
    Row(text='Too long', label='no', split='', origin='reviews.csv:3')
    """
    fields = Fields(text_column, label_column, split_column, max_text_chars)
    name = codec(encoding)
    count = 0
    labels: set[str] = set()
    with explained(path, name):
        for row in _rows(path, fields, name):
            count += 1
            labels.add(row.label)
            yield row
    if len(labels) <= 1:
        found = f"one label alone, on {count} texts" if count else "no labelled texts"
        hint = "add texts of another label" if count else "add a row, or a file, for each text"
        message = f"{found}; expected two labels or more"
        raise DataError(message, where=str(path), hint=hint)


def texts(
    path: Path,
    *,
    text_column: str = DataSettings.text_column,
    encoding: str = DataSettings.encoding,
    max_text_chars: int = DataSettings.max_text_chars,
    position: Position | None = None,
) -> Iterator[Row]:
    """Stream texts without labels, from the same kinds of files as `read`.

    Args:
        path: the file or folder.
        text_column: column or key of the text.
        encoding: a character encoding that Python knows.
        max_text_chars: longest text accepted, in characters, at least 1.
        position: told how much of a file has been read.

    Returns:
        Rows whose label is "" (in a folder, the folder's name).

    Raises:
        DataError: at the first thing that cannot be used.
        SettingsError: if Python does not know the encoding.
    """
    name = codec(encoding)
    with explained(path, name):
        yield from _rows(path, Fields(text_column, "", "", max_text_chars), name, position)


def _rows(
    path: Path, fields: Fields, encoding: str, position: Position | None = None
) -> Iterator[Row]:
    if path.is_dir():
        return _folder_rows(path, fields, encoding)
    if not path.is_file():
        found = "neither a regular file nor a folder" if path.exists() else "no such file or folder"
        hint = "give the path of a CSV, TSV, JSON Lines or Parquet file, or of a folder"
        raise DataError(found, where=str(path), hint=hint)
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    if kind in (".csv", ".tsv"):
        lines = _lines(path, fields, encoding, position)
        return _table_rows(path, fields, lines, tabs=kind == ".tsv")
    if kind in (".jsonl", ".ndjson"):
        return _json_rows(path, fields, _lines(path, fields, encoding, position))
    if path.suffix.lower() == parquet.SUFFIX:
        return parquet.rows(path, fields, position)
    expected = ".csv, .tsv, .jsonl, .parquet or a folder"
    message = f"a file of kind {kind or 'unknown'}; expected {expected}"
    raise DataError(message, where=str(path), hint="save it as CSV in UTF-8, or rename it")


def _lines(path: Path, fields: Fields, encoding: str, position: Position | None) -> Iterator[str]:
    hint = f"longer texts are read with a higher --max-text-chars than {fields.max_chars}"
    with open_text(path, encoding, position) as file:
        yield from read_lines(file, fields.max_line, str(path), hint)


def _table_rows(path: Path, fields: Fields, lines: Iterator[str], *, tabs: bool) -> Iterator[Row]:
    first = next(lines, "")
    if not first:
        message = "an empty file; expected a first line with the names of the columns"
        raise DataError(message, where=str(path), hint="such as: text,label")
    delimiter = "\t" if tabs else ";" if first.count(";") > first.count(",") else ","
    # The limit belongs to the whole process and is too low for a long text; it is only raised.
    csv.field_size_limit(max(csv.field_size_limit(), fields.max_line))
    records = _records(itertools.chain([first], lines), delimiter, path)
    number, header = next(records, (1, []))
    header = [name.strip() for name in header]
    fields.require(header, f"{path}:{number}")
    for number, record in records:
        where = f"{path}:{number}"
        if len(record) != len(header):
            message = f"a row of {len(record)} fields; expected {len(header)}, as in the first line"
            raise DataError(message, where=where, hint=_QUOTING)
        yield fields.row(dict(zip(header, record, strict=True)), where, f"{path.name}:{number}")


def _records(lines: Iterator[str], delimiter: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank, with the number of its first line."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 1
    try:
        for record in reader:
            if record:
                yield number, record
            number = reader.line_num + 1
    except csv.Error as error:
        found = [told for start, told in _MISTAKES.items() if str(error).startswith(start)]
        message = found[0] if found else "quotes or line ends out of place; expected a row of CSV"
        raise DataError(message, where=f"{path}:{number}", hint=_QUOTING) from error


def _json_rows(path: Path, fields: Fields, lines: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        entry = _json(line, where)
        if not isinstance(entry, dict):
            message = f"{kind_of(entry)}; expected an object, one a line"
            raise DataError(message, where=where, hint='such as {"text": "...", "label": "..."}')
        fields.require(list(entry), where)
        yield fields.row(entry, where, f"{path.name}:{number}")


def _json(line: str, where: str) -> object:
    try:
        document: object = json.loads(line)
    except RecursionError as error:
        message = "JSON nested too deeply; expected an object of plain values"
        raise DataError(message, where=where) from error
    except json.JSONDecodeError as error:
        message = f"not JSON at character {error.pos + 1}: {error.msg}"
        raise DataError(message, where=where, hint="write one JSON object a line") from error
    except ValueError as error:  # Python reads no number of more than some thousand digits
        message = "a number of too many digits"
        raise DataError(message, where=where) from error
    return document


def _folder_rows(folder: Path, fields: Fields, encoding: str) -> Iterator[Row]:
    names = _subfolders(folder)
    splits = [name for name in _SPLITS if name in names and _subfolders(folder / name)]
    if splits and len(splits) < len(names):
        message = f"{len(names)} folders, of which {' and '.join(splits)} hold folders of their own"
        hint = "keep either a folder per label, or train and test alone with folders per label"
        raise DataError(message, where=str(folder), hint=hint)
    for split in splits or ("",):
        for name in _subfolders(folder / split):
            label = check_label(name, str(folder / split / name))
            for file in _text_files(folder / split / name):
                with explained(file, encoding), open_text(file, encoding) as opened:
                    text = check_text(opened.read(fields.max_line), str(file), fields.max_chars)
                origin = os.fsencode(file.relative_to(folder)).decode("utf-8", "replace")
                yield Row(text, label, split, origin)


def _subfolders(folder: Path) -> list[str]:
    """Names in order; a link to a folder is not followed, so that no loop can be."""
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        )


def _text_files(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(
            folder / entry.name
            for entry in entries
            if not entry.name.startswith(".")
            and entry.name.lower().endswith(".txt")
            # Path says no where a link leads nowhere or in a circle; a scandir entry would raise.
            and (entry.is_file(follow_symlinks=False) or Path(entry.path).is_file())
        )
