"""score: the batch job; every row of a file is judged, in order and in bounded memory, here or there."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marfa import files, signals
from marfa.console import Silence, Talk
from marfa.data import files as own_files
from marfa.data.lines import Position
from marfa.data.rows import Row
from marfa.errors import SettingsError
from marfa.settings import CloudSettings, DataSettings, JobSettings, ServeSettings
from marfa.settings.declare import nearest
from marfa.stages.score import crew, forms, portions, there
from marfa.stages.score.journal import Journal, folder_of
from marfa.stages.score.judge import Judge
from marfa.stages.score.portions import Portion

if TYPE_CHECKING:
    from marfa.aws.client import Cloud

PLACES = HERE, SAGEMAKER = ("here", "sagemaker")
"""Where rows may be judged."""

_FEW = 4
"""Portions for which no process is started: that takes longer than to judge them."""


def score(
    model: str | Path,
    file: Path,
    output: Path,
    *,
    text_column: str = DataSettings.text_column,
    encoding: str = DataSettings.encoding,
    max_text_chars: int = DataSettings.max_text_chars,
    engine: str = ServeSettings.engine,
    workers: int = ServeSettings.workers,
    talk: Talk | None = None,
    on: str = HERE,
    job: JobSettings | None = None,
    settings: CloudSettings | None = None,
    workdir: str = "work",
    cloud: Cloud | None = None,
) -> dict[str, Any]:
    """Judge every row of a file; after an interruption, the rows that are not judged yet.

    Args:
        model: a model.tar.gz or a bundle folder.
        file: JSON Lines, CSV or TSV, also with .gz, Parquet, or a folder of .txt files in folders.
        output: what to write, `.jsonl` (a line as the server answers it), `.csv`, `.tsv`, each also with
            `.gz`, or `.parquet`; one row a row.
        text_column: column or key of the text.
        encoding: of the file.
        max_text_chars: longest text accepted, in characters.
        engine: "auto", "numpy", "onnx" or "int8"; on SageMaker the container chooses.
        workers: processes that judge, 0 for one a core; on SageMaker the container chooses.
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
        DataError: if the file cannot be read; there is no output then.
        SettingsError: if the output is of a kind that is not written, or is the file itself.
        MissingExtraError: if Parquet is read or written, and pyarrow is not installed.
        BusyError: if another process writes the same output.
        DiskFullError: if there is no room; what is judged is kept.
        StoppedError: after SIGTERM or Ctrl-C; what is judged is kept.
        JobError: if a job on SageMaker fails or is stopped.
        CloudError: if AWS refuses.
    """
    talk = talk or Silence()
    suffix = forms.suffix(output)
    if output.exists() and output.samefile(file):
        message = "the output is the file that is read; it would be lost"
        raise SettingsError(message, where=str(output), hint="name another file with -o")
    if on not in PLACES:
        message = f"{on!r:.40} is none of {', '.join(PLACES)}"
        raise SettingsError(message, where="on", hint=nearest(on, PLACES))
    position = Position()

    def rows() -> Iterator[Row]:
        return own_files.texts(
            file,
            text_column=text_column,
            encoding=encoding,
            max_text_chars=max_text_chars,
            position=position,
        )

    if on == SAGEMAKER:
        for name, asked, usual in (
            ("engine", engine, ServeSettings.engine),
            ("workers", workers, ServeSettings.workers),
        ):
            if asked != usual:
                message = "on SageMaker the container chooses what computes"
                raise SettingsError(message, where=name, hint=f"leave --{name} out")
        where = there.Place(job or JobSettings(), settings or CloudSettings(), Path(workdir))
        return _there(Path(model), rows(), output, suffix, where, talk, cloud)
    judge = Judge(model, engine, suffix)
    count = workers or crew.cores()
    with files.lock(folder_of(output)), _opened(output, judge.identity, suffix, talk) as journal:
        left = _left(journal, rows, position, talk)
        if journal.is_whole:
            journal.done()
            return _result(output, journal.counts)
        few = list(itertools.islice(left, _FEW + 1))
        all_left = itertools.chain(few, left)
        with contextlib.ExitStack() as stack:
            if count == 1 or len(few) <= _FEW:
                judged = _here(judge, all_left)
            else:
                several = crew.Crew(Path(model), engine, suffix, judge.identity, count)
                del judge  # each of them has its own; here it would only take memory
                judged = stack.enter_context(several).judge(all_left)
            stop = stack.enter_context(signals.caught())
            bar = stack.enter_context(talk.bar("judging", None, "rows"))
            for portion, (written, counts) in judged:
                total = portion.end / portion.share if portion.share else None
                more = total / portion.end - 1 if total else None
                journal.add(portion, written, counts, more)
                bar.update(portion.end, total=total)
                if stop.signal_number:
                    message = f"stopped after {journal.rows:,} rows"
                    raise stop.error(message, "run the same command again to go on")
        journal.whole()
        forms.finish(journal.part, output, suffix)
        journal.done()
    return _result(output, journal.counts)


@contextlib.contextmanager
def _opened(output: Path, key: str, suffix: str, talk: Talk) -> Iterator[Journal]:
    journal = Journal(output, key, forms.head(suffix))
    if journal.is_other:
        talk.warn("the model, what computes, or marfa is another than before; begun anew")
    try:
        yield journal
    finally:
        journal.close()


def _left(
    journal: Journal, rows: Callable[[], Iterator[Row]], position: Position, talk: Talk
) -> Iterator[Portion]:
    """Yield what is not judged yet.

    What is judged is read and hashed again: a file's size and time would not say whether its texts are
    the same, and to read takes a hundredth of the time that it took to judge.
    """

    def whole() -> Iterator[Portion]:
        return portions.cut((row.text for row in rows()), position.look)

    left = whole()
    if not journal.rows:
        return left
    for portion in left:
        if portion.end >= journal.rows:
            if (portion.end, portion.digest) != (journal.rows, journal.digest):
                break
            if journal.is_whole:
                if next(left, None):
                    break
                talk.say(f"all {journal.rows:,} rows are judged already")
                return left
            talk.say(f"going on after {journal.rows:,} rows that are judged already")
            return left
    talk.warn("the texts are others than before; begun anew")
    journal.restart()
    return whole()


def _here(judge: Judge, wanted: Iterable[Portion]) -> Iterator[tuple[Portion, crew.Judged]]:
    for portion in wanted:
        yield portion, judge(portions.texts(portion.lengths, portion.joined))


def _result(output: Path, counts: Counter[str]) -> dict[str, Any]:
    return {"file": str(output), "rows": counts.total(), "labels": dict(sorted(counts.items()))}


def _there(
    model: Path,
    rows: Iterator[Row],
    output: Path,
    suffix: str,
    where: there.Place,
    talk: Talk,
    cloud: Cloud | None,
) -> dict[str, Any]:
    """Let a job judge, and write what comes back as it is written here."""
    counts: Counter[str] = Counter()
    folder = folder_of(output)
    with files.lock(folder):
        fetched, part = folder / "fetched", folder / "part"
        try:
            told = there.judge(model, rows, fetched, where, talk, cloud)
            with files.atomic(part) as out:
                out.write(forms.head(suffix))
                for line in there.judgements(fetched, told["rows"]):
                    document = json.loads(line)
                    out.write(forms.answered(line, document, suffix))
                    counts[document.get("label") or "no label"] += 1
            forms.finish(part, output, suffix)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return {**_result(output, counts), **told}
