"""The report's charts: each function returns one SVG, the same bytes for the same numbers.

Text stays text, in the reader's own fonts; what is drawn in ink takes the page's colour, so that a
chart reads on a light page, on a dark one and on paper. The two colours are told apart by people
with any kind of colour vision, and never mean anything alone: a line is also dashed or labelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from marfa.errors import DataError
from marfa.evaluation.curves import bits, history
from marfa.evaluation.drawing import (
    BLUE,
    INK,
    ORANGE,
    Names,
    panel,
    percent,
    render,
    sheet,
    style,
    whole,
)

__all__ = ["bits", "calibration", "confusion", "history", "lengths"]


@style()
def confusion(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> str:
    """Draw how often each label was taken for each.

    Args:
        matrix: C x C counts, rows are the truth, columns the answers.
        labels: the names of the labels, C of them.

    Returns:
        An SVG element.

    Raises:
        DataError: if the matrix is not C x C.

    >>> "70" in confusion([[70, 30], [10, 90]], ["bad", "good"])
    True
    """
    size = len(labels)
    if not size or len(matrix) != size or any(len(row) != size for row in matrix):
        message = f"found {len(matrix)} rows, expected {size} rows of {size} counts"
        raise DataError(message)
    figure, names = sheet(360), Names()
    slanted = size > 3
    axes = figure.add_axes((0.29, 0.02, 0.62 if slanted else 0.69, 0.72 if slanted else 0.80))
    axes.set(xlim=(0, size), ylim=(size, 0))
    axes.set_axis_off()
    small, gap = max(5.0, min(12.0, 130 / size)), 0.03 if size < 8 else 0.08
    for row, counts in enumerate(matrix):
        total = sum(counts)
        for column, count in enumerate(counts):
            share = count / total if total else 0.0
            colour = BLUE if row == column else ORANGE
            # never so dark that the page's own ink cannot be read on it
            look: dict[str, Any] = {
                "color": colour,
                "alpha": 0.07 + 0.5 * share,
                "linewidth": 0,
                "clip_on": False,
            }
            corner = (column + gap / 2, row + gap / 2)
            axes.add_patch(Rectangle(corner, 1 - gap, 1 - gap, **look))
            if size > 12:
                continue
            middle: dict[str, Any] = {"x": column + 0.5, "ha": "center", "va": "center_baseline"}
            big: dict[str, Any] = {"fontsize": max(small, 24 - 4 * size), "fontweight": "bold"}
            axes.text(
                y=row + 0.5 - (0.035 * size if size <= 6 else 0), s=f"{count:,}", **middle, **big
            )
            if size <= 6:
                axes.text(y=row + 0.5 + 0.05 * size, s=f"{share:.1%}", fontsize=small, **middle)
    for index, label in enumerate(labels):
        beside: dict[str, Any] = {"ha": "right", "va": "center_baseline", "fontsize": small}
        axes.text(-0.03 * size, index + 0.5, names.hide(label, 13), **beside)
        above: dict[str, Any] = {"ha": "center"}
        if slanted:
            above = {"ha": "left", "rotation": 40, "rotation_mode": "anchor", "fontsize": small}
        named = names.hide(label, 10 if slanted else 38 // size)
        axes.text(index + 0.5, -0.02 * size, named, **above)
    figure.text(0.29, 0.95, "taken for", fontweight="bold")
    figure.text(0.269, 0.76 if slanted else 0.84, "truth", fontweight="bold", ha="right")
    right = sum(matrix[index][index] for index in range(size))
    described = f"{right:,} of {sum(map(sum, matrix)):,} answers are right: the diagonal."
    return render(figure, "confusion", "What was taken for what", described, names)


@style()
def calibration(bins: Sequence[Mapping[str, Any]]) -> str:
    """Draw how often the answers are right, by how sure the classifier is of them.

    Args:
        bins: as `metrics.measure` returns them: `confidence` and `accuracy`, 0 to 1, and `count`.

    Returns:
        An SVG element.

    Raises:
        DataError: if there is no bin.

    >>> calibration([{"confidence": 0.9, "accuracy": 0.8, "count": 10}]).count("<svg")
    1
    """
    if not bins:
        message = "found no bin to draw, expected at least one"
        raise DataError(message)
    figure = sheet(400)
    sure, right = [item["confidence"] for item in bins], [item["accuracy"] for item in bins]
    start = 0.5 if min(sure) >= 0.5 else 0.0
    axes = panel(figure, (0.115, 0.30, 0.85, 0.63), "Share of right answers")
    low = min(start, *right) if start else 0.0
    axes.plot([start, 1], [start, 1], color=INK, alpha=0.55, linewidth=1.2, linestyle=(0, (2, 2)))
    axes.text(start + 0.02 * (1 - start), 0.97 + 0.03 * low, "cautious", alpha=0.75, va="top")
    axes.text(0.99, low + 0.03 * (1 - low), "too sure", alpha=0.75, ha="right")
    axes.plot(sure, right, color=BLUE, linewidth=2.2)
    largest = max(item["count"] for item in bins)
    sizes = [14 + 90 * item["count"] / largest for item in bins]
    axes.scatter(sure, right, s=sizes, color=BLUE, linewidth=0, zorder=3, clip_on=False)
    axes.set_ylim(low - 0.02, 1.02)
    total = sum(item["count"] for item in bins)
    below = panel(figure, (0.115, 0.09, 0.85, 0.125), "Share of texts")
    shares = [item["count"] / total for item in bins]
    below.bar(sure, shares, width=0.045 * (1 - start), color=BLUE, linewidth=0)
    below.yaxis.set_major_locator(MaxNLocator(2))
    axes.tick_params(labelbottom=False)
    below.set_xlabel("how sure the network is of its answer")
    for each in (axes, below):
        each.set_xlim(start - 0.03 * (1 - start), 1 + 0.03 * (1 - start))
        each.xaxis.set_major_formatter(percent)
        each.yaxis.set_major_formatter(percent)
    described = (
        "On the dotted diagonal, an answer is right exactly as often as its probability says."
    )
    return render(
        figure, "calibration", "How far the probabilities can be trusted", described, Names()
    )


@style()
def lengths(histogram: Mapping[str, Any], cut: int | None = None) -> str:
    """Draw how long the texts are.

    Args:
        histogram: as `metrics.histogram` returns it: `edges` in words, `counts`, whose
            last holds every longer text too, `median` and `longest`.
        cut: number of words after which a text is cut off, if it is.

    Returns:
        An SVG element.

    Raises:
        DataError: if there is no bin.

    >>> counted = {"edges": [0, 10, 20], "counts": [3, 1], "median": 7, "longest": 19}
    >>> lengths(counted, cut=15).count("<svg")
    1
    """
    edges, counts = list(histogram["edges"]), list(histogram["counts"])
    if not counts or len(edges) != len(counts) + 1:
        message = f"found {len(edges)} edges and {len(counts)} counts, expected one edge more"
        raise DataError(message)
    figure = sheet(360)
    axes = panel(figure, (0.115, 0.13, 0.83, 0.75), "Number of texts")
    widths = [high - low for low, high in pairwise(edges)]
    gaps = [0.12 * width for width in widths]
    inner = [width - gap for width, gap in zip(widths, gaps, strict=True)]
    starts = [low + gap / 2 for low, gap in zip(edges[:-1], gaps, strict=True)]
    axes.bar(starts, counts, width=inner, align="edge", color=BLUE, alpha=0.85, linewidth=0)
    top = max(counts) * 1.2 or 1
    more = f" (last bar: {edges[-2]:,} or more)" if histogram["longest"] >= edges[-1] else ""
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, top), xlabel=f"words in the text{more}")
    marks = [(histogram["median"], f"median {histogram['median']:,}", 0.96)]
    if cut is not None and cut < edges[-1]:
        marks.append((cut, f"cut off after {cut:,}", 0.86))
    for place, said, height in marks:
        axes.plot(
            [place, place], [0, top * height], color=INK, linewidth=1.2, linestyle=(0, (2, 2))
        )
        past = place > (edges[0] + edges[-1]) / 2
        away = (-1 if past else 1) * 0.012 * (edges[-1] - edges[0])
        axes.text(place + away, top * height, said, ha="right" if past else "left", va="top")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(whole)
    axes.xaxis.set_major_formatter(whole)
    described = f"{sum(counts):,} texts; half of them have {histogram['median']:,} words or fewer."
    return render(figure, "lengths", "Length of the texts", described, Names())
