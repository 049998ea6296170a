"""Parquet, read and written a few rows at a time; pyarrow is an extra, and is imported here alone."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from marfa.data.fields import Fields
from marfa.data.lines import Position
from marfa.data.rows import Row
from marfa.errors import DataError, MissingExtraError

SUFFIX = ".parquet"
_READ_AT_ONCE = 256
_GROUP = 65_536
"""Rows of a group that is written, which is what is held of them at once."""


def rows(path: Path, fields: Fields, position: Position | None = None) -> Iterator[Row]:
    """Stream the rows of a file, of which the wanted columns alone are read.

    Args:
        path: the file.
        fields: the wanted columns, and how long a text may be.
        position: told how much has been read.

    Raises:
        DataError: if it is no Parquet file, a column is missing, or a value cannot be used.
        MissingExtraError: if pyarrow is not installed.
    """
    arrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path, memory_map=False, pre_buffer=False) as file:
            fields.require(list(file.schema_arrow.names), str(path))
            wanted = [name for name in (fields.text, fields.label, fields.split) if name]
            count = 0
            for batch in file.iter_batches(_READ_AT_ONCE, columns=wanted, use_threads=False):
                for values in batch.to_pylist():
                    count += 1
                    where = f"row {count}"
                    yield fields.row(values, f"{path}: {where}", f"{path.name}: {where}")
                if position:
                    position.share = count / file.metadata.num_rows
    except (arrow.ArrowException, UnicodeError) as error:
        message = "not Parquet, cut off or damaged"
        hint = "get it again; its first and its last four bytes are PAR1"
        raise DataError(message, where=str(path), hint=hint) from error


def write(file: IO[bytes], columns: Mapping[str, str], records: Iterable[Sequence[object]]) -> None:
    """Write rows in groups of 65,536, equal bytes for equal rows.

    Args:
        file: where to.
        columns: the name of each, and its type in pyarrow's words.
        records: the rows, each with a value for each column.

    Raises:
        MissingExtraError: if pyarrow is not installed.
    """
    arrow, parquet = _pyarrow()
    schema = arrow.schema(
        [arrow.field(name, arrow.type_for_alias(kind)) for name, kind in columns.items()]
    )
    left = iter(records)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while some := list(itertools.islice(left, _GROUP)):
            arrays = [
                arrow.array(values, field.type)
                for values, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def require() -> None:
    """Make sure that Parquet can be read and written.

    Raises:
        MissingExtraError: if pyarrow is not installed.
    """
    _pyarrow()


def _pyarrow() -> tuple[Any, Any]:
    with contextlib.suppress(ImportError):
        import pyarrow
        import pyarrow.parquet

        return pyarrow, pyarrow.parquet
    message = "Parquet needs pyarrow, which is not installed"
    raise MissingExtraError(message, where=SUFFIX, hint="pip install 'marfa[parquet]'")
