"""A person's own texts: kept in their browser alone, a few, and only as long as they like."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import expect
from tests.browser.desk import Desk
from tests.browser.fake_server import Reply, judgement
from tests.browser.visit import Visit

ATTACK = "<img src=x onerror='window.hit = 1'>"


def kept(visit: Visit) -> list[str]:
    """Open the history, and return its texts, the latest first."""
    if not visit.page.locator("#texts").is_visible():
        visit.page.click("[popovertarget=texts] >> nth=0")
    return visit.page.locator(".past").all_text_contents()


def stored(visit: Visit) -> str:
    found: str = visit.evaluate("() => JSON.stringify(localStorage)")
    return found


def test_texts_are_kept_the_latest_first_and_each_once(visit: Visit) -> None:
    assert kept(visit) == []
    assert "Nothing is kept yet" in visit.text("#texts")
    visit.page.keyboard.press("Escape")
    for text in ("first", ATTACK, "فيلم رائع", "first"):
        visit.ask(text, judgement())
    visit.ask("first", Reply(b"", 500), "error")
    assert kept(visit) == ["first", "فيلم رائع", ATTACK]
    assert "Only this browser keeps them, the latest 20" in visit.text("#texts")
    visit.open()
    assert kept(visit) == ["first", "فيلم رائع", ATTACK]
    assert visit.page.locator("img").count() == 1  # the page's own sign


def test_a_text_comes_back_whole_and_is_not_sent_by_that(visit: Visit) -> None:
    text = "line\n" * 200
    visit.ask(text, judgement())
    visit.page.fill("#text", "")
    kept(visit)
    visit.page.get_by_role("button", name="Use this text again").click()
    expect(visit.page.locator("#texts")).to_be_hidden()
    expect(visit.page.locator("#text")).to_be_focused()
    assert visit.page.input_value("#text") == text
    assert visit.server.asked == [text]


def test_twenty_are_kept_and_no_text_that_would_fill_the_browser(visit: Visit) -> None:
    for number in range(25):
        visit.ask(f"text {number}", judgement())
    assert kept(visit) == [f"text {number}" for number in range(24, 4, -1)]
    visit.page.keyboard.press("Escape")
    visit.ask("x" * 100_001, judgement())
    assert kept(visit)[0] == "text 24"
    visit.page.keyboard.press("Escape")
    visit.ask("y" * 99_995, judgement())
    assert len(kept(visit)) == 1


def test_texts_are_deleted_one_by_one_and_all_at_once(visit: Visit) -> None:
    for text in ("one", "two", "three"):
        visit.ask(text, judgement())
    kept(visit)
    visit.page.get_by_role("button", name="Delete this text: two").click()
    assert kept(visit) == ["three", "one"]
    assert "two" not in stored(visit)
    visit.page.get_by_role("button", name="Delete all").click()
    assert kept(visit) == []
    assert "marfa.texts" not in stored(visit)
    expect(visit.page.get_by_role("button", name="Delete all")).to_be_hidden()


def test_whoever_wants_none_kept_has_none_kept(visit: Visit) -> None:
    visit.ask("one", judgement())
    kept(visit)
    visit.page.get_by_label("Keep my texts").uncheck()
    assert kept(visit) == []
    visit.page.keyboard.press("Escape")
    visit.ask("two", judgement())
    visit.open()
    visit.ask("three", judgement())
    assert kept(visit) == []
    assert "marfa.texts" not in stored(visit)
    visit.page.get_by_label("Keep my texts").check()
    visit.page.keyboard.press("Escape")
    visit.ask("four", judgement())
    assert kept(visit) == ["four"]


def test_what_was_deleted_in_another_tab_does_not_come_back(visit: Visit) -> None:
    visit.ask("my secret", judgement())
    other = Visit(visit.page.context.new_page(), visit.server).open()
    kept(other)
    other.page.get_by_role("button", name="Delete all").click()
    visit.ask("another text", judgement())
    assert kept(visit) == ["another text"]
    assert "secret" not in stored(visit)
    assert other.noted == []


@pytest.mark.parametrize("left", ["{", "null", "7", '{"a": 1}', '["good", 7, null]'])
def test_what_somebody_else_has_written_there_does_no_harm(visit: Visit, left: str) -> None:
    visit.evaluate("(left) => localStorage.setItem('marfa.texts /prod/', left)", left)
    visit.open()
    visit.ask("mine", judgement())
    assert kept(visit)[0] == "mine"


def test_where_there_is_no_room_the_page_works(visit: Visit) -> None:
    visit.evaluate("""() => { Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    }; }""")
    visit.ask("mine", judgement())
    assert kept(visit) == ["mine"]
    assert "does not let the page keep anything" in visit.text("#kept")


def test_beginnings_are_kept_too_and_what_was_written_is_not(desk: Desk) -> None:
    desk.writer.written = "secret " * 9
    desk.write("To the sea", 40)
    desk.await_state("done")
    assert kept(desk) == ["To the sea"]
    assert "secret" not in stored(desk)
    desk.page.click(".past")
    assert desk.page.input_value("#prompt") == "To the sea"
