"""The model's card: what is told of it, one touch away, and nothing where nothing is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect
from tests.browser.desk import Desk
from tests.browser.fake_server import MODEL, Reply
from tests.browser.fake_writer import WRITER
from tests.browser.test_offline import settle
from tests.browser.visit import Visit

from marfa.settings import ServeSettings
from marfa.stages.serve import Running

ATTACK = "<img src=x onerror='window.hit = 1'>"
METRICS: dict[str, Any] = MODEL["metrics"] | {"accuracy_95": [0.891, 0.903]}  # type: ignore[operator]
CARD = {
    "engine": "int8",
    "metrics": METRICS,
    "card": {"data": "imdb", "texts": 22_500, "made": "2026-11-27"},
    "refuses": {"min_known_share": 0.5, "min_words": 3, "scripts": ["Latn", "Cyrl"]},
}


def rows(visit: Visit) -> dict[str, str]:
    """Open the card, and return what it says."""
    expect(visit.page.locator("#about")).not_to_contain_text("Asking")
    visit.page.get_by_role("button", name="The model").click()
    expect(visit.page.locator("#card")).to_be_visible()
    keys = visit.page.locator("#card dt").all_inner_texts()
    return dict(zip(keys, visit.page.locator("#card dd").all_inner_texts(), strict=True))


def test_all_that_is_told_of_a_model_that_judges(visit: Visit) -> None:
    visit.server.others["v1/model"] = Reply(MODEL | CARD)
    visit.open()
    assert rows(visit) == {
        "Name": "sentiment 3f2a9c41",
        "Computed by": "int8",
        "Tells apart": "negative, positive",
        "How good": "Right on 89.7% of 12,500 test texts (95% interval: 89.1% to 90.3%)",
        "To compare": "A simple bag of words is right on 90.4% of them",
        "Trained on": "imdb, 22,500 texts",
        "Made on": "2026-11-27",
        "Refuses": "a text without a word, a text of which less than 50.0% of the words are known, "
        "a text of less than 3 words, and a text in another script than Latin and Cyrillic",
    }
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#card")).to_be_hidden()
    expect(visit.page.get_by_role("button", name="The model")).to_be_focused()


def test_all_that_is_told_of_a_model_that_writes(desk: Desk) -> None:
    desk.server.others["v1/model"] = Reply(
        WRITER | {"card": {"data": "shakespeare", "characters": 1_003_854, "made": "2026-11-27"}}
    )
    desk.open()
    assert rows(desk) == {
        "Name": "shakespeare 25873edf6f55",
        "Computed by": "int8",
        "How good": "2.07 bits per character on 111,539 characters of held-out text; "
        "counting 5-grams, 2.90 (fewer is better).",
        "Trained on": "shakespeare, 1,003,854 characters",
        "Made on": "2026-11-27",
    }


@pytest.mark.parametrize("odd", [None, 7, [], "x", {"data": 7, "texts": "many", "made": []}])
def test_what_is_told_wrongly_is_not_shown(visit: Visit, odd: Any) -> None:
    refuses = {"min_known_share": 2, "min_words": -1, "scripts": ["<b>", 7]}
    told = {"card": odd, "refuses": refuses, "metrics": {"accuracy": 0.9, "accuracy_95": odd}}
    visit.server.others["v1/model"] = Reply(MODEL | told)
    visit.open()
    shown = rows(visit)
    assert shown["How good"] == "Right on 90.0% of test texts"
    assert not {"Trained on", "Made on"} & shown.keys()
    assert shown["Refuses"] == "a text without a word"


def test_markup_in_a_card_stays_text(visit: Visit) -> None:
    card = {"data": ATTACK, "made": ATTACK}
    visit.server.others["v1/model"] = Reply(
        MODEL | {"card": card, "engine": ATTACK, "name": ATTACK}
    )
    visit.open()
    assert rows(visit)["Trained on"] == ATTACK
    assert visit.page.locator("#card img").count() == 0
    assert visit.evaluate("() => window.hit") is None


def test_where_nothing_is_told_the_card_says_so(visit: Visit) -> None:
    visit.server.others["v1/model"] = Reply(b"", 500)
    visit.open()
    expect(visit.page.locator("#about")).to_contain_text("tells nothing")
    visit.page.get_by_role("button", name="The model").click()
    expect(visit.page.locator("#card")).to_contain_text("tells nothing about its model")


def test_the_card_is_there_without_a_network(page: Page, model_path: Path) -> None:
    with Running(model_path, ServeSettings(port=0)) as server:
        page.goto(server.url)
        settle(page)
        page.goto("about:blank")
    page.context.set_offline(True)
    page.goto(server.url)
    page.get_by_role("button", name="The model").click()
    expect(page.locator("#card")).to_contain_text("test texts")
    expect(page.locator("#card code")).to_have_text(server.model.model_id)
