"""The report: one page of HTML that needs nothing but a browser, and says who is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from marfa.errors import DataError
from marfa.evaluation import plots
from marfa.evaluation.markup import (
    chart,
    excerpt,
    facts,
    figure,
    frame,
    header,
    section,
    share,
    table,
    text,
    words,
)
from marfa.evaluation.verdict import verdict

__all__ = ["page", "verdict"]

_KEYS = (
    *("title", "name", "preset", "labels", "network", "baselines", "comparison"),
    *("history", "lengths", "mistakes", "settings", "data", "versions"),
)
_FIGURES = (
    ("accuracy", "Accuracy", "share"),
    ("f1", "F1", "share"),
    ("f1_macro", "F1, macro", "share"),
    ("auroc", "Area under the ROC curve", "number"),
    ("log_loss", "Log loss, nats", "number"),
    ("brier", "Brier score", "number"),
    ("ece", "Calibration error", "share"),
)


def page(document: Mapping[str, Any]) -> str:
    """Write the report of one evaluated run.

    Args:
        document: all of the following, every text in it raw:
            `title`, `name` (the run's) and `preset`, texts; `labels`, the names of the C labels;
            `network`, what `metrics.measure` returns;
            `baselines`, the same of each baseline by its name, the strongest first;
            `comparison`, what `metrics.compare` returns of the network and the first baseline, or
            None; `history`, the records that `plots.history` draws, may be empty;
            `lengths`, what `metrics.histogram` returns, with `cut` beside if texts are cut off
            after so many words, or empty; `mistakes`, the worst first: `text`, `truth` and
            `predicted` (labels), `probability` of what was predicted, and `words`, a count;
            `settings`, `data` and `versions`: whatever is to be listed, mappings in mappings.

    Returns:
        HTML that encodes as UTF-8, the same for the same document.

    Raises:
        DataError: if a part is missing.

    >>> page({"title": "Films"})
    Traceback (most recent call last):
    marfa.errors.DataError: the report lacks name, preset, labels, network, ...
    """
    missing = [key for key in _KEYS if key not in document]
    if missing:
        message = f"the report lacks {', '.join(missing)}"
        raise DataError(message)
    tags = (document["name"], f"preset {document['preset']}", *document["labels"][:12])
    parts = (
        header(document["title"], tags),
        _headline(document),
        section("How good it is", _figures(document)),
        section("How it shows", _charts(document)),
        section("Its worst mistakes", _mistakes(document["mistakes"])),
        section("Settings", facts(document["settings"])),
        section("Data", facts(document["data"])),
        section("Made with", facts(document["versions"])),
    )
    return frame(document["title"], parts)


def _headline(document: Mapping[str, Any]) -> str:
    network, baselines = document["network"], document["baselines"]
    low, high = (f"{100 * end:.1f}" for end in network["accuracy_95"])
    sentence = ""
    if baselines:
        name, strongest = next(iter(baselines.items()))
        sentence = f"<p>{text(verdict(network, name, strongest, document['comparison']))}</p>"
    bars = "".join(
        f"<li><span><bdi>{text(name)}</bdi> <b>{share(found['accuracy'])}</b></span>"
        f'<i style="--share:{found["accuracy"]:.2%};--low:{found["accuracy_95"][0]:.2%};'
        f'--high:{found["accuracy_95"][1]:.2%}"></i></li>'
        for name, found in {"this network": network, **baselines}.items()
    )
    return f"""<section class="card headline" aria-label="Result">
<div><p><span class="big">{share(network["accuracy"], 1)}</span>
of {network["n"]:,} test texts are sorted right (95\u00a0% interval {low} to {high}\u00a0%).</p>
{sentence}</div>
<div><ul class="bars">{bars}</ul>
<p class="note soft">Accuracy; the pale stretch is its 95\u00a0% interval.</p></div>
</section>"""


def _figures(document: Mapping[str, Any]) -> str:
    columns = {"this network": document["network"], **document["baselines"]}
    rows = [
        (title, *(figure(found[key], kind) for found in columns.values()))
        for key, title, kind in _FIGURES
    ]
    parts = [table("On the test texts", ("", *columns), rows)]
    rows = [
        (
            item["label"],
            *(share(item[key]) for key in ("precision", "recall", "f1")),
            f"{item['support']:,}",
        )
        for item in document["network"]["classes"]
    ]
    header = ("label", "precision", "recall", "F1", "texts")
    parts.append(table("This network, by label", header, rows))
    if document["comparison"] is not None and document["baselines"]:
        found, name = document["comparison"], next(iter(document["baselines"]))
        rows = [
            ("network right", f"{found['both_right']:,}", f"{found['only_first']:,}"),
            ("network wrong", f"{found['only_second']:,}", f"{found['both_wrong']:,}"),
        ]
        parts.append(table("Text by text", ("", f"{name} right", f"{name} wrong"), rows))
    first, *others = (f'<div class="card">{part}</div>' for part in parts)
    return f'<div class="grid">{first}<div class="grid">{"".join(others)}</div></div>'


def _charts(document: Mapping[str, Any]) -> str:
    network, labels, history = document["network"], document["labels"], document["history"]
    shown = []
    if history:
        header = ("epoch", "loss", "validation loss", "accuracy", "validation accuracy")
        keys = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")
        rows = [
            (
                record["epoch"],
                *(figure(record[k], "share" if "acc" in k else "number") for k in keys),
            )
            for record in history
        ]
        said = "Where validation turns and training goes on, the network learns by heart."
        shown.append(chart(plots.history(history), "Learning", said, table("", header, rows)))
    bins = network["calibration"]
    rows = [(share(b["confidence"], 1), share(b["accuracy"], 1), f"{b['count']:,}") for b in bins]
    said = "On the dotted line, ninety answers of a hundred given with 90\u00a0% are right."
    numbers = table("", ("sure", "right", "texts"), rows)
    shown.append(chart(plots.calibration(bins), "Trust", said, numbers))
    rows = [
        (label, *(f"{count:,}" for count in counts))
        for label, counts in zip(labels, network["confusion"], strict=True)
    ]
    said = "Each row is all texts of one label; the shares are of its row."
    numbers = table("", ("truth", *labels), rows)
    shown.append(chart(plots.confusion(network["confusion"], labels), "Confusion", said, numbers))
    if document["lengths"]:
        found = document["lengths"]
        bars = zip(pairwise(found["edges"]), found["counts"], strict=True)
        rows = [(f"{low:,} to {high - 1:,}", f"{count:,}") for (low, high), count in bars]
        if found["longest"] >= found["edges"][-1]:
            rows[-1] = (f"{found['edges'][-2]:,} or more", rows[-1][1])
        said = f"The longest has {found['longest']:,} words."
        drawn = plots.lengths(found, found.get("cut"))
        shown.append(chart(drawn, "Lengths", said, table("", ("words", "texts"), rows)))
    return f'<div class="grid">{"".join(shown)}</div>'


def _mistakes(mistakes: Sequence[Mapping[str, Any]]) -> str:
    if not mistakes:
        return "<p>None: every test text is sorted right.</p>"
    items = "".join(
        f'<li class="card"><p>Said <b><bdi>{text(item["predicted"])}</bdi></b>, '
        f"{share(item['probability'], 1)} sure; the truth is "
        f"<b><bdi>{text(item['truth'])}</bdi></b>."
        f' <span class="soft">{words(item["words"])}</span>'
        f'</p><blockquote dir="auto" lang="">{text(excerpt(item["text"]))}</blockquote></li>'
        for item in mistakes
    )
    return (
        "<p>Wrong, and surest of it. Some are hard, some are mislabelled, some show what the "
        f'network does not understand.</p><ol class="mistakes">{items}</ol>'
    )
