"""What a file of judgements looks like: JSON Lines, CSV, TSV or Parquet, some of them packed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from marfa import files
from marfa.container import judging
from marfa.data import parquet
from marfa.errors import SettingsError
from marfa.predictor import Judgement, Predictor

LINES = ".jsonl"
_TABLES = {".csv": ",", ".tsv": "\t"}
_PACKED = ".gz"
_LEVEL = 6
_COLUMNS = {"label": "string", "score": "double", "known": "int64", "total": "int64"}
_COLUMNS |= {"reason": "string"}


def suffix(output: Path) -> str:
    """Return what an output's name says that it is to be.

    Raises:
        SettingsError: if that is not written.
        MissingExtraError: if it is Parquet, and pyarrow is not installed.

    >>> suffix(Path("judged.2026.CSV.gz"))
    '.csv.gz'
    """
    name = output.name.lower()
    packed = _PACKED if name.endswith(_PACKED) else ""
    kind = Path(name.removesuffix(_PACKED)).suffix
    if kind in {LINES, *_TABLES}:
        return kind + packed
    if kind == parquet.SUFFIX and not packed:
        parquet.require()
        return kind
    found = repr(output.suffix) if output.suffix else "'no suffix'"
    expected = ".jsonl or .csv, .tsv, .parquet; the first three also with .gz"
    message = f"{found} is not written; expected {expected}"
    raise SettingsError(message, where=str(output))


def head(suffix: str) -> bytes:
    """Return what stands before the first row of the rows that are kept until all are judged."""
    kind = suffix.removesuffix(_PACKED)
    return _table([tuple(_COLUMNS)], kind) if kind in _TABLES else b""


def judged(model: Predictor, items: Sequence[Judgement], suffix: str) -> bytes:
    """Write judgements as they are kept until all rows are judged; Parquet is kept as JSON Lines."""
    kind = suffix.removesuffix(_PACKED)
    if kind not in _TABLES:
        return judging.lines(model, items)
    return _table(
        (
            (
                item.label or "",
                "" if item.score is None else f"{item.score:.4f}",
                item.known,
                item.total,
                item.reason,
            )
            for item in items
        ),
        kind,
    )


def answered(line: bytes, document: Mapping[str, Any], suffix: str) -> bytes:
    """Write what a server has answered of one row as `judged` would have written it."""
    kind = suffix.removesuffix(_PACKED)
    if kind not in _TABLES:
        return line
    label, score, *rest = _row(document)
    shown = "" if score is None else f"{score:.4f}"
    return _table([(label or "", shown, *rest)], kind)


def finish(part: Path, output: Path, suffix: str) -> None:
    """Make the output of all rows; it has its name only when it is whole.

    Args:
        part: the rows as they were kept, on the output's own disk; gone afterwards where it can become
            the output as it is.
        output: the file to make.
        suffix: what it is to be.

    Raises:
        DiskFullError: if there is no room.
    """
    if suffix == parquet.SUFFIX:
        with files.atomic(output) as file, open(part, "rb") as lines:
            parquet.write(file, _COLUMNS, (_row(json.loads(line)) for line in lines))
    elif suffix.endswith(_PACKED):
        with (
            files.atomic(output) as file,
            open(part, "rb") as kept,
            gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed,
        ):
            shutil.copyfileobj(kept, packed, files.CHUNK)
    else:
        part.replace(output)
        files.sync_folder(output.parent)


def _row(document: Mapping[str, Any]) -> tuple[Any, ...]:
    words = document.get("known_words", {})
    return (
        document.get("label"),
        document.get("score"),
        words.get("known", 0),
        words.get("total", 0),
        document.get("reason", ""),
    )


def _table(rows: Iterable[Sequence[object]], kind: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=_TABLES[kind], lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")
