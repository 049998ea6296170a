"""score: the batch job; every row of a file is judged, in order and in bounded memory, here or there."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marfa import files
from marfa.console import Silence, Talk
from marfa.container import judging
from marfa.data import files as own_files
from marfa.data.rows import Row
from marfa.errors import SettingsError
from marfa.loading import predictor
from marfa.predictor import Judgement, Predictor
from marfa.settings import CloudSettings, DataSettings, JobSettings, ServeSettings
from marfa.settings.declare import nearest
from marfa.stages.score import there

if TYPE_CHECKING:
    from marfa.aws.client import Cloud

PLACES = HERE, SAGEMAKER = ("here", "sagemaker")
"""Where rows may be judged."""

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
    on: str = HERE,
    job: JobSettings | None = None,
    settings: CloudSettings | None = None,
    workdir: str = "work",
    cloud: Cloud | None = None,
) -> dict[str, Any]:
    """Judge every row of a file.

    Args:
        model: a model.tar.gz or a bundle folder.
        file: JSON Lines, CSV or TSV, also with .gz, or a folder of .txt files in folders.
        output: what to write, `.jsonl` (a line as the server answers it) or `.csv`; one row a row.
        text_column: column or key of the text.
        encoding: of the file.
        max_text_chars: longest text accepted, in characters.
        engine: "auto", "numpy" or "onnx"; on SageMaker the container chooses.
        talk: whom to tell; nobody if not given.
        on: "here" or "sagemaker".
        job: the machine of SageMaker's.
        settings: region, container, deployment.
        workdir: where the measured speed of the line is kept.
        cloud: the account; made of the settings if not given.

    Returns:
        The file written, the number of rows, and how often each label was given; of a job also what it
        took and what that costs.

    Raises:
        DataError: if the file cannot be read; nothing is written then.
        SettingsError: if the output is neither .jsonl nor .csv, or is the file itself.
        JobError: if a job on SageMaker fails or is stopped.
        CloudError: if AWS refuses.
    """
    talk = talk or Silence()
    if output.suffix not in {".jsonl", ".csv"}:
        message = f"{output.suffix or 'no suffix'!r} is not written; expected .jsonl or .csv"
        raise SettingsError(message, where=str(output))
    if output.exists() and output.samefile(file):
        message = "the output is the file that is read; it would be lost"
        raise SettingsError(message, where=str(output), hint="name another file with -o")
    if on not in PLACES:
        message = f"{on!r:.40} is none of {', '.join(PLACES)}"
        raise SettingsError(message, where="on", hint=nearest(on, PLACES))
    rows = own_files.texts(
        file, text_column=text_column, encoding=encoding, max_text_chars=max_text_chars
    )
    if on == SAGEMAKER:
        if engine != ServeSettings.engine:
            message = "on SageMaker the container chooses what computes"
            raise SettingsError(message, where="engine", hint="leave --engine out")
        where = there.Place(job or JobSettings(), settings or CloudSettings(), Path(workdir))
        return _there(Path(model), rows, output, where, talk, cloud)
    loaded = predictor(model, engine)
    counts: Counter[str] = Counter()
    with files.atomic(output) as out, talk.bar("judging", None, "rows") as bar:
        if output.suffix == ".csv":
            out.write(_csv([_COLUMNS]))
        while some := [row.text for row in itertools.islice(rows, _AT_ONCE)]:
            judged = loaded.judge(some)
            out.write(_lines(loaded, judged) if output.suffix == ".jsonl" else _csv(_table(judged)))
            counts.update(item.label or "no label" for item in judged)
            bar.update(counts.total())
    return _result(output, counts)


def _result(output: Path, counts: Counter[str]) -> dict[str, Any]:
    return {"file": str(output), "rows": counts.total(), "labels": dict(sorted(counts.items()))}


def _there(
    model: Path,
    rows: Iterator[Row],
    output: Path,
    where: there.Place,
    talk: Talk,
    cloud: Cloud | None,
) -> dict[str, Any]:
    """Let a job judge, and write what comes back as it is written here."""
    fetched = output.with_name(f".{output.name}.fetched")
    told = there.judge(model, rows, fetched, where, talk, cloud)
    counts: Counter[str] = Counter()
    try:
        with files.atomic(output) as out:
            if output.suffix == ".csv":
                out.write(_csv([_COLUMNS]))
            for line in there.judgements(fetched, told["rows"]):
                document = json.loads(line)
                out.write(line if output.suffix == ".jsonl" else _csv([_row(document)]))
                counts[document.get("label") or "no label"] += 1
    finally:
        fetched.unlink(missing_ok=True)
    return {**_result(output, counts), **told}


def _row(document: Mapping[str, Any]) -> tuple[object, ...]:
    """Return a line of the table; what the server has rounded reads here as what is rounded here."""
    score, words = document.get("score"), document.get("known_words", {})
    shown = "" if score is None else f"{score:.4f}"
    known, total = words.get("known", 0), words.get("total", 0)
    return document.get("label") or "", shown, known, total, document.get("reason", "")


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
