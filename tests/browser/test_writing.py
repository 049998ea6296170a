"""What a person sees of a text that is being written, and does with it."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import expect
from tests.browser.desk import Desk
from tests.browser.fake_server import Reply
from tests.browser.fake_writer import WRITER, Fault

ATTACK = "<img src=x onerror='window.hit = 1'><script>window.hit = 1</script>"


def test_a_text_appears_piece_by_piece_after_its_beginning(desk: Desk) -> None:
    desk.hold()
    desk.write("To the sea", 20)
    desk.await_state("waiting")
    desk.allow(3)
    desk.await_paper(desk.whole()[:13])
    desk.await_state("writing")
    desk.allow(2)
    desk.await_paper(desk.whole()[:15])
    desk.allow(5)
    desk.await_state("done")
    assert desk.paper() == desk.whole()
    assert desk.text("#status") == "Done, 20 characters."
    assert desk.page.locator("#paper b").text_content() == "To the sea"


def test_the_beginning_differs_in_weight_and_not_in_colour_alone(desk: Desk) -> None:
    desk.write()
    desk.await_state("done")
    weight = "(element) => Number(getComputedStyle(element).fontWeight)"
    given, made = (desk.page.locator(f"#paper {tag}").evaluate(weight) for tag in ("b", "span"))
    assert given >= made + 300


def test_white_space_is_kept_and_characters_of_any_size_arrive(desk: Desk) -> None:
    desk.writer.written = "a  b\n\n\tc 🎬é\u0301\u200b" * 3
    desk.write("  x\n", 40)
    desk.await_state("done")
    assert desk.paper() == desk.whole()
    style = desk.page.locator("#paper").evaluate("(e) => getComputedStyle(e).whiteSpaceCollapse")
    assert style == "preserve"


def test_an_empty_beginning_is_allowed(desk: Desk) -> None:
    desk.write("", 12)
    desk.await_state("done")
    assert desk.paper() == desk.whole()


def test_the_prompt_is_shown_as_the_model_reads_it(desk: Desk) -> None:
    desk.writer.lowers = True
    desk.writer.changes = {"unknown": 1}
    desk.write("TO THE SEA", 20)
    desk.await_state("done")
    assert desk.paper().startswith("to the sea")
    assert desk.text("#note") == "1 character of your prompt is not known to the model."
    desk.writer.changes = {"unknown": 1200}
    desk.page.click("#send")
    expect(desk.page.locator("#note")).to_contain_text("1,200 characters of your prompt are not")


def test_a_stopped_text_stays_and_can_be_gone_on_with(desk: Desk) -> None:
    for how in ("button", "Escape"):
        desk.hold(4)
        desk.write("To the sea", 30)
        desk.await_paper(desk.whole()[:14])
        desk.page.click("#stop") if how == "button" else desk.page.keyboard.press("Escape")
        desk.await_state("stopped")
        assert desk.text("#status") == "Stopped after 14 of 30 characters."
        desk.writer.allowed = None
        expected = desk.whole()
        desk.page.click("#remedy")
        desk.await_state("done")
        assert desk.paper() == expected
        again = desk.writer.asked[-1]
        assert (again["seed"], again["continuation"]) == (101, "e.65")
        desk.writer.asked.clear()


def test_stopping_before_anything_came_leaves_nothing(desk: Desk) -> None:
    until = threading.Event()
    desk.write("To the sea", 30, Fault(reply=Reply(b"", until=until)))
    desk.await_state("waiting")
    desk.page.keyboard.press("Escape")
    desk.await_state("empty")
    assert "Nothing was written" in desk.text("#status")
    expect(desk.page.locator("#send")).to_be_focused()
    until.set()


def test_a_new_text_replaces_the_one_under_way(desk: Desk) -> None:
    desk.hold(4)
    desk.write("first ", 30)
    desk.await_state("writing")
    desk.writer.allowed = None
    desk.write("second ", 30)
    desk.await_state("done")
    assert desk.paper() == desk.writer.text("second ", 30, 102)


def test_a_text_that_comes_whole_tells_no_speed(desk: Desk) -> None:
    desk.writer.whole = True
    desk.write()
    desk.await_state("done")
    assert desk.text("#facts") == ("seed 101 · model 25873edf6f55 · written by the server")


def test_the_seed_that_was_used_gives_the_same_again(desk: Desk) -> None:
    desk.write()
    desk.await_state("done")
    before = desk.paper()
    assert desk.text("#facts").startswith("seed 101 · ")
    assert "characters a second · model 25873edf6f55" in desk.text("#facts")
    desk.page.click("#keep")
    assert desk.page.input_value("#seed") == "101"
    expect(desk.page.locator("#seed")).to_be_visible()
    desk.page.click("#send")
    desk.page.wait_for_timeout(100)
    desk.await_state("done")
    assert desk.writer.asked[1]["seed"] == 101
    assert desk.paper() == before


def test_the_text_can_be_copied_and_is_selected_where_the_browser_refuses(desk: Desk) -> None:
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.writer.written = "word by word " * 9
    desk.write("Copy: ", 60)
    desk.await_state("done")
    desk.page.click("#copy")
    desk.await_message("Copied 60 characters.")
    assert desk.evaluate("() => navigator.clipboard.readText()") == desk.paper()
    desk.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    desk.page.click("#copy")
    desk.await_message("The text is selected")
    assert desk.evaluate("() => getSelection().toString()") == desk.paper()


def test_nothing_that_anyone_writes_becomes_markup(desk: Desk) -> None:
    desk.server.others["v1/model"] = Reply(WRITER | {"name": ATTACK, "model": ATTACK})
    desk.open()
    desk.writer.written = ATTACK
    desk.writer.changes = {"model": ATTACK}
    desk.write(ATTACK, 2 * len(ATTACK))
    desk.await_state("done")
    assert desk.paper() == ATTACK * 2
    broken = {"title": ATTACK, "detail": ATTACK, "status": 500}
    desk.write(ATTACK, 200, Fault(2, "problem", broken))
    desk.await_state("error")
    assert ATTACK in desk.text("#error")
    assert desk.page.locator("main :is(img, script)").count() == 0
    assert desk.evaluate("() => window.hit") is None
