"""What axe-core finds in every state of both pages: nothing, in any language, light or dark."""

from __future__ import annotations

import threading
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from tests.browser.desk import Desk
from tests.browser.fake_server import Reply, explained, judgement, problem
from tests.browser.test_writing_appearance import STATES as WRITING
from tests.browser.test_writing_appearance import show as show_writing
from tests.browser.visit import Visit

TEXT = "A small zorblax film with a big heart, dull at times."
WORDS = {"known": 1, "total": 3, "unknown": ["zorblax"]}
KEPT_FROM = [("en", "light"), ("en", "dark"), ("fr", "light"), ("ar", "light"), ("ar", "dark")]


def assert_nothing_found(visit: Visit, *where: str) -> None:
    """Fail for every rule of WCAG 2.2 A and AA, and of good practice, that is broken."""
    found = Axe().run(visit.page)
    assert [each["id"] for each in found.response["violations"]] == [], (
        where, found.generate_report(),
    )  # fmt: skip


def speak(visit: Visit, language: str, scheme: Any) -> None:
    visit.page.emulate_media(color_scheme=scheme)
    visit.page.select_option("#language", language)
    expect(visit.page.locator("html")).to_have_attribute("lang", language)


def drawers(visit: Visit, *where: str) -> None:
    """Look at what opens above the page, too."""
    for drawer in ("card", "texts"):
        visit.page.click(f"[popovertarget={drawer}] >> nth=0")
        expect(visit.page.locator(f"#{drawer}")).to_be_visible()
        assert_nothing_found(visit, drawer, *where)
        visit.page.keyboard.press("Escape")
        expect(visit.page.locator(f"#{drawer}")).to_be_hidden()


@pytest.mark.parametrize(("language", "scheme"), KEPT_FROM)
def test_the_page_that_judges(visit: Visit, language: str, scheme: str) -> None:
    where = language, scheme
    speak(visit, language, scheme)
    assert_nothing_found(visit, "empty", *where)
    visit.send(TEXT, Reply(judgement().body, until=(go_on := threading.Event())))
    visit.await_state("waiting")
    assert_nothing_found(visit, "waiting", *where)
    go_on.set()
    visit.await_state("answer")
    visit.ask(TEXT, judgement("negative", 0.7, known_words=WORDS))
    assert_nothing_found(visit, "answer", *where)
    visit.server.replies = [explained(TEXT, {"heart": 0.3, "dull": -0.1}, known_words=WORDS)]
    visit.page.click("#why")
    visit.page.locator(".for").first.wait_for()
    assert_nothing_found(visit, "why", *where)
    drawers(visit, *where)
    declined = judgement(None, None, reason="too few words", refused="short", known_words=WORDS)
    visit.ask(TEXT, declined, "declined")
    assert_nothing_found(visit, "declined", *where)
    visit.ask(TEXT, problem(503, "Busy", "come back"), "error")
    assert_nothing_found(visit, "error", *where)
    visit.page.context.set_offline(True)
    visit.send(TEXT)
    visit.await_state("error")
    assert_nothing_found(visit, "offline", *where)
    visit.page.context.set_offline(False)


@pytest.mark.parametrize(("language", "scheme"), KEPT_FROM)
def test_the_page_that_writes(desk: Desk, language: str, scheme: str) -> None:
    for state in WRITING:
        show_writing(desk, state)
        speak(desk, language, scheme)
        desk.await_state(state)
        assert_nothing_found(desk, state, language, scheme)
    desk.page.click("summary")
    desk.page.fill("#top_k", "-1")
    desk.page.click("#send")
    expect(desk.page.locator("#wrong")).not_to_be_empty()
    assert_nothing_found(desk, "wrong", language, scheme)
    drawers(desk, language, scheme)


def test_faults_would_be_found(visit: Visit) -> None:
    visit.evaluate("""() => {
      document.documentElement.removeAttribute("lang");
      document.getElementById("text").removeAttribute("placeholder");
      document.querySelector("label[for=text]").removeAttribute("for");
      document.querySelector("#lead").style.color = "#eee";
    }""")
    violations = Axe().run(visit.page).response["violations"]
    assert {"color-contrast", "html-has-lang", "label"} <= {each["id"] for each in violations}
