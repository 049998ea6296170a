"""Small pieces of the report's HTML. Everything that is the user's passes through `text` here."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from marfa.evaluation.drawing import printable
from marfa.evaluation.report_style import CSS

_EXCERPT = 700
"""Letters of a mistaken text that are shown."""


def frame(title: str, parts: Iterable[str], style: str = "") -> str:
    """Make a page of HTML: nothing in it may run, and nothing may be fetched.

    >>> frame("Films & more", ["<p>Good.</p>"]).count("<title>Films &amp; more</title>")
    1
    """
    body = "\n".join(parts)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{text(title)}</title>
<style>{CSS}{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def header(title: str, tags: Iterable[str]) -> str:
    """Write the head of the page: what it is about, and a few words beside."""
    listed = "".join(f'<li dir="auto">{text(tag)}</li>' for tag in tags)
    return f'<header><h1 dir="auto">{text(title)}</h1><ul class="tags">{listed}</ul></header>'


def chart(svg: str, title: str, said: str, numbers: str) -> str:
    """Put a chart in a box with what it says, and its numbers to be opened."""
    return (
        f"<figure><h3>{title}</h3>{svg}<figcaption>{text(said)}</figcaption>"
        f"<details><summary>The numbers</summary>{numbers}</details></figure>"
    )


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
    return counted(count, "word")


def counted(count: int, what: str) -> str:
    """Write how many there are of something.

    >>> counted(1, "word"), counted(2000, "character")
    ('1 word', '2,000 characters')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
