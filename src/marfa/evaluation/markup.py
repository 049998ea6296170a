"""Small pieces of the report's HTML. Everything that is the user's passes through `text` here."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from marfa.evaluation.drawing import printable

_EXCERPT = 700
"""Letters of a mistaken text that are shown."""


def section(title: str, body: str) -> str:
    """Put a heading over HTML."""
    return f"<section><h2>{title}</h2>\n{body}\n</section>"


def facts(listed: Mapping[str, Any]) -> str:
    """Write what there is to know, one row each; mappings in mappings become dotted names."""
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{text(key)}</th><td dir="auto">{text(value)}</td></tr>'
        for key, value in _flat(listed)
    )
    inner = f'<table class="facts"><tbody>{rows}</tbody></table>'
    return f'<div class="card scroll" tabindex="0">{inner}</div>'


def _flat(facts: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key} · ")
        elif isinstance(value, list | tuple):
            yield f"{before}{key}", ", ".join(map(str, value)) or "none"
        elif isinstance(value, bool) or value is None:
            yield f"{before}{key}", {True: "yes", False: "no", None: "none"}[value]
        else:
            yield (
                f"{before}{key}",
                f"{value:,}" if isinstance(value, int) and value >= 10_000 else str(value),
            )


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write a table in a box of its own, so that a wide one never moves the page."""
    titled = f"<caption>{text(caption)}</caption>" if caption else ""
    head = "".join(f'<th scope="col" dir="auto">{text(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row" dir="auto">{text(first)}</th>'
        + "".join(f"<td>{text(cell)}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in rows
    )
    return (
        f'<div class="scroll" tabindex="0"><table>{titled}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def excerpt(whole: str) -> str:
    """Cut a long text at a blank, if it has one."""
    if len(whole) <= _EXCERPT:
        return whole
    start = whole[:_EXCERPT]
    return f"{start.rpartition(' ')[0] or start} …"


def figure(value: float | None, kind: str) -> str:
    """Write a figure, a "share" in per cent or a "number"; a dash where there is none.

    >>> figure(0.5, "number"), figure(None, "share")
    ('0.5000', '–')
    """
    if value is None:
        return "–"
    return share(value) if kind == "share" else f"{value:.4f}"


def share(value: float, digits: int = 2) -> str:
    """Write a share in per cent."""
    return f"{100 * value:.{digits}f}\u00a0%"


def signed(value: float) -> str:
    """Write a number with a real minus."""
    return f"{value:.1f}".replace("-", "\u2212")


def text(value: object) -> str:
    """Escape for any place in the page; what cannot be shown becomes U+FFFD.

    >>> text('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(printable(str(value)))


def words(count: int) -> str:
    """Write a number of words."""
    return "1 word" if count == 1 else f"{count:,} words"
