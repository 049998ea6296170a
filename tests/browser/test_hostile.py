"""A thousand texts that would be programs, and a hundred kinds of error: all shown as what they are."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from tests.browser.desk import Desk
from tests.browser.fake_server import Reply, explained, judgement, problem
from tests.browser.fake_writer import Fault
from tests.browser.test_failures import GARBAGE, GOOD, STATUSES
from tests.browser.visit import Visit

HIT = "window.hit=1"
TAGS = (
    "script", "img", "svg", "iframe", "object", "embed", "video", "audio", "body", "input", "details",
    "math", "style", "link", "meta", "base", "form", "button", "marquee", "template", "a", "table",
)  # fmt: skip
EVENTS = ("onload", "onerror", "onclick", "onfocus", "ontoggle", "onmouseover", "onanimationend")
CLOSERS = (
    "", '"', "'", "`", ">", '">', "'>", "-->", "]]>", "</textarea>", "</script>", "</blockquote>",
    "</title>", "&gt;", "\u0000", "\u202e", "}}", "${",
)  # fmt: skip
SCHEMES = (
    "javascript:",
    "JaVaScRiPt:",
    "java\tscript:",
    "data:text/html,",
    "vbscript:",
    "&#106;avascript:",
)
SIZES = ((360, 640), (1280, 900))


def attacks(count: int) -> list[str]:
    """Return texts that a page which takes them for markup runs, each another one."""
    chance = random.Random(7)
    made: dict[str, None] = {}
    for closer, tag, event in itertools.product(CLOSERS, TAGS, EVENTS):
        scheme = chance.choice(SCHEMES)
        made[chance.choice((
            f"{closer}<{tag} {event}={HIT} autofocus tabindex=1 src=x>",
            f"{closer}<{tag.upper()}/{event}='{HIT}'//>{HIT}</{tag}>",
            f'{closer}<{tag} href="{scheme}{HIT}" src="{scheme}{HIT}" style="x:expression({HIT})">',
            f"{closer}&lt;{tag} {event}={HIT}&gt;<{tag}\n{event}\n=\n{HIT}\n>",
            f"{closer}${{{HIT}}}{{{{{HIT}}}}}<{tag} srcdoc='<script>parent.{HIT}</script>'>",
        ))] = None  # fmt: skip
    texts = list(made)
    chance.shuffle(texts)
    assert len(texts) >= count
    return texts[:count]


ATTACKS = attacks(1000)


def assert_harmless(visit: Visit, texts: list[str]) -> None:
    assert visit.evaluate("() => window.hit") is None, texts
    assert (
        visit.page.locator("#result *").evaluate_all("""(all) => all
      .map((e) => e.localName).filter((name) => !["a", "b", "bdi", "blockquote", "button", "div",
        "figcaption", "figure", "h2", "h3", "li", "p", "span", "u", "ul"].includes(name))""")
        == []
    ), texts
    assert visit.page.locator("body > *").count() == 5, texts


def test_a_thousand_attacks_stay_text_as_question_answer_and_error(visit: Visit) -> None:
    for at in range(0, 1000, 4):
        visit.page.set_viewport_size(
            dict(zip(("width", "height"), SIZES[at // 4 % 2], strict=True))
        )
        text, label, word, said = ATTACKS[at : at + 4]
        words = {"known": 1, "total": 2, "unknown": [word, "img"]}
        shares = {label: 0.9, word: 0.1}
        answer = judgement(label, 0.9, probabilities=shares, known_words=words, model=said)
        kind = at // 4 % 5
        if kind == 0:
            visit.ask(text, answer)
            assert visit.page.locator("#answer h2").text_content() == label
            assert visit.page.locator("blockquote").text_content() == text
        elif kind == 1:
            visit.ask(text, judgement(None, None, reason=said, known_words=words), "declined")
            assert visit.page.locator("#answer p").text_content() == said
        elif kind == 2:
            visit.ask(text, problem(400, label, said), "error")
            assert f"{label}: {said}" in (visit.page.locator("#error p").text_content() or "")
        elif kind == 3:
            visit.ask(text, Reply(said.encode(), 200, "text/html"), "error")
        else:
            reply = explained(text, {"window": 0.3, "hit": -0.2, "onerror": 0.1}, label)
            reply.body["probabilities"] = shares
            visit.ask(text, answer)
            visit.server.replies = [reply]
            visit.page.click("#why")
            visit.page.locator("#details figcaption p").first.wait_for()
            assert visit.page.locator("blockquote").text_content() == text
        assert_harmless(visit, ATTACKS[at : at + 4])
    visit.page.click("[popovertarget=texts] >> nth=0")
    assert visit.page.locator(".past").count() == 20
    assert visit.page.locator(".drawer :is(img, script, svg, iframe)").count() == 0
    assert visit.evaluate("() => window.hit") is None


def test_attacks_stay_text_as_prompt_and_as_what_is_written(desk: Desk) -> None:
    for at in range(0, 120, 3):
        desk.page.set_viewport_size(dict(zip(("width", "height"), SIZES[at % 2], strict=True)))
        prompt, written, said = ATTACKS[at : at + 3]
        desk.writer.written = written
        desk.writer.changes = {"model": said}
        broken = {"title": "", "detail": said, "status": 500}
        failing = at % 2 == 0
        faults = [Fault(3, "problem", broken)] if failing else []
        desk.write(prompt, len(prompt) + len(written), *faults)
        desk.await_state("error" if failing else "done")
        assert desk.paper() == (prompt + written[:3] if failing else prompt + written)
        assert_harmless(desk, ATTACKS[at : at + 3])


def kinds() -> dict[str, Reply]:
    """Return the kinds of answer that are none, each of which begins as a good one does."""
    found = {name: reply for name, (reply, _) in STATUSES.items()} | GARBAGE
    for status in (
        *range(400, 419),
        421,
        422,
        423,
        424,
        425,
        426,
        428,
        431,
        451,
        *range(500, 509),
        511,
        599,
    ):
        found[f"status-{status}-with-an-answer"] = Reply(GOOD, status)
        found[f"status-{status}-with-a-problem"] = problem(status, "positive", "negative")
    text = json.dumps(GOOD)
    for at in range(1, len(text), 17):
        found[f"cut-at-{at}"] = Reply(text[:at].encode())
    odd: tuple[Any, ...] = (None, True, -1, 2, "", [], {}, [0.5, 0.5], "positive", 1e308)
    for name, value in itertools.product(("score", "probabilities", "known_words"), odd):
        found[f"{name}-is-{value!r}"] = Reply(GOOD | {name: value})
    found["connection-cut"] = Reply(GOOD, cut=True)
    found["connection-closed"] = Reply(hang_up=True)
    return found


def test_a_hundred_kinds_of_error_and_none_looks_like_a_sentiment(visit: Visit) -> None:
    errors = kinds()
    assert len(errors) > 150
    for number, (name, reply) in enumerate(errors.items()):
        visit.page.set_viewport_size(dict(zip(("width", "height"), SIZES[number % 2], strict=True)))
        visit.ask("a film", judgement("positive", 0.9))
        visit.send("a film", reply)
        visit.await_state("error")
        shown = visit.evaluate("""() => [
          document.querySelectorAll(
            "#result :is(.cone, .can, .buoy, .mark, .fill, .bars, .for, .against)").length,
          document.getElementById("answer").textContent + document.getElementById("details").textContent,
          document.querySelector("#error h2").textContent,
        ]""")
        assert shown[:2] == [0, ""], name
        assert shown[2].strip() not in {"", "positive", "negative"}, name
        if not name.endswith("-with-a-problem") and name not in STATUSES:
            visit.assert_no_sentiment()
