"""The charts: the same bytes each time, well formed, named, and blind to what labels contain."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from marfa.errors import DataError
from marfa.evaluation import plots
from marfa.evaluation.metrics import histogram

SVG = "{http://www.w3.org/2000/svg}"
HISTORY = [
    {
        "epoch": epoch,
        "train_loss": 0.6 / epoch,
        "train_accuracy": 0.7 + 0.05 * epoch,
        "validation_loss": 0.5 - 0.02 * epoch,
        "validation_accuracy": 0.7 + 0.03 * epoch,
    }
    for epoch in range(1, 6)
]
BINS = [
    {"confidence": 0.55, "accuracy": 0.5, "count": 10},
    {"confidence": 0.97, "accuracy": 0.9, "count": 90},
]
LENGTHS = histogram(np.arange(1, 700))
BITS = [
    {"epoch": epoch, "train_bits": 2 + 2 / epoch, "validation_bits": 2.2 + (epoch - 3) ** 2 / 9}
    for epoch in range(1, 6)
]
CHARTS: dict[str, Callable[[], str]] = {
    "history": lambda: plots.history(HISTORY),
    "one epoch": lambda: plots.history(HISTORY[:1]),
    "bits": lambda: plots.bits(BITS),
    "bits of one epoch": lambda: plots.bits(BITS[:1]),
    "confusion": lambda: plots.confusion([[70, 30], [10, 90]], ["bad", "good"]),
    "wide": lambda: plots.confusion(np.eye(14, dtype=int).tolist(), [f"l{i}" for i in range(14)]),
    "calibration": lambda: plots.calibration(BINS),
    "one bin": lambda: plots.calibration([{"confidence": 1.0, "accuracy": 0.0, "count": 1}]),
    "lengths": lambda: plots.lengths(LENGTHS, cut=500),
    "one length": lambda: plots.lengths(histogram(np.array([0]))),
}
every_chart = pytest.mark.parametrize("draw", CHARTS.values(), ids=CHARTS)


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@every_chart
def test_a_chart_is_the_same_bytes_whatever_the_users_style(draw: Callable[[], str]) -> None:
    first = draw()
    theirs = {"font.size": 30, "font.weight": "bold", "svg.fonttype": "path", "axes.linewidth": 9}
    with mpl.rc_context(theirs):
        assert draw() == first


@every_chart
def test_a_chart_leaves_matplotlib_as_it_was(draw: Callable[[], str]) -> None:
    before = dict(mpl.rcParams)
    draw()
    assert dict(mpl.rcParams) == before


@every_chart
def test_a_chart_fits_any_width_and_any_ground(draw: Callable[[], str]) -> None:
    svg = draw()
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox", "").startswith("0 0 400 ")
    assert root.get("width") is root.get("height") is None
    assert "currentColor" in svg
    assert "#000" not in svg
    assert "fill: #fff" not in svg
    assert "<style" not in svg
    assert "font-family: '" not in svg


@every_chart
def test_a_chart_has_a_name_for_those_who_cannot_see_it(draw: Callable[[], str]) -> None:
    root = ElementTree.fromstring(draw())
    assert root.get("role") == "img"
    title, described = root[0], root[1]
    assert (title.tag, described.tag) == (f"{SVG}title", f"{SVG}desc")
    assert root.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert title.text
    assert described.text


def test_charts_of_one_page_share_no_id_and_refer_to_nothing_outside() -> None:
    four = [CHARTS[name]() for name in ("history", "confusion", "calibration", "lengths")]
    found = [re.findall(r'\bid="([^"]+)"', svg) for svg in four]
    together = [name for names in found for name in names]
    assert len(together) == len(set(together))
    for svg, names in zip(four, found, strict=True):
        assert set(re.findall(r"url\(#(\w+)\)", svg)) <= set(names)
        assert set(re.findall(r'href="#(\w+)"', svg)) <= set(names)
        assert set(re.findall(r'href="([^#"]*)', svg)) <= {""}


@pytest.mark.parametrize(
    "label",
    ["إيجابي", "正面", "$x^2$ $", "a<b>&\"'", "{0} %s @0@", "\x00\ud800", "😀", "ไทย", ""],
)
def test_any_label_is_drawn_as_it_is_without_a_warning(label: str) -> None:
    svg = plots.confusion([[1, 2], [3, 4]], [label, "other"])
    svg.encode("utf-8")
    shown = label.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert texts(svg).count(shown) == 2


def test_a_long_label_is_shortened_and_wide_letters_count_double() -> None:
    drawn = texts(plots.confusion([[1, 2], [3, 4]], ["very " * 30, "电影" * 20]))
    assert "very very ve…" in drawn
    assert "电影电影电影…" in drawn


def test_the_confusion_shows_counts_and_shares_of_rows() -> None:
    drawn = texts(plots.confusion([[1500, 500], [0, 0]], ["bad", "good"]))
    assert {"1,500", "75.0%", "500", "25.0%", "0", "0.0%"} <= set(drawn)


def test_two_lines_that_end_together_are_named_apart() -> None:
    same = [
        {key: 0.5 if "loss" in key or "acc" in key else value for key, value in record.items()}
        for record in HISTORY
    ]
    root = ElementTree.fromstring(plots.history(same))
    heights = {
        node.text: float(node.get("y", "0"))
        for node in root.iter(f"{SVG}text")
        if node.text in {"training", "validation"}
    }
    assert abs(heights["training"] - heights["validation"]) > 12


def test_the_bits_are_told_of_the_best_epoch() -> None:
    svg = plots.bits(BITS)
    assert {"Bits a character", "training", "validation", "epoch"} <= set(texts(svg))
    assert "fewest bits after epoch 3: 2.200 a character." in svg


def test_the_lengths_say_where_texts_are_cut_off_if_they_are() -> None:
    assert "cut off after 500" in texts(plots.lengths(LENGTHS, cut=500))
    assert not any("cut" in text for text in texts(plots.lengths(LENGTHS, cut=5000)))
    assert not any("cut" in text for text in texts(plots.lengths(LENGTHS)))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.history([]),
        lambda: plots.bits([]),
        lambda: plots.calibration([]),
        lambda: plots.confusion([], []),
        lambda: plots.confusion([[1, 2]], ["a", "b"]),
        lambda: plots.confusion([[1], [2]], ["a", "b"]),
        lambda: plots.lengths({"edges": [0], "counts": [], "median": 0, "longest": 0}),
        lambda: plots.lengths({"edges": [0, 1], "counts": [1, 2], "median": 0, "longest": 0}),
    ],
)
def test_nothing_to_draw_is_an_error_that_says_so(draw: Callable[[], Any]) -> None:
    with pytest.raises(DataError, match="expected"):
        draw()
