"""The page on phones, in the dark, from right to left, by keyboard, by ear, and on paper."""

from __future__ import annotations

import threading
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import expect
from tests.browser.fake_server import WEB, Reply, judgement, problem
from tests.browser.visit import Visit

ARABIC = "فيلم رائع من البداية إلى النهاية"
LONG = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 8
WORDS = {"known": 1, "total": 3, "unknown": ["zorblax", LONG.lower()]}
STATES = {
    "empty": None,
    "answer": judgement("positive", 0.7, known_words=WORDS),
    "negative": judgement("negative", 0.7, known_words=WORDS),
    "many": judgement(LONG, 0.6, probabilities={LONG: 0.6, "b": 0.3, "c": 0.1}, known_words=WORDS),
    "declined": judgement(None, None, reason=LONG, known_words=WORDS),
    "error": problem(422, "Empty text", LONG),
}
# For each visible piece of text: the ratio of WCAG 2 between it and the nearest painted background.
CONTRAST = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const [r, g, b, a = 1] = channels(getComputedStyle(each).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return null;
  };
  const ratio = (front, back) => {
    const [high, low] = [luminance(front), luminance(back)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    found.push([walker.currentNode.data.slice(0, 40),
      ratio(channels(getComputedStyle(element).color), behind(element)), 4.5]);
  }
  const input = document.getElementById("text");
  if (input) {
    const hint = channels(getComputedStyle(input, "::placeholder").color);
    found.push(["placeholder", ratio(hint, behind(input)), 4.5]);
  }
  for (const mark of document.querySelectorAll(".fill, .mark:not(.none)")) {
    const colour = channels(getComputedStyle(mark).backgroundColor);
    found.push([mark.className, ratio(colour, behind(mark.parentElement)), 3]);
  }
  return found;
}"""


def show(visit: Visit, name: str, text: str = "a zorblax " + LONG) -> None:
    """Bring the page into one of STATES."""
    reply = STATES[name]
    if reply is not None:
        state = name if name in {"answer", "declined", "error"} else "answer"
        visit.ask(text, reply, state)


def box(visit: Visit, selector: str) -> dict[str, float]:
    """Return the edges of the first element that the selector finds, in pixels."""
    script = "(element) => element.getBoundingClientRect().toJSON()"
    edges: dict[str, float] = visit.page.locator(selector).first.evaluate(script)
    return edges


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_background(visit: Visit, scheme: Any) -> None:
    visit.page.emulate_media(color_scheme=scheme)
    expect(visit.page.locator("#about")).to_contain_text("Right on")
    for name in STATES:
        show(visit, name)
        found = visit.evaluate(CONTRAST)
        assert len(found) > 12
        assert not [(scheme, name, *each) for each in found if each[1] < each[2]]
    visit.send("a film", Reply(judgement().body, until=(go_on := threading.Event())))
    visit.await_state("waiting")
    assert not [each for each in visit.evaluate(CONTRAST) if each[1] < each[2]]
    go_on.set()


def test_dark_is_dark_and_light_is_light(visit: Visit) -> None:
    paper = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    visit.page.emulate_media(color_scheme="dark")
    assert max(visit.evaluate(paper)) < 60
    visit.page.emulate_media(color_scheme="light")
    assert min(visit.evaluate(paper)) > 220


def test_a_phone_shows_every_state_without_scrolling_sideways(visit: Visit) -> None:
    for name in STATES:
        show(visit, name)
        for width in (320, 360):
            visit.page.set_viewport_size({"width": width, "height": 640})
            outside = visit.evaluate("""() => [...document.querySelectorAll("body *")]
              .filter((e) => e.checkVisibility())
              .filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5)
              .map((e) => e.outerHTML.slice(0, 80))""")
            assert outside == [], (name, width)
            assert visit.evaluate("() => document.documentElement.scrollWidth") == width


def test_on_a_phone_everything_to_touch_is_44_pixels_or_more(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 640})
    for name in ("empty", "error"):
        show(visit, name)
        small = visit.evaluate("""() => [...document.querySelectorAll("a, button, select, textarea")]
          .filter((e) => e.checkVisibility()).map((e) => [e.textContent, e.getBoundingClientRect()])
          .filter(([, box]) => box.width < 44 || box.height < 44).map(([text]) => text)""")
        assert small == []


def test_on_a_phone_the_answer_comes_into_view(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 500})
    visit.page.fill("#text", "a film")
    visit.evaluate("() => scrollTo(0, 0)")
    expect(visit.page.locator("#status")).not_to_be_in_viewport()
    visit.page.keyboard.press("Control+Enter")
    visit.await_state("answer")
    expect(visit.page.locator("#answer h2")).to_be_in_viewport()


def test_a_text_has_its_own_direction_and_the_page_that_of_its_language(visit: Visit) -> None:
    direction = "(element) => getComputedStyle(element).direction"
    visit.page.fill("#text", ARABIC)
    assert visit.page.locator("#text").evaluate(direction) == "rtl"
    show(visit, "answer", ARABIC)
    assert visit.page.locator("blockquote").evaluate(direction) == "rtl"
    assert visit.page.locator("#answer h2").evaluate(direction) == "ltr"
    visit.page.select_option("#language", "ar")
    expect(visit.page.locator("html")).to_have_attribute("dir", "rtl")
    show(visit, "answer", "a film")
    assert visit.page.locator("blockquote").evaluate(direction) == "ltr"
    mark, name = box(visit, "#answer .mark"), box(visit, "#answer h2 bdi")
    track, fill = box(visit, ".track"), box(visit, ".fill")
    assert mark["left"] > name["right"]
    assert fill["right"] == pytest.approx(track["right"], abs=2)
    assert fill["left"] > track["left"] + 20


@pytest.mark.parametrize("keys", ["Control+Enter", "Meta+Enter"])
def test_the_keyboard_is_enough(visit: Visit, keys: str) -> None:
    order = []
    for _ in range(9):
        visit.page.keyboard.press("Tab")
        order.append(
            visit.evaluate("() => document.activeElement.id || document.activeElement.innerText")
        )
        outline = visit.evaluate("() => getComputedStyle(document.activeElement).outline")
        assert "solid 3px" in outline or "3px" in outline
        if order[-1] == "text":
            visit.page.keyboard.type("typed")
    assert [order[0].split()[0], *order[1:]] == [
        "marfa", "The model", "History", "language", "text", "send", "Praise", "Complaint", "بالعربية",
    ]  # fmt: skip
    visit.page.focus("#text")
    visit.page.keyboard.press(keys)
    visit.await_state("answer")
    assert visit.server.asked == ["typed"]
    assert visit.evaluate("() => document.activeElement.id") == "text"
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_function("() => document.querySelectorAll('blockquote').length === 1")
    visit.await_state("answer")
    assert visit.server.asked == ["typed", "typed"]


def test_enter_alone_makes_a_new_line(visit: Visit) -> None:
    visit.page.focus("#text")
    visit.page.keyboard.press("Enter")
    assert visit.page.input_value("#text") == "\n"
    assert visit.server.asked == []


def test_a_screen_reader_hears_every_state(visit: Visit) -> None:
    page = visit.page
    assert page.get_by_label("Your text").evaluate("(e) => e.tagName") == "TEXTAREA"
    visit.evaluate("() => { window.regions = [...document.querySelectorAll('#result > *')]; }")
    expect(page.get_by_role("status")).to_have_text("The answer comes in here.")
    show(visit, "answer", "a film")
    expect(page.locator("[aria-live=polite]")).to_contain_text("positive")
    expect(page.locator("#answer").get_by_role("heading", level=2)).to_have_text("positive")
    show(visit, "error", "a film")
    expect(page.get_by_role("alert")).to_contain_text("No answer for this text")
    # A region that is replaced, or hidden until it is filled, is not read aloud everywhere.
    assert visit.evaluate("() => window.regions.every((e) => e.isConnected)")
    assert page.locator("#answer, #error").evaluate_all(
        "(all) => all.every((e) => getComputedStyle(e).display !== 'none')"
    )


def test_motion_stops_for_who_asks_for_it(visit: Visit) -> None:
    go_on = threading.Event()
    visit.send("a film", Reply(judgement().body, until=go_on))
    visit.await_state("waiting")
    moving = "() => getComputedStyle(document.getElementById('status'), '::after').animationName"
    assert visit.evaluate(moving) == "swell"
    visit.page.emulate_media(reduced_motion="reduce")
    assert visit.evaluate(moving) == "none"
    go_on.set()


def test_paper_gets_the_answer_and_not_the_form(visit: Visit) -> None:
    show(visit, "answer", "a film")
    visit.page.emulate_media(media="print")
    expect(visit.page.locator("#form")).to_be_hidden()
    expect(visit.page.locator("#answer h2")).to_be_visible()
    expect(visit.page.locator("blockquote")).to_be_visible()


def test_no_file_of_the_page_holds_what_the_policy_forbids() -> None:
    for file in WEB.iterdir():
        source = file.read_text(encoding="utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            " style=",
            " onclick",
            "//cdn",
        ):
            assert word not in source, (file.name, word)
        if file.suffix != ".svg":
            assert "http://" not in source, file.name
            assert "https://" not in source, file.name
