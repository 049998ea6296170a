"""Results on stdout: for a person, or one JSON document for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from marfa.errors import DataError

if TYPE_CHECKING:  # it needs numpy, which --help does without
    from marfa.predictor import Judgement

SCHEMA = 1


class _Results(Console):
    def on_broken_pipe(self) -> None:
        """Take a reader who has left, as `| head` does, for one who has read enough."""
        raise BrokenPipeError


def stdout() -> Console:
    """Return the console for results."""
    from marfa import environment

    return _Results(no_color=environment.read().no_color or None, highlight=False, soft_wrap=True)


def read_stdin() -> str:
    """Read one text from standard input, and say so to a person who may be waiting for us.

    Raises:
        DataError: if it is not UTF-8.
    """
    if sys.stdin.isatty():
        sys.stderr.write("reading one text from standard input; end it with Ctrl-D\n")
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 (byte {error.start})"
        raise DataError(message, where="standard input", hint="convert it with iconv") from None


def document(command: str, result: Mapping[str, Any]) -> None:
    """Print one JSON document."""
    whole = {"schema_version": SCHEMA, "command": command, **result}
    sys.stdout.write(json.dumps(whole, ensure_ascii=True) + "\n")


def _plain(value: object) -> Text:
    """Show a text as it is: no markup of ours in it, and no control character of its own."""
    shown = "".join(c if c.isprintable() or c == "\n" else " " for c in str(value))
    return Text(shown)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(
            _plain(column), justify="left" if index == 0 else "right", no_wrap=index > 0
        )
    return table


def fetch(result: Mapping[str, Any], as_json: bool) -> None:
    """Print where the raw texts are."""
    if as_json:
        return document("fetch", result)
    if result["bytes"] is None:
        stdout().print(_plain(f"texts: {result['file']}"))
    else:
        stdout().print(_plain(f"{result['file']}  {result['bytes']:,} bytes"))
        stdout().print(_plain(f"sha256 {result['sha256']}"))
        stdout().print(_plain(f"cite: {result['cite']}"))
    return None


def prepare(result: Mapping[str, Any], as_json: bool) -> None:
    """Print counts, lengths, the commonest words, and one text before and after."""
    if as_json:
        return document("prepare", result)
    out = stdout()
    table = _table("split", "texts", *result["labels"], "median words", "longest", "cut", "known")
    for name, part in result["splits"].items():
        lengths = part["lengths"]
        table.add_row(
            name,
            f"{part['texts']:,}",
            *(f"{part['labels'][label]:,}" for label in result["labels"]),
            f"{lengths['median']}",
            f"{lengths['longest']}",
            f"{part['cut']:,}",
            f"{part['known_share']:.1%}",
        )
    out.print(table)
    words = ", ".join(f"{word} {count:,}" for word, count in result["commonest"][:10])
    out.print(_plain(f"\nvocabulary  {result['vocabulary']:,} ids; commonest: {words}"))
    copies = result["duplicates"]
    out.print(
        _plain(
            f"copies      {copies['texts']} text(s) stand more than once; "
            f"{copies['test texts also trained on']} of the test split also in training"
        )
    )
    out.print(_plain(f"before      {result['example']['before']}"))
    out.print(_plain(f"after       {result['example']['after']}"))
    return None


def train(result: Mapping[str, Any], as_json: bool) -> None:
    """Print the history and the best epoch."""
    if as_json:
        return document("train", result)
    columns = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    table = _table("epoch", "loss", "accuracy", "validation loss", "validation accuracy", "")
    for entry in result["epochs"]:
        best = "best" if entry["epoch"] == result["best"]["epoch"] else ""
        table.add_row(str(entry["epoch"]), *(f"{entry[c]:.4f}" for c in columns), best)
    stdout().print(table)
    return None


def evaluate(result: Mapping[str, Any], as_json: bool) -> None:
    """Print what the network reaches beside the baselines."""
    if as_json:
        return document("evaluate", result)
    out = stdout()
    table = _table("", "accuracy", "95 % interval", "F1", "AUROC", "calibration error")
    for name, measured in result["systems"].items():
        low, high = measured["accuracy_95"]
        auroc = measured["auroc"]
        table.add_row(
            _plain(name),
            f"{measured['accuracy']:.4f}",
            f"{low:.4f} to {high:.4f}",
            f"{measured['f1']:.4f}",
            "-" if auroc is None else f"{auroc:.4f}",
            f"{measured['ece']:.4f}",
        )
    out.print(table)
    out.print(_plain(f"\n{result['verdict']}"))
    if result.get("report"):
        out.print(_plain(f"report: {result['report']}"))
    return None


def package(result: Mapping[str, Any], as_json: bool) -> None:
    """Print the file and what it has proved."""
    if as_json:
        return document("package", result)
    out = stdout()
    out.print(_plain(f"{result['file']}  {result['bytes']:,} bytes, model {result['model']}"))
    out.print(_plain(f"sha256 {result['sha256']}"))
    passed = ", ".join(f"{count} by {engine}" for engine, count in result["golden"].items())
    out.print(_plain(f"golden requests answered: {passed}"))
    return None


def predict(judgements: Sequence[Judgement], as_json: bool) -> None:
    """Print one line a text."""
    if as_json:
        return document("predict", {"results": [asdict(item) for item in judgements]})
    for item in judgements:
        if item.label is None:
            stdout().print(_plain(f"-  {item.reason}"))
        else:
            known = f"{item.known} of {item.total} words known"
            stdout().print(_plain(f"{item.label}  {item.score:.4f}  ({known})"))
    return None


def score(result: Mapping[str, Any], as_json: bool) -> None:
    """Print how many rows were judged."""
    if as_json:
        return document("score", result)
    counts = ", ".join(f"{count:,} {label}" for label, count in result["labels"].items())
    stdout().print(_plain(f"{result['file']}  {result['rows']:,} rows: {counts}"))
    return None


def doctor(result: Mapping[str, Any], as_json: bool) -> None:
    """Print one line a finding."""
    if as_json:
        return document("doctor", result)
    for item in result["findings"]:
        mark = "ok" if item["ok"] else "--"
        stdout().print(_plain(f"{mark}  {item['what']}: {item['found']}"))
        if item["hint"]:
            stdout().print(_plain(f"      {item['hint']}"))
    return None


def run(result: Mapping[str, Any], as_json: bool) -> None:
    """Print what each stage came to, and what the server answered when it was asked."""
    if as_json:
        return document("run", result)
    show = {"prepare": prepare, "train": train, "evaluate": evaluate, "package": package}
    for name, part in result["stages"].items():
        if name in show:
            stdout().print(_plain(f"\n{name}"))
            show[name](part, False)
    if result.get("checks"):
        stdout().print(_plain("\nserve"))
    for check in result.get("checks", []):
        stdout().print(_plain(f"{check['status']}  {check['asked']}  {check['answer']}"))
    return None
