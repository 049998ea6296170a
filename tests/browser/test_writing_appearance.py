"""A text being written on phones, in the dark, from right to left, by keyboard, by ear, on paper."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import expect
from tests.browser.desk import Desk
from tests.browser.fake_server import problem
from tests.browser.fake_writer import Fault
from tests.browser.test_appearance import CONTRAST

ARABIC = "عند الميناء "
BROKEN = problem(500, "Internal error", "the text could not be made").body
STATES = ("empty", "waiting", "writing", "stopped", "done", "error")


def show(desk: Desk, state: str, prompt: str = "My lord, ") -> None:
    """Bring the page into a state, from whatever it was."""
    desk.hold(5 if state in {"writing", "stopped"} else 0)
    if state in {"done", "error"}:
        desk.writer.allowed = None
    desk.writer.changes = {"unknown": 3}
    if state == "empty":
        desk.open()
    else:
        desk.write(prompt, 300, *([Fault(60, "problem", BROKEN)] if state == "error" else []))
    if state == "stopped":
        desk.await_state("writing")
        desk.page.click("#stop")
    desk.await_state(state)


def test_text_from_right_to_left_is_laid_out_so(desk: Desk) -> None:
    desk.hold(5)
    desk.write(ARABIC, 40)
    desk.await_state("writing")
    for selector in ("#prompt", "#paper", "#course"):
        direction = "(element) => getComputedStyle(element).direction"
        assert desk.page.locator(selector).evaluate(direction) == "rtl", selector
    desk.writer.allowed = None
    desk.write("left to right", 40)
    desk.await_state("done")
    assert desk.page.locator("#paper").evaluate("(e) => getComputedStyle(e).direction") == "ltr"


def test_a_screen_reader_hears_states_and_not_characters(desk: Desk) -> None:
    assert desk.page.get_by_label("Your beginning").evaluate("(e) => e.id") == "prompt"
    for label, name in {"Length": "length", "Temperature": "temperature", "Seed": "seed"}.items():
        assert desk.page.get_by_label(label).evaluate("(e) => e.id") == name
    desk.evaluate("""() => {
      window.heard = [];
      const live = [...document.querySelectorAll("[role=status], [role=alert], [aria-live]")];
      const note = () => window.heard.push(live.map((e) => e.textContent).join("|"));
      for (const each of live) new MutationObserver(note).observe(each, { childList: true });
      window.inside = document.getElementById("paper").closest("[role=status], [aria-live]");
    }""")
    desk.write("To the sea", 1000)
    desk.await_state("done")
    heard = desk.evaluate("() => window.heard.map((each) => each.replaceAll('|', ''))")
    assert list(dict.fromkeys(filter(None, heard))) == [
        "Waiting for the first character…", "Writing…", "Done, 1,000 characters.",
    ]  # fmt: skip
    assert len(heard) < 20
    assert desk.evaluate("() => window.inside") is None


def test_the_keyboard_is_enough(desk: Desk) -> None:
    order = []
    for _ in range(11):
        desk.page.keyboard.press("Tab")
        order.append(
            desk.evaluate("() => document.activeElement.id || document.activeElement.innerText")
        )
        assert "3px" in desk.evaluate("() => getComputedStyle(document.activeElement).outline")
    assert [each.split("\n")[0] for each in order[1:]] == [
        "The model", "History", "language", "prompt", "length", "temperature", "More", "send",
        "To the sea", "My lord, …",
    ]  # fmt: skip
    for field in ("prompt", "length"):
        desk.hold(3)
        desk.page.focus(f"#{field}")
        desk.page.keyboard.press("Meta+Enter" if field == "prompt" else "Control+Enter")
        desk.await_state("writing")
    assert len(desk.writer.asked) == 2
    desk.page.focus("#stop")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#remedy")).to_be_focused()
    desk.writer.allowed = None
    desk.page.keyboard.press("Enter")
    desk.await_state("done")
    expect(desk.page.locator("#copy")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_can_be_read_in_both_schemes_on_a_phone(desk: Desk, scheme: Any) -> None:
    desk.page.emulate_media(color_scheme=scheme)
    desk.page.set_viewport_size({"width": 320, "height": 640})
    for state in STATES:
        show(desk, state)
        desk.page.locator("#more").evaluate("(more) => { more.open = true; }")
        assert not [(state, *each) for each in desk.evaluate(CONTRAST) if each[1] < each[2]]
        assert desk.evaluate("() => document.documentElement.scrollWidth") == 320, state
        small = desk.evaluate("""() => [...document.querySelectorAll(
          "a, button, input, select, summary")]
          .filter((e) => e.checkVisibility()).map((e) => [e.outerHTML, e.getBoundingClientRect()])
          .filter(([, box]) => box.width < 44 || box.height < 43.9).map(([html]) => html)""")
        assert small == []


def test_motion_stops_for_who_asks_for_it(desk: Desk) -> None:
    show(desk, "writing")
    pen = "() => getComputedStyle(document.querySelector('#paper span'), '::after').animationName"
    assert desk.evaluate(pen) == "pen"
    desk.page.emulate_media(reduced_motion="reduce")
    assert desk.evaluate(pen) == "none"


def test_paper_scrolls_along_unless_it_was_scrolled_back(desk: Desk) -> None:
    desk.writer.written = "line\n" * 400
    desk.hold(600)
    desk.write("", 1200)
    rest = """() => {
      const paper = document.getElementById("paper");
      return paper.scrollHeight - paper.scrollTop - paper.clientHeight;
    }"""
    desk.await_paper(desk.whole()[:600])
    assert desk.evaluate(rest) < 2
    desk.evaluate("() => { document.getElementById('paper').scrollTop = 0; }")
    desk.allow(600)
    desk.await_state("done")
    assert desk.evaluate("() => document.getElementById('paper').scrollTop") == 0


def test_print_gets_the_whole_text_and_not_the_form(desk: Desk) -> None:
    desk.writer.written = "line\n" * 400
    desk.write("", 1200)
    desk.await_state("done")
    desk.page.emulate_media(media="print")
    expect(desk.page.locator("#form")).to_be_hidden()
    expect(desk.page.locator("#keep")).to_be_hidden()
    assert desk.page.locator("#paper").evaluate("(e) => e.scrollHeight <= e.clientHeight + 1")
