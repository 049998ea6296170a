"""score: the batch job; every row of a file is judged, in order and in bounded memory."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from marfa import files
from marfa.console import Silence, Talk
from marfa.container import judging
from marfa.data import files as own_files
from marfa.errors import SettingsError
from marfa.loading import predictor
from marfa.predictor import Judgement, Predictor
from marfa.settings import DataSettings, ServeSettings

_AT_ONCE = 256
_COLUMNS = ("label", "score", "known", "total", "reason")


def score(
    model: str | Path,
    file: Path,
    output: Path,
    *,
    text_column: str = DataSettings.text_column,
    encoding: str = DataSettings.encoding,
    max_text_chars: int = DataSettings.max_text_chars,
    engine: str = ServeSettings.engine,
    talk: Talk | None = None,
) -> dict[str, Any]:
    """Judge every row of a file.

    Args:
        model: a model.tar.gz or a bundle folder.
        file: JSON Lines, CSV or TSV, also with .gz, or a folder of .txt files in folders.
        output: what to write, `.jsonl` (a line as the server answers it) or `.csv`; one row a row.
        text_column: column or key of the text.
        encoding: of the file.
        max_text_chars: longest text accepted, in characters.
        engine: "auto", "numpy" or "onnx".
        talk: whom to tell; nobody if not given.

    Returns:
        The file written, the number of rows, and how often each label was given.

    Raises:
        DataError: if the file cannot be read; nothing is written then.
        SettingsError: if the output is neither .jsonl nor .csv, or is the file itself.
    """
    talk = talk or Silence()
    if output.suffix not in {".jsonl", ".csv"}:
        message = f"{output.suffix or 'no suffix'!r} is not written; expected .jsonl or .csv"
        raise SettingsError(message, where=str(output))
    if output.exists() and output.samefile(file):
        message = "the output is the file that is read; it would be lost"
        raise SettingsError(message, where=str(output), hint="name another file with -o")
    loaded = predictor(model, engine)
    counts: Counter[str] = Counter()
    rows = own_files.texts(
        file, text_column=text_column, encoding=encoding, max_text_chars=max_text_chars
    )
    with files.atomic(output) as out, talk.bar("judging", None, "rows") as bar:
        if output.suffix == ".csv":
            out.write(_csv([_COLUMNS]))
        while some := [row.text for row in itertools.islice(rows, _AT_ONCE)]:
            judged = loaded.judge(some)
            out.write(_lines(loaded, judged) if output.suffix == ".jsonl" else _csv(_table(judged)))
            counts.update(item.label or "no label" for item in judged)
            bar.update(counts.total())
    return {"file": str(output), "rows": counts.total(), "labels": dict(sorted(counts.items()))}


def _lines(model: Predictor, judged: Sequence[Judgement]) -> bytes:
    return judging.lines(model, judged)


def _table(judged: Sequence[Judgement]) -> Iterator[tuple[object, ...]]:
    for item in judged:
        shown = "" if item.score is None else f"{item.score:.4f}"
        yield item.label or "", shown, item.known, item.total, item.reason


def _csv(rows: Iterator[tuple[object, ...]] | Sequence[tuple[object, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")
