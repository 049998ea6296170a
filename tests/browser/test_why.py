"""Why a label: the words that weigh most, marked in the text and listed, by more than colour."""

from __future__ import annotations

import threading
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import expect
from tests.browser.fake_server import Reply, explained, judgement, problem
from tests.browser.visit import Visit

TEXT = "🎬 A gorgeous film, with a heart; but dull, dull dialogue and a whole hour of it."
WEIGHTS = {"gorgeous": 0.22, "heart": 0.06, "dull": -0.15, "hour": -0.03, "film": 0.01, "it": 0.002}
ATTACK = "<img src=x onerror='window.hit = 1'>"


def ask_why(visit: Visit, reply: Reply, text: str = TEXT) -> None:
    visit.ask(text, judgement("positive", 0.9))
    visit.server.replies = [reply]
    visit.page.click("#why")


def changed(**changes: Any) -> Reply:
    """Return an explanation with something wrong in its second word."""
    reply = explained(TEXT, WEIGHTS)
    reply.body["explanation"]["words"][1] |= changes
    return reply


def test_the_words_that_weigh_are_marked_where_they_stand(visit: Visit) -> None:
    ask_why(visit, explained(TEXT, WEIGHTS))
    visit.page.locator(".for").first.wait_for()
    quote = visit.page.locator("blockquote")
    assert quote.text_content() == TEXT
    assert quote.locator(".for").all_text_contents() == ["gorgeous", "film", "heart"]
    assert quote.locator(".against").all_text_contents() == ["dull", "dull", "hour"]
    assert quote.locator(".of3").all_text_contents() == ["gorgeous", "dull", "dull"]
    assert visit.server.whys == [False, True]
    assert visit.server.asked == [TEXT, TEXT]


def test_for_and_against_differ_in_line_and_sign_and_more_in_weight(visit: Visit) -> None:
    ask_why(visit, explained(TEXT, WEIGHTS))
    quote = visit.page.locator("blockquote")

    def style(selector: str, name: str, part: str = "") -> str:
        script = "(e, [name, part]) => getComputedStyle(e, part || null)[name]"
        found: str = quote.locator(selector).first.evaluate(script, [name, part])
        return found

    assert style(".for", "textDecorationStyle") == "solid"
    assert style(".against", "textDecorationStyle") == "wavy"
    assert "+" in style(".for.of3", "content", "::after")
    assert "−" in style(".against.of3", "content", "::after")
    assert float(style(".of3", "textDecorationThickness")[:-2]) > 2 * float(
        style(".of1", "textDecorationThickness")[:-2]
    )
    assert int(style(".of3", "fontWeight")) >= int(style(".of1", "fontWeight")) + 300


def test_a_legend_says_what_the_marks_mean_and_lists_the_strongest_words(visit: Visit) -> None:
    ask_why(visit, explained(TEXT, WEIGHTS))
    legend = visit.page.locator("figcaption p")
    expect(legend.nth(0)).to_contain_text(
        "straight line speaks for positive, most of all: gorgeous +22.0%, heart +6.0%, film +1.0%"
    )
    expect(legend.nth(1)).to_contain_text(
        "wavy line speaks against positive, most of all: dull -15.0%, dull -15.0%, hour -3.0%"
    )
    assert "taken out" in legend.nth(2).inner_text()
    expect(visit.page.locator("#details h3")).to_be_focused()
    expect(visit.page.locator("#details h3")).to_have_text("Why positive?")
    stops = visit.page.locator("#details :is(a, button, [tabindex='0'])")
    assert stops.count() == 0


def test_where_no_word_weighs_none_is_marked_and_that_is_said(visit: Visit) -> None:
    ask_why(visit, explained(TEXT, {}))
    expect(visit.page.locator("figcaption p").first).to_contain_text("most of all: no word")
    assert visit.page.locator("blockquote span").count() == 0


def test_of_a_long_text_all_words_are_marked_and_few_are_listed(visit: Visit) -> None:
    text = " ".join(f"word{number}" for number in range(500))
    weights = {f"word{number}": (number - 250) / 1000 for number in range(500)}
    ask_why(visit, explained(text, weights), text)
    visit.page.locator(".for").first.wait_for()
    assert visit.page.locator("blockquote span").count() > 400
    assert visit.page.locator("figcaption bdi").count() == 12


@pytest.mark.parametrize(
    "reply",
    [
        judgement("positive", 0.9),
        judgement("positive", 0.9, explanation=None),
        judgement("positive", 0.9, explanation=[]),
        judgement("positive", 0.9, explanation={"label": "positive"}),
        judgement("positive", 0.9, explanation={"label": "positive", "words": [7]}),
        judgement("positive", 0.9, explanation={"label": "negative", "words": []}),
        changed(text="another"),
        changed(start=3),
        changed(end=400),
        changed(start=-1),
        changed(start=0.5),
        changed(weight=None),
        changed(weight="0.1"),
        changed(weight=1.5),
        Reply(b"", 500),
        Reply(b"<html>"),
        Reply(hang_up=True),
        problem(400, "Bad request", "explain is not known"),
    ],
)
def test_an_explanation_that_fails_leaves_the_answer_and_says_so(
    visit: Visit, reply: Reply
) -> None:
    ask_why(visit, reply)
    expect(visit.page.locator("#why-failed")).not_to_be_empty()
    visit.await_state("answer")
    assert visit.text("#answer h2").lower() == "positive"
    assert visit.page.locator("blockquote span").count() == 0
    expect(visit.page.locator("#why")).to_be_focused()
    visit.server.replies = [explained(TEXT, WEIGHTS)]
    visit.page.click("#why")
    visit.page.locator(".for").first.wait_for()


def test_it_can_be_given_up_and_a_new_text_drops_it(visit: Visit) -> None:
    go_on = threading.Event()
    ask_why(visit, Reply(explained(TEXT, WEIGHTS).body, until=go_on))
    expect(visit.page.locator("#status")).to_contain_text("Looking for the words")
    assert visit.text("#answer h2").lower() == "positive"
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#why")).to_have_text("Why positive?")
    visit.page.click("#why")
    visit.send("another", judgement("negative", 0.8))
    go_on.set()
    expect(visit.page.locator("#answer h2")).to_have_text("negative")
    visit.page.wait_for_timeout(200)
    assert visit.text("blockquote") == "another"


def test_it_can_be_given_up_by_touch_and_waits_in_another_language_too(visit: Visit) -> None:
    go_on = threading.Event()
    ask_why(visit, Reply(explained(TEXT, WEIGHTS).body, until=go_on))
    visit.page.select_option("#language", "fr")
    expect(visit.page.locator("html")).to_have_attribute("lang", "fr")
    why = visit.page.locator("#why")
    expect(why).to_have_attribute("aria-disabled", "true")
    expect(why).to_have_text(visit.text("#status"))
    visit.page.click("#cancel")
    expect(why).to_have_text("Pourquoi positif ?")
    expect(why).to_be_enabled()
    expect(visit.page.locator("#cancel")).to_be_hidden()
    go_on.set()
    visit.server.replies = [explained(TEXT, WEIGHTS)]
    why.click()
    visit.page.locator(".for").first.wait_for()


def test_a_text_that_is_not_judged_is_not_asked_about(visit: Visit) -> None:
    visit.ask(TEXT, judgement(None, None, reason="too short", refused="short"), "declined")
    assert visit.page.locator("#why").count() == 0


def test_a_word_that_looks_like_markup_stays_a_word(visit: Visit) -> None:
    reply = explained(ATTACK, {"img": 0.3, "onerror": -0.3}, "positive")
    ask_why(visit, reply, ATTACK)
    visit.page.locator(".for").first.wait_for()
    assert visit.page.locator("blockquote").text_content() == ATTACK
    assert visit.page.locator("main img").count() == 0


def test_on_paper_there_are_the_text_its_marks_and_the_model(visit: Visit) -> None:
    ask_why(visit, explained(TEXT, WEIGHTS))
    visit.page.locator(".for").first.wait_for()
    visit.page.emulate_media(media="print")
    for selector in ("#answer h2", "blockquote", "figcaption", "#credit", "#about"):
        expect(visit.page.locator(selector)).to_be_visible()
    for selector in ("#form", "nav", "footer a"):
        expect(visit.page.locator(selector).first).to_be_hidden()
