"""One look for all charts, and the way from a figure to an SVG that can stand in a page."""

from __future__ import annotations

import contextlib
import io
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from xml.dom import minidom

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, BLUE, ORANGE = "#101112", "#1f6fb2", "#b5500d"
"""The colours to draw with; a page may set `--chart-blue` and `--chart-orange` when it is dark."""
_WIDTH = 400.0
"""Units of every chart; text of 12 units is then still 9 pixels high on the smallest telephone."""
_COLOURS = {
    INK: "currentColor",
    BLUE: f"var(--chart-blue, {BLUE})",
    ORANGE: f"var(--chart-orange, {ORANGE})",
}
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 12,
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "axes.labelsize"), 12),
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
}
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    r"""Replace what no page may hold, control characters and lone surrogates, by U+FFFD.

    >>> print(ascii(printable("a\x00b\ud800\n")))
    'a\ufffdb\ufffd\n'
    """
    return _NOT_TEXT.sub("\ufffd", text)


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw in marfa's style, whatever the user's matplotlibrc says; for use as a decorator.

    >>> @style()
    ... def grid() -> bool:
    ...     return bool(mpl.rcParams["axes.grid"])
    >>> grid()
    False
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


class Names:
    """Words of the user's in a figure, which matplotlib never sees.

    It would look for their letters in its own font, warn of those it lacks, and read `$` as
    mathematics; the reader's browser has the fonts, and joins Arabic letters too.
    """

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def hide(self, text: str, columns: int) -> str:
        """Return what to draw in the place of `text`, shortened to `columns` narrow letters.

        >>> names = Names()
        >>> names.reveal(names.hide("a very long name", 7)), names.reveal(names.hide("影片影片", 7))
        ('a very…', '影片影…')
        """
        shown, wide = "", 0
        whole = " ".join(printable(text).split())
        for letter in whole:
            wide += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
            if wide > columns:
                shown = shown[: -1 if len(shown) >= columns else None] + "…"
                break
            shown += letter
        key = f"@{len(self._shown)}@"
        self._shown[key] = shown
        return key

    def reveal(self, drawn: str) -> str:
        """Return the text behind what was drawn; anything else is itself."""
        return self._shown.get(drawn, drawn)


def sheet(height: float) -> Figure:
    """Return an empty figure, as wide as every chart."""
    return Figure(figsize=(_WIDTH / 72, height / 72), dpi=72, facecolor="none")


def panel(figure: Figure, place: tuple[float, float, float, float], title: str) -> Axes:
    """Add a panel at left, bottom, width, height, as shares of the figure."""
    axes = figure.add_axes(place)
    axes.set_facecolor("none")
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", pad=9)
    axes.grid(axis="y", color=INK, alpha=0.16, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=5)
    for side, spine in axes.spines.items():
        spine.set(visible=side == "bottom", alpha=0.5)
    return axes


def label_ends(axes: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Name two lines where they end, apart enough to be read."""
    low, high = axes.get_ylim()
    heights = [(value - low) / (high - low) for value, _, _ in ends]
    missing = 0.13 - abs(heights[0] - heights[1])
    if missing > 0:
        upper = int(heights[1] > heights[0])
        heights[upper] += missing / 2
        heights[1 - upper] -= missing / 2
    for height, (_, name, colour) in zip(heights, ends, strict=True):
        look: dict[str, Any] = {"color": colour, "fontweight": "bold", "va": "center_baseline"}
        axes.text(1.02, height, name, transform=axes.transAxes, **look)


def percent(value: float, _: float = 0) -> str:
    """Write a share as a tick wants it.

    >>> percent(0.725), percent(0.7)
    ('72.5%', '70%')
    """
    return f"{100 * value:.4g}%"


def whole(value: float, _: float = 0) -> str:
    """Write a count as a tick wants it."""
    return f"{value:,.0f}"


def render(figure: Figure, name: str, title: str, described: str, names: Names) -> str:
    """Write a figure as one SVG element.

    Args:
        figure: drawn in `INK`, `BLUE` and `ORANGE`.
        name: one word, unlike that of any other chart of the page.
        title: what a screen reader calls the chart.
        described: what it says of it next.
        names: the user's words in it.

    Returns:
        The element, the same bytes for the same figure.
    """
    written = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(written, metadata=nothing)  # type: ignore[no-untyped-call]
    document = minidom.parseString(written.getvalue())  # noqa: S318 - matplotlib's own, see above
    root = document.documentElement
    assert root is not None
    for size in ("width", "height"):
        root.removeAttribute(size)
    for key, value in {
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-described",
        "class": "chart",
        "style": "font-family: system-ui, sans-serif; stroke-linejoin: round",
    }.items():
        root.setAttribute(key, value)
    _clean(root, set(re.findall(r'[("]#(\w+)', written.getvalue())), names)
    for tag, said in (("desc", described), ("title", title)):
        element = document.createElement(tag)
        element.setAttribute("id", f"{name}-{'title' if tag == 'title' else 'described'}")
        element.appendChild(document.createTextNode(said))
        root.insertBefore(element, root.firstChild)
    return str(root.toxml())


def _clean(parent: minidom.Element, used: set[str], names: Names) -> None:
    """Drop ids that nothing refers to, fonts, blanks and folds; put colours and names in."""
    for node in list(parent.childNodes):
        if isinstance(node, minidom.Element) and node.tagName != "style":
            if node.hasAttribute("id") and node.getAttribute("id") not in used:
                node.removeAttribute("id")
            if node.hasAttribute("d"):
                node.setAttribute("d", " ".join(node.getAttribute("d").split()))
            if node.hasAttribute("style"):
                node.setAttribute("style", _style(node.getAttribute("style")))
            if node.getAttribute("transform").startswith("rotate(-0 "):
                node.removeAttribute("transform")
            _clean(node, used, names)
            empty = node.tagName in {"g", "defs"} and not node.childNodes
            ground = node.tagName == "path" and node.getAttribute("style") == "fill: none"
            if empty or ground:
                parent.removeChild(node)
        elif isinstance(node, minidom.Text):
            if parent.tagName == "text":
                node.data = names.reveal(node.data)
            else:
                parent.removeChild(node)
        else:
            parent.removeChild(node)


def _style(style: str) -> str:
    kept = [part for part in style.split("; ") if not part.startswith("font-family:")]
    joined = "; ".join(kept)
    for drawn, shown in _COLOURS.items():
        joined = joined.replace(drawn, shown)
    return joined
