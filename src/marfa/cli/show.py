"""Results on stdout: for a person, or one JSON document for a program."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from marfa.cli import show_explaining
from marfa.errors import DataError

if TYPE_CHECKING:  # it needs numpy, which --help does without
    from marfa.predictor import Judgement
    from marfa.writer import Task

SCHEMA = 1
_OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


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


def plain(value: object) -> Text:
    """Show a text as it is: no markup of ours in it, and no control character of its own."""
    return Text(_printable(str(value)))


def _printable(text: str) -> str:
    """Drop what could steer a terminal, and nothing that a script needs."""
    return "".join(c if c in "\n\t" or not _steers(c) else " " for c in text)


def _steers(character: str) -> bool:
    """Say whether a character is a control, or overrides the direction of what follows."""
    return unicodedata.category(character) in {"Cc", "Cs"} or character in _OVERRIDES


def table(*columns: str) -> Table:
    """Return an empty table, figures to the right."""
    rows = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index, column in enumerate(columns):
        rows.add_column(plain(column), justify="left" if index == 0 else "right", no_wrap=index > 0)
    return rows


def fetch(result: Mapping[str, Any], as_json: bool) -> None:
    """Print where the raw texts are."""
    if as_json:
        return document("fetch", result)
    if result["bytes"] is None:
        stdout().print(plain(f"texts: {result['file']}"))
    else:
        stdout().print(plain(f"{result['file']}  {result['bytes']:,} bytes"))
        stdout().print(plain(f"sha256 {result['sha256']}"))
        stdout().print(plain(f"cite: {result['cite']}"))
    return None


def prepare(result: Mapping[str, Any], as_json: bool) -> None:
    """Print counts, what is commonest, and one text before and after."""
    if as_json:
        return document("prepare", result)
    if result["task"] == "generator":
        _prepared_letters(result)
    else:
        _prepared_words(result)
    stdout().print(plain(f"before      {result['example']['before']}"))
    stdout().print(plain(f"after       {result['example']['after']}"))
    return None


def _prepared_words(result: Mapping[str, Any]) -> None:
    out = stdout()
    rows = table("split", "texts", *result["labels"], "median words", "longest", "cut", "known")
    for name, part in result["splits"].items():
        lengths = part["lengths"]
        rows.add_row(
            name,
            f"{part['texts']:,}",
            *(f"{part['labels'][label]:,}" for label in result["labels"]),
            f"{lengths['median']}",
            f"{lengths['longest']}",
            f"{part['cut']:,}",
            f"{part['known_share']:.1%}",
        )
    out.print(rows)
    words = ", ".join(f"{word} {count:,}" for word, count in result["commonest"][:10])
    out.print(plain(f"\nvocabulary  {result['vocabulary']:,} ids; commonest: {words}"))
    copies = result["duplicates"]
    out.print(
        plain(
            f"copies      {copies['texts']} text(s) stand more than once; "
            f"{copies['test texts also trained on']} of the test split also in training"
        )
    )


def _prepared_letters(result: Mapping[str, Any]) -> None:
    rows = table("split", "characters", "unknown")
    for name, part in result["splits"].items():
        rows.add_row(name, f"{part['characters']:,}", f"{part['unknown']:,}")
    stdout().print(rows)
    listed = sorted(symbol for symbol, _ in result["alphabet"])
    shown = "".join(symbol for symbol in listed if symbol.isprintable())
    shown = shown[:200] + ("…" if len(shown) > 200 else "")
    stdout().print(
        plain(f"\nalphabet    {result['vocabulary']:,} ids, one of them unknown: {shown}")
    )


def train(result: Mapping[str, Any], as_json: bool) -> None:
    """Print the history and the best epoch."""
    if as_json:
        return document("train", result)
    if result["task"] == "generator":
        columns = ["train_bits", "validation_bits", "validation_loss"]
        rows = table("epoch", "bits a character", "held out", "held out, nats", "")
    else:
        columns = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
        rows = table("epoch", "loss", "accuracy", "validation loss", "validation accuracy", "")
    for entry in result["epochs"]:
        best = "best" if entry["epoch"] == result["best"]["epoch"] else ""
        rows.add_row(str(entry["epoch"]), *(f"{entry[c]:.4f}" for c in columns), best)
    stdout().print(rows)
    return None


def evaluate(result: Mapping[str, Any], as_json: bool) -> None:
    """Print what the network reaches beside the baselines."""
    if as_json:
        return document("evaluate", result)
    out = stdout()
    columns = {
        "accuracy": "accuracy",
        "accuracy_95": "95 % interval",
        "f1": "F1",
        "auroc": "AUROC",
        "ece": "calibration error",
        "bits_per_character": "bits a character",
        "loss": "nats",
        "perplexity": "perplexity",
        "median_memory": "agrees with the text for, median",
        "first_character_seconds": "first character after, s",
        "characters_per_second": "characters a second",
    }
    systems = result["systems"]
    present = [key for key in columns if any(key in found for found in systems.values())]
    rows = table("", *(columns[key] for key in present))
    for name, measured in systems.items():
        rows.add_row(plain(name), *(_figure(measured.get(key)) for key in present))
    out.print(rows)
    if "memory" in result:
        memory, copied = result["memory"], max(item["copied"] for item in result["samples"])
        most = f"{memory['longest']} at most"
        if memory["longest"] >= memory["tried"]:
            most = f"{memory['tried']} or more at most, which is as far as was tried"
        out.print(
            plain(
                f"\nmemory      continues a passage of the training text for {memory['median']:g} "
                f"characters (median of {memory['prompts']}; {most})\n"
                f"copied      {copied} characters at most stand in the training text as written"
            )
        )
        sample = result["samples"][len(result["samples"]) // 2]
        out.print(
            plain(f"sample      temperature {sample['temperature']:g}:\n{sample['text'][:400]}")
        )
    out.print(plain(f"\n{result['verdict']}"))
    if result.get("report"):
        out.print(plain(f"report: {result['report']}"))
    return None


def _figure(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        low, high = value
        return f"{low:.4f} to {high:.4f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def package(result: Mapping[str, Any], as_json: bool) -> None:
    """Print the file and what it has proved."""
    if as_json:
        return document("package", result)
    out = stdout()
    out.print(plain(f"{result['file']}  {result['bytes']:,} bytes, model {result['model']}"))
    out.print(plain(f"sha256 {result['sha256']}"))
    passed = ", ".join(f"{count} by {engine}" for engine, count in result["golden"].items())
    out.print(plain(f"golden requests answered: {passed}"))
    return None


def site(result: Mapping[str, Any], as_json: bool) -> None:
    """Print what was written, and how to look at it."""
    if as_json:
        return document("site", result)
    out, folder = stdout(), result["folder"]
    count = len(result["files"])
    out.print(plain(f"{folder}  {count} files, {result['bytes']:,} bytes, model {result['model']}"))
    out.print(plain(f"look at it with: python -m http.server --directory {folder}"))
    return None


def predict(judgements: Sequence[Judgement], as_json: bool) -> None:
    """Print one line a text, and below it why, where that was asked."""
    if as_json:
        results = [asdict(item) for item in judgements]
        for result in results:
            if result["explanation"] is None:
                del result["explanation"]
        return document("predict", {"results": results})
    for item in judgements:
        if item.label is None:
            stdout().print(plain(f"-  {item.reason}"))
        else:
            known = f"{item.known} of {item.total} words known"
            stdout().print(plain(f"{item.label}  {item.score:.4f}  ({known})"))
        if item.explanation:
            for line in show_explaining.lines(item.explanation, plain):
                stdout().print(line)
    return None


def generate(task: Task, pieces: Iterable[str], as_json: bool) -> None:
    """Print a text as it is made, or one document when it is."""
    if as_json:
        chosen = asdict(task.sampling)
        made = {"text": "".join(pieces), "prompt": task.prompt, "length": task.length, **chosen}
        return document("generate", {**made, "unknown": task.unknown})
    watched = sys.stdout.isatty()
    for piece in pieces:
        sys.stdout.write(_printable(piece) if watched else piece)
        sys.stdout.flush()
    sys.stdout.write("\n")
    return None


def score(result: Mapping[str, Any], as_json: bool) -> None:
    """Print how many rows were judged."""
    if as_json:
        return document("score", result)
    counts = ", ".join(f"{count:,} {label}" for label, count in result["labels"].items())
    stdout().print(plain(f"{result['file']}  {result['rows']:,} rows: {counts}"))
    return None


def doctor(result: Mapping[str, Any], as_json: bool) -> None:
    """Print one line a finding."""
    if as_json:
        return document("doctor", result)
    for item in result["findings"]:
        mark = "ok" if item["ok"] else "--"
        stdout().print(plain(f"{mark}  {item['what']}: {item['found']}"))
        if item["hint"]:
            stdout().print(plain(f"      {item['hint']}"))
    return None


def run(result: Mapping[str, Any], as_json: bool) -> None:
    """Print what each stage came to, and what the server answered when it was asked."""
    if as_json:
        return document("run", result)
    show = {"prepare": prepare, "train": train, "evaluate": evaluate, "package": package}
    for name, part in result["stages"].items():
        if name in show:
            stdout().print(plain(f"\n{name}"))
            show[name](part, False)
    if result.get("checks"):
        stdout().print(plain("\nserve"))
    for check in result.get("checks", []):
        stdout().print(plain(f"{check['status']}  {check['asked']}  {check['answer']}"))
    return None
