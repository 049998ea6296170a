"""The page in English, French and Arabic: everything is said, and in the language that is wanted."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Browser, Page, expect
from tests.browser.desk import Desk
from tests.browser.fake_server import WEB, FakeServer, Reply, explained, judgement, problem
from tests.browser.fake_writer import GONE, Fault
from tests.browser.test_writing_appearance import STATES as WRITING
from tests.browser.test_writing_appearance import show as show_writing
from tests.browser.visit import Visit

TEXT = "42 zorblax 17"
OTHERS = {name: json.loads((WEB / f"{name}.json").read_text("utf-8")) for name in ("fr", "ar")}
# Words that are the same in every language: names, keys, ids, and what the person or server has said.
_SHARED = "|".join(
    [
        *("marfa", "Ctrl", "Enter", "English", "Français", "Top [kp]", "zorblax", "sentiment"),
        *("shakespeare", "[0-9a-f]{8,12}", "5-gram", "int8", "To the sea", "My lord,"),
        "At night the harbour",
    ]
)
_LATIN = re.compile(r"[A-Za-z]{2,}")


def english() -> dict[str, str]:
    """Return what the page says in English, by its key: in the code, and in the pages themselves."""
    found: dict[str, str] = {}
    for name in ("words.js", "page.js", "write.js"):
        source = (WEB / name).read_text("utf-8").partition("const ENGLISH = {\n")[2]
        found |= re.findall(
            r"^  (\w+): (.*?),$(?=\n  \w|\n\})", source.partition("\n};")[0] + "\n}", re.M | re.S
        )
    for name in ("index.html", "write.html"):
        source = (WEB / name).read_text("utf-8")
        found |= dict.fromkeys(re.findall(r'data-say(?:-\w+)?="(\w+)"', source), "")
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_says_all_that_is_said_in_english_and_nothing_else(language: str) -> None:
    own, other = english(), OTHERS[language]
    assert len(own) > 120
    assert own.keys() == other.keys()
    for key, text in own.items():
        translated = other[key] if isinstance(other[key], dict) else {"other": other[key]}
        names = set(re.findall(r"\{(\w+)\}", text))
        assert names == set(re.findall(r"\{(\w+)\}", translated["other"])), key
        for form in translated.values():
            assert set(re.findall(r"\{(\w+)\}", form)) <= names | {"n"}, key
            assert form.strip(), key


@pytest.mark.parametrize(
    ("locale", "language"),
    [("en-GB", "en"), ("fr-LB", "fr"), ("ar-LB", "ar"), ("de-DE", "en"), ("ar", "ar")],
)
def test_the_first_visit_is_in_the_browsers_language(
    browser: Browser, server: FakeServer, locale: str, language: str
) -> None:
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator("html")).to_have_attribute("lang", language)
    direction = page.evaluate("() => getComputedStyle(document.documentElement).direction")
    assert direction == ("rtl" if language == "ar" else "ltr")
    expect(page.locator("#language")).to_have_value(language)
    if language != "en":
        expect(page.locator("h1")).to_have_text(OTHERS[language]["title"])
    context.close()


def test_a_choice_is_remembered_and_taken_back(visit: Visit) -> None:
    visit.page.select_option("#language", "ar")
    expect(visit.page.locator("h1")).to_have_text(OTHERS["ar"]["title"])
    visit.open()
    expect(visit.page.locator("h1")).to_have_text(OTHERS["ar"]["title"])
    visit.page.select_option("#language", "en")
    expect(visit.page.locator("h1")).to_have_text("Where does this text land?")
    expect(visit.page.locator("html")).to_have_attribute("dir", "ltr")
    expect(visit.page.locator("#about")).to_contain_text("Right on 89.7% of 12,500 test texts")


def test_a_language_that_cannot_be_had_leaves_the_page_as_it_is(visit: Visit) -> None:
    for reply in (Reply(b"", 500), Reply(b"<html>"), Reply(hang_up=True)):
        visit.server.others["fr.json"] = reply
        visit.page.select_option("#language", "fr")
        expect(visit.page.locator("#language")).to_have_value("en")
        assert visit.text("h1") == "Where does this text land?"
    visit.ask("a film", judgement())


def test_of_two_languages_the_last_one_chosen_is_spoken(visit: Visit) -> None:
    late = threading.Event()
    visit.server.others["fr.json"] = Reply(OTHERS["fr"], until=late)
    for last, title in (("en", "Where does this text land?"), ("ar", OTHERS["ar"]["title"])):
        visit.page.select_option("#language", "fr")
        visit.page.select_option("#language", last)
        late.set()
        visit.page.wait_for_timeout(500)
        expect(visit.page.locator("h1")).to_have_text(title)
        expect(visit.page.locator("#language")).to_have_value(last)
        late.clear()


def seen(visit: Visit, *also: str) -> str:
    """Return all that can be seen, or is read out for what is seen, without what others have said."""
    shown: str = visit.evaluate("""() => {
      const names = [...document.querySelectorAll("[aria-label], [placeholder], [aria-valuetext]")]
        .filter((e) => e.checkVisibility())
        .flatMap((e) => [e.ariaLabel, e.placeholder, e.ariaValueText].filter(Boolean));
      return [document.body.innerText, ...names].join(" | ");
    }""")
    return re.sub("|".join([_SHARED, *map(re.escape, also)]), "", shown)


def assert_arabic(visit: Visit, *also: str) -> None:
    assert _LATIN.findall(seen(visit, *also)) == []


def turn(visit: Visit, language: str) -> None:
    visit.page.select_option("#language", language)
    expect(visit.page.locator("html")).to_have_attribute("lang", language)


def test_nothing_of_the_page_that_judges_is_left_in_english(visit: Visit) -> None:
    turn(visit, "ar")
    assert_arabic(visit)
    until = threading.Event()
    visit.send(TEXT, Reply(judgement().body, until=until))
    visit.await_state("waiting")
    assert_arabic(visit)
    until.set()
    visit.await_state("answer")
    words = {"known": 1, "total": 3, "unknown": ["zorblax"]}
    for label in ("positive", "negative"):
        for score in (0.5001, 0.7, 0.9, 0.99, 1.0):
            visit.ask(TEXT, judgement(label, score, known_words=words))
            assert_arabic(visit)
    assert visit.text("#answer h2") == "سلبي"
    visit.server.replies = [explained(TEXT, {"zorblax": -0.2, "17": 0.1}, "negative")]
    visit.page.click("#why")
    visit.page.locator(".for").first.wait_for()
    assert_arabic(visit)
    for kind in ("empty", "unknown_words", "script", "short"):
        reply = judgement(None, None, reason="in English", refused=kind, known_words=words)
        visit.ask(TEXT, reply, "declined")
        assert_arabic(visit)
        assert visit.text("#answer p") == OTHERS["ar"][kind]
    failures = [Reply(b"", status) for status in (400, 413, 422, 429, 500)]
    failures += [Reply(b"?"), Reply(hang_up=True), problem(503, "", "", **{"Retry-After": "3"})]
    for reply in failures:
        visit.ask(TEXT, reply, "error")
        assert_arabic(visit)
    visit.ask(TEXT, problem(400, "Bad request", "no such thing"), "error")
    assert_arabic(visit, "Bad request: no such thing")
    visit.page.fill("#text", " ")
    visit.page.click("#send")
    assert_arabic(visit)
    for drawer in ("card", "texts"):
        visit.page.click(f"[popovertarget={drawer}] >> nth=0")
        expect(visit.page.locator(f"#{drawer}")).to_be_visible()
        assert_arabic(visit)
        visit.page.keyboard.press("Escape")


def test_nothing_of_the_page_that_writes_is_left_in_english(desk: Desk) -> None:
    desk.writer.written = "0 1 2 3 4 5 6 7 8 9\n" * 20
    for state in WRITING:
        show_writing(desk, state, "12 ")
        turn(desk, "ar")
        desk.await_state(state)
        assert_arabic(desk, "Internal error: the text could not be made")
    desk.open()
    desk.page.click("summary")
    for field, value in {"top_k": "-1", "top_p": "3", "seed": "-1", "length": "0"}.items():
        desk.page.fill(f"#{field}", value)
        desk.page.click("#send")
        expect(desk.page.locator("#wrong")).not_to_be_empty()
        assert_arabic(desk)
    for field, value in {"top_k": "0", "top_p": "1", "seed": ""}.items():
        desk.page.fill(f"#{field}", value)
    desk.write("12 ", 40, Fault(4, "cut"), GONE)
    expect(desk.page.locator("#status")).to_contain_text("نتابع بعد")
    assert_arabic(desk)
    desk.await_state("done")
    for value in ("0", "0.3", "1.2", "2"):
        desk.page.fill("#temperature", value)
        assert_arabic(desk)
    desk.page.click("#keep")
    assert_arabic(desk)


STATES: dict[str, Any] = {
    "answer": (judgement("positive", 0.97), "answer"),
    "declined": (judgement(None, None, reason="x", refused="script"), "declined"),
    "error": (Reply(b"", 500), "error"),
}


@pytest.mark.parametrize("name", STATES)
def test_what_is_shown_changes_its_language_and_nothing_else(visit: Visit, name: str) -> None:
    reply, state = STATES[name]
    visit.ask(TEXT, reply, state)
    before = visit.text("#result")
    turn(visit, "fr")
    assert visit.page.get_attribute("#result", "data-state") == state
    french = visit.text("#result")
    assert french != before
    turn(visit, "en")
    assert visit.text("#result") == before
    assert visit.server.asked == [TEXT]


def test_numbers_are_written_as_the_language_writes_them(visit: Visit) -> None:
    turn(visit, "fr")
    visit.ask(TEXT, judgement("positive", 0.983))
    assert plain(visit.text("#answer p")) == "Le modèle est très sûr : 98,3 %."
    assert "89,7 % de 12 500 textes" in plain(visit.text("#about"))


def plain(text: str) -> str:
    """Return a text with every space as the ordinary one."""
    return re.sub(r"[\u00a0\u202f]", " ", text)


def test_what_is_in_english_alone_is_said_to_be(visit: Visit) -> None:
    link = visit.page.locator("a[href=docs]")
    expect(link).to_have_attribute("hreflang", "en")
    turn(visit, "fr")
    expect(link).to_contain_text("(en anglais)")


def test_labels_of_ones_own_are_left_as_they_are(visit: Visit) -> None:
    turn(visit, "ar")
    shares = {"sport": 0.7, "negative": 0.2, "Positive": 0.1}
    visit.ask(TEXT, judgement("sport", 0.7, probabilities=shares))
    assert visit.page.locator(".bars bdi").all_text_contents() == ["sport", "سلبي", "Positive"]


def test_where_the_browser_keeps_nothing_a_choice_holds_for_the_visit(
    page: Page, server: FakeServer
) -> None:
    page.add_init_script("""Object.defineProperty(window, "localStorage", {
      get() { throw new DOMException("no", "SecurityError"); },
    });""")
    visit = Visit(page, server).open()
    turn(visit, "fr")
    visit.ask("a film", judgement())
    assert visit.text("#answer h2").lower() == "positif"
    visit.page.click("[popovertarget=texts] >> nth=0")
    expect(visit.page.locator("#kept")).to_have_text(OTHERS["fr"]["unkeepable"])
    assert visit.page.locator(".past").all_text_contents() == ["a film"]
    assert visit.noted == []
