"""Printing a rehearsal: a step at a time for people, one JSON document for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from rich.text import Text

from marfa.cli.show import document, stdout
from marfa.rehearsal.story import Step

_MARGIN = 4
_LABELS = 9
_NARROWEST = 5


def step(told: Step) -> None:
    """Print one step."""
    out = stdout()
    head = Text(f"{told.number:>2}  {told.title}", style="bold")
    head.append(f"  {told.seconds:.1f} s" if told.seconds >= 0.1 else "", style="dim")
    out.print(head, soft_wrap=True)
    _labelled("here", told.here)
    _labelled("on AWS", told.aws)
    made = (f"{each.name}: {each.does} [{each.console}]" for each in told.resources)
    _labelled("  makes", made)
    _labelled("costs", [told.costs])
    _labelled("console", [told.console] if told.console else [])
    out.print()


def _labelled(label: str, lines: Iterable[str]) -> None:
    out = stdout()
    for text in lines:
        for part in _fitting(text, out.width - _MARGIN - _LABELS) if out.is_terminal else [text]:
            line = Text(" " * _MARGIN)
            line.append(f"{label:<{_LABELS}}", style="dim" if label else "")
            line.append(part)
            out.print(line, soft_wrap=True)
            label = ""


def _fitting(text: str, width: int) -> list[str]:
    """Break a line where it meets the edge; a command stays whole, so that it can be copied.

    >>> _fitting("a word or two", 6), _fitting("  a command of many words", 6)
    (['a word', 'or two'], ['  a command of many words'])
    """
    if text.startswith("  "):
        return [text]
    return textwrap.wrap(
        text, max(width, _NARROWEST), break_long_words=False, break_on_hyphens=False
    ) or [text]


def rehearse(result: Mapping[str, Any], as_json: bool) -> None:
    """Print what was measured; the steps have been told by then."""
    if as_json:
        return document("rehearse", result)
    figures = result["figures"]
    said = [
        f"the first answer after {figures['first_answer_seconds']:g} s",
        f"{figures['golden']} golden requests as recorded",
        "0 left",
    ]
    stdout().print(Text(f"rehearsed: {', '.join(said)}"), soft_wrap=True)
    deploy = f"for real: marfa deploy {result['file']} --target {result['target']}"
    stdout().print(Text(f"{deploy} (--plan looks first)"), soft_wrap=True)
    return None
