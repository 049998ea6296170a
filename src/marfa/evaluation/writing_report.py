"""The report of a generator: what it needs, what it writes, and what it has by heart."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from marfa.errors import DataError
from marfa.evaluation import plots
from marfa.evaluation.markup import (
    chart,
    counted,
    facts,
    figure,
    frame,
    header,
    section,
    share,
    table,
    text,
)
from marfa.evaluation.report_style import WRITING_CSS
from marfa.evaluation.symbols import shown
from marfa.evaluation.verdict import writing_verdict

_KEYS = (
    *("title", "name", "preset", "network", "baselines", "history", "samples", "memory"),
    *("alphabet", "settings", "data", "versions"),
)
_LONG_COPY = 30
"""Characters from which on a copied passage is marked; what is shorter, chance copies too."""
_SYMBOLS = 200
"""Symbols of the alphabet that are shown; Chinese has thousands."""
_SPREAD = (0, 10, 30, 100)
"""Where the groups of agreements begin."""


def page(document: Mapping[str, Any]) -> str:
    """Write the report of one evaluated generator.

    Args:
        document: all of the following, every text in it raw:
            `title`, `name` (the run's) and `preset`, texts;
            `network`: `loss` in nats, `bits_per_character`, `perplexity`, `n` characters;
            `baselines`, the same of each baseline by its name;
            `history`, the records that `plots.bits` draws, with `characters` read until then; may
            be empty; `samples`: `temperature`, `seed`, `text`, `copied`, the length of the longest
            passage that the training text has too, and `copied_text`, that passage;
            `memory`, of prompts of the training text continued greedily: `prompts`, how many,
            `median`, `longest`, `tried` (so many were compared at most) and `agreed` (each), the
            characters that agree with the training text before the first that does not, and
            `example`: `prompt`, `truth`, `written`, `agreed`; or None;
            `alphabet`: pairs of a symbol and its count, the commonest first;
            `settings`, `data` and `versions`: whatever is to be listed, mappings in mappings.

    Returns:
        HTML that encodes as UTF-8, the same for the same document.

    Raises:
        DataError: if a part is missing.

    >>> page({"title": "Plays"})
    Traceback (most recent call last):
    marfa.errors.DataError: the report lacks name, preset, network, ...
    """
    missing = [key for key in _KEYS if key not in document]
    if missing:
        message = f"the report lacks {', '.join(missing)}"
        raise DataError(message)
    parts = [
        header(document["title"], (document["name"], f"preset {document['preset']}")),
        _headline(document),
        section("How it learned", _learning(document)),
    ]
    if document["samples"]:
        parts.append(section("What it writes", _samples(document["samples"])))
    if document["memory"]:
        parts.append(section("What it remembers", _memory(document["memory"])))
    parts += [
        section("Its alphabet", _alphabet(document["alphabet"])),
        section("Settings", facts(document["settings"])),
        section("Data", facts(document["data"])),
        section("Made with", facts(document["versions"])),
    ]
    return frame(document["title"], parts, WRITING_CSS)


def _headline(document: Mapping[str, Any]) -> str:
    network, baselines = document["network"], document["baselines"]
    sentence = ""
    if baselines:
        strongest = min(baselines, key=lambda name: float(baselines[name]["bits_per_character"]))
        said = writing_verdict(network, strongest, baselines[strongest])
        sentence = f"<p>{text(said)}</p>"
    columns = {"this network": network, **baselines}
    widest = max(found["bits_per_character"] for found in columns.values()) or 1.0
    bars = "".join(
        _bar(name, f"{found['bits_per_character']:.2f}", found["bits_per_character"] / widest)
        for name, found in columns.items()
    )
    size = len(document["alphabet"])
    blind = f" A blind guess among {size:,} symbols needs {math.log2(size):.2f}." if size else ""
    return f"""<section class="card headline" aria-label="Result">
<div><p><span class="big">{network["bits_per_character"]:.2f}</span>
bits a character, over {network["n"]:,} characters kept from it while it learned.</p>
{sentence}</div>
<div><ul class="bars">{bars}</ul>
<p class="note soft">Bits a character: shorter is better.{blind}</p></div>
</section>"""


def _bar(name: str, said: str, part: float) -> str:
    return (
        f"<li><span><bdi>{text(name)}</bdi> <b>{said}</b></span>"
        f'<i style="--share:{part:.2%};--low:0%;--high:0%"></i></li>'
    )


def _learning(document: Mapping[str, Any]) -> str:
    columns = {"this network": document["network"], **document["baselines"]}
    kinds = (
        ("bits_per_character", "Bits a character"),
        ("loss", "Loss, nats"),
        ("perplexity", "Perplexity"),
    )
    rows = [
        (title, *(figure(found[key], "number") for found in columns.values()))
        for key, title in kinds
    ]
    figures = table("On the text kept from it", ("", *columns), rows)
    history = document["history"]
    if not history:
        return f'<div class="card">{figures}</div>'
    header_ = ("epoch", "characters read", "training", "validation")
    rows = [
        (
            record["epoch"],
            f"{record['characters']:,}",
            *(figure(record[key], "number") for key in ("train_bits", "validation_bits")),
        )
        for record in history
    ]
    said = "Where validation turns and training goes on, the network learns by heart."
    drawn = chart(plots.bits(history), "Learning", said, table("", header_, rows))
    return f'<div class="grid">{drawn}<div class="card">{figures}</div></div>'


def _samples(samples: Sequence[Mapping[str, Any]]) -> str:
    cards = "".join(_sample(sample) for sample in samples)
    return (
        "<p>A low temperature keeps to what is likely; a high one dares more, and errs more. "
        "What stands in the training text word for word is marked, from "
        f'{_LONG_COPY} characters on.</p><div class="samples">{cards}</div>'
    )


def _sample(sample: Mapping[str, Any]) -> str:
    whole, passage = str(sample["text"]), str(sample["copied_text"])
    written = text(whole)
    marked = ""
    if sample["copied"] >= _LONG_COPY and passage and passage in whole:
        before, _, after = whole.partition(passage)
        written = f"{text(before)}<mark>{text(passage)}</mark>{text(after)}"
        marked = ", marked"
    return (
        f'<article class="card"><h3>Temperature {sample["temperature"]:g}</h3>'
        f'<p class="soft">Seed {text(sample["seed"])}. Longest passage copied: '
        f"{counted(sample['copied'], 'character')}{marked}.</p>"
        f'<blockquote class="writing" dir="auto" lang="">{written}</blockquote></article>'
    )


def _memory(memory: Mapping[str, Any]) -> str:
    agreed = [int(each) for each in memory["agreed"]]
    named = [f"{low} to {high - 1} characters" for low, high in pairwise(_SPREAD)]
    named.append(f"{_SPREAD[-1]} or more")
    counts = [0] * len(_SPREAD)
    for each in agreed:
        counts[bisect.bisect(_SPREAD, each) - 1] += 1
    bars = "".join(
        _bar(name, f"{count:,}", count / max(1, len(agreed)))
        for name, count in zip(named, counts, strict=True)
    )
    spread = f'<ul class="bars spread">{bars}</ul>' if agreed else ""
    tried = memory.get("tried", math.inf)
    further = " or more, which is as far as was tried" if memory["longest"] >= tried else ""
    return (
        "<p>Passages of the training text, continued with the likeliest character each time: how "
        "many characters agree with the text before the first that does not?</p>"
        f'<div class="grid"><div class="card remembered"><h3>'
        f"{counted(memory['prompts'], 'prompt')}</h3>"
        f"<p>Half of them agree for {counted(memory['median'], 'character')} or fewer; the longest "
        f"for {memory['longest']:,}{further}.</p>{spread}</div>{_example(memory['example'])}</div>"
    )


def _example(example: Mapping[str, Any]) -> str:
    agreed, written = int(example["agreed"]), str(example["written"])
    three = (
        ("prompt soft", "the prompt", str(example["prompt"])),
        ("agreed", "agrees with the text", written[:agreed]),
        ("departed", "departs from it", written[agreed:]),
    )
    parts = [part for part in three if part[2]]
    key = "".join(f'<li><span class="{name}">{said}</span></li>' for name, said, _ in parts)
    body = "".join(f'<span class="{name}">{text(part)}</span>' for name, _, part in parts)
    rest = str(example["truth"])[agreed:]
    truth = ""
    if rest:
        truth = (
            "<p>Where it departs, the text goes on:</p>"
            f'<blockquote class="writing soft" dir="auto" lang="">{text(rest)}</blockquote>'
        )
    return (
        f'<div class="card remembered"><h3>An example</h3><ul class="key">{key}</ul>'
        f'<blockquote class="writing" dir="auto" lang="">{body}</blockquote>{truth}</div>'
    )


def _alphabet(alphabet: Sequence[Sequence[Any]]) -> str:
    items = []
    for symbol, count in alphabet[:_SYMBOLS]:
        said, named = shown(str(symbol))
        kind = ' class="named"' if named else ""
        items.append(f"<li><b{kind}><bdi>{text(said)}</bdi></b> <span>{count:,}</span></li>")
    more = ""
    if len(alphabet) > _SYMBOLS:
        last = alphabet[_SYMBOLS:]
        part = sum(count for _, count in last) / max(1, sum(count for _, count in alphabet))
        more = f" The {len(last):,} rarest, {share(part)} of the text, are left out here."
    return (
        f"<p>{counted(len(alphabet), 'symbol')}, the commonest first, and how often the training "
        f'text has each.{more}</p><ul class="alphabet">{"".join(items)}</ul>'
    )
