"""The report: whole, honest about who is better, and deaf to what texts would have it do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.unit.evaluation.reading import HOSTILE, Page

from marfa.errors import DataError
from marfa.evaluation import metrics, report
from marfa.evaluation.baseline import majority

LABELS = ["سلبي", 'po"s<i>tive']


def document(**changed: Any) -> dict[str, Any]:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, 400)
    right = np.where(random.random(400) < 0.9, truth, 1 - truth)
    network, words = (np.clip(np.eye(2)[each], 0.1, 0.9) for each in (right, truth))
    return {
        "title": "Films",
        "name": "films",
        "preset": "default",
        "labels": LABELS,
        "network": metrics.measure(truth, network, LABELS),
        "baselines": {
            "bag of words": metrics.measure(truth, words, LABELS),
            "majority class": metrics.measure(truth, majority(truth, 400, 2), LABELS),
        },
        "comparison": metrics.compare(truth, network, words),
        "history": [
            {
                "epoch": 1,
                "train_loss": 0.5,
                "train_accuracy": 0.8,
                "validation_loss": 0.4,
                "validation_accuracy": 0.85,
            }
        ],
        "lengths": {**metrics.histogram(np.arange(1, 90)), "cut": 50},
        "mistakes": [
            {
                "text": "a fine film",
                "truth": LABELS[0],
                "predicted": LABELS[1],
                "probability": 0.987,
                "words": 3,
            }
        ],
        "settings": {"model": {"hidden": 128, "bidirectional": True}, "stem": None},
        "data": {"splits": {"test": {"texts": 12500}}, "sha256": "9f" * 32, "empty": []},
        "versions": {"python": "3.11"},
        **changed,
    }


def hostile() -> dict[str, Any]:
    """A document in which every text of the user's attacks the page."""
    found = document(title=HOSTILE, name=HOSTILE, preset=HOSTILE)
    mistake = dict.fromkeys(("text", "truth", "predicted"), HOSTILE)
    return found | {
        "labels": [HOSTILE, HOSTILE + "2"],
        "network": found["network"]
        | {"classes": [item | {"label": HOSTILE} for item in found["network"]["classes"]]},
        "baselines": {HOSTILE: found["baselines"]["bag of words"]},
        "mistakes": [mistake | {"probability": 0.9, "words": 9}],
        "settings": {HOSTILE: {HOSTILE: [HOSTILE, 1]}},
        "data": {HOSTILE: HOSTILE},
        "versions": {HOSTILE: HOSTILE},
    }


@cache
def plain() -> Page:
    return Page(report.page(document()))


@cache
def attacked() -> str:
    return report.page(hostile())


def test_the_page_is_whole_and_the_same_each_time() -> None:
    text = report.page(document())
    assert text == report.page(document())
    assert text.startswith('<!doctype html>\n<html lang="en">')
    page = Page(text)
    assert not page.open
    assert [tag for tag, _ in page.elements].count("svg") == 4
    assert [tag for tag, _ in page.elements].count("details") == 4
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in (
        page.elements
    )


@pytest.mark.parametrize("make", [plain, lambda: Page(attacked())])
def test_nothing_in_the_page_runs_or_is_fetched(make: Callable[[], Page]) -> None:
    elements = make().elements
    tags = {tag for tag, _ in elements}
    assert not tags & {"script", "img", "link", "iframe", "object", "form", "base", "a", "i18n"}
    for _, attributes in elements:
        assert not any(name.startswith("on") for name in attributes)
        address = attributes.get("src") or attributes.get("href") or attributes.get("xlink:href")
        assert address is None or address.startswith("#")
    policy = [a for tag, a in elements if tag == "meta" and "http-equiv" in a]
    assert policy[0]["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_hostile_texts_are_shown_and_do_nothing() -> None:
    text = attacked()
    page = Page(text)
    assert not page.open
    assert "\x00" not in text
    assert "\x1b" not in text
    assert text.encode("utf-8").decode("utf-8") == text
    assert "<script>alert(1)</script><img src=x onerror=alert(2)> \"'&amp; \ufffd" in page.said
    assert {tag for tag, _ in page.elements} == {tag for tag, _ in plain().elements}


def test_the_users_texts_choose_their_own_direction() -> None:
    page = plain()
    directed = [tag for tag, attributes in page.elements if attributes.get("dir") == "auto"]
    assert {"h1", "li", "th", "td", "blockquote"} <= set(directed)
    assert "bdi" in {tag for tag, _ in page.elements}


def test_every_table_scrolls_in_a_box_that_the_keyboard_reaches() -> None:
    page = plain()
    boxes = [a for _, a in page.elements if "scroll" in (a.get("class") or "").split()]
    assert len(boxes) == [tag for tag, _ in page.elements].count("table")
    assert all(box["tabindex"] == "0" for box in boxes)


def test_no_two_elements_have_one_id_and_every_label_is_there() -> None:
    page = plain()
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids


def test_the_page_tells_what_matters() -> None:
    said = plain().said
    for words in (
        "of 400 test texts are sorted right",
        "The bag of words is better by",
        'Said po"s<i>tive , 98.7 % sure; the truth is سلبي . 3 words a fine film',
        "model · hidden 128",
        "model · bidirectional yes",
        "stem none",
        "splits · test · texts 12,500",
        "9f" * 32,
        "python 3.11",
        "cut off after 50",
    ):
        assert words in said


def test_parts_that_a_run_lacks_are_left_out() -> None:
    found = document(baselines={}, comparison=None, history=[], lengths={}, mistakes=[])
    found["network"]["auroc"] = None
    page = Page(report.page(found))
    assert [tag for tag, _ in page.elements].count("svg") == 2
    assert "None: every test text is sorted right." in page.said
    assert "Area under the ROC curve –" in page.said
    assert "better" not in page.said


def test_three_labels_and_a_long_text_fit() -> None:
    truth, labels = np.array([0, 1, 2, 2]), ["a", "b", "c"]
    measured = metrics.measure(truth, np.full((4, 3), 1 / 3), labels)
    mistake = {"truth": "a", "predicted": "b", "probability": 1 / 3, "words": 1}
    texts = ["word " * 900, "x" * 5000, " " * 5000, "line\nline"]
    found = document(
        labels=labels, network=measured, mistakes=[mistake | {"text": text} for text in texts]
    )
    page = Page(report.page(found))
    quoted = [words for words in page.words if len(words) > 300]
    assert all(len(words) < 710 for words in quoted)
    assert "33.3 % sure" in page.said
    assert "1 word word word" in page.said


def test_a_part_that_is_missing_is_named() -> None:
    found = document()
    del found["history"], found["data"]
    with pytest.raises(DataError, match="the report lacks history, data"):
        report.page(found)


def verdict(network: float, words: float, p_value: float | None, low: float, high: float) -> str:
    comparison = None if p_value is None else {"p_value": p_value, "difference_95": [low, high]}
    return report.verdict({"accuracy": network}, "bag of words", {"accuracy": words}, comparison)


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (
            (0.92, 0.905, 0.00001, 0.01, 0.02),
            "The network is better than the bag of words by 1.5 points (95 % interval 1.0 to 2.0). "
            "That is more than chance explains (p < 0.001).",
        ),
        (
            (0.894, 0.905, 0.002, -0.017, -0.005),
            "The bag of words is better by 1.1 points (95 % interval 0.5 to 1.7). "
            "That is more than chance explains (p = 0.002).",
        ),
        (
            (0.9, 0.903, 0.31, -0.009, 0.003),
            "The bag of words is better by 0.3 points (95 % interval −0.3 to 0.9). "
            "That may be chance (p = 0.310).",
        ),
        (
            (0.9002, 0.9, 0.9, -0.01, 0.01),
            "The network and the bag of words are right equally often.",
        ),
        ((0.95, 0.9, None, 0, 0), "The network is better than the bag of words by 5.0 points."),
    ],
)
def test_the_verdict_is_honest_whoever_wins(
    figures: tuple[float, float, float | None, float, float], said: str
) -> None:
    assert verdict(*figures).replace("\u00a0", " ") == said
