"""An error never looks like a sentiment: not in words, not in shape, not in colour."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from tests.browser.fake_server import PREFIX, FakeServer, Reply, judgement, problem
from tests.browser.visit import Visit

GOOD: dict[str, Any] = judgement().body
HTML = b"<!doctype html><title>Oops</title><h1>positive</h1>"


def bad(**changes: Any) -> Reply:
    """Return the good answer with something wrong in it."""
    return Reply(GOOD | changes)


def without(name: str) -> Reply:
    return Reply({key: value for key, value in GOOD.items() if key != name})


STATUSES = {
    "empty-text": (problem(422, "Empty text", "no word is left"), "No answer for this text"),
    "bad-request": (problem(400, "Bad request", "the body is not JSON"), "did not accept"),
    "not-found": (problem(404, "Not found", "no such address"), "did not accept"),
    "too-large": (problem(413, "Too large", "the body is larger"), "too long"),
    "media-type": (problem(415, "Unsupported content type", "not read"), "did not accept"),
    "too-many": (problem(429, "Too many requests", "slower, please"), "busy"),
    "failure": (problem(500, "Internal error", "something broke"), "failed"),
    "gateway-page": (Reply(HTML, 502, "text/html"), "failed"),
    "gateway-silent": (Reply(b"", 504), "failed"),
    "error-with-answer": (Reply(GOOD, 500), "failed"),
    "error-with-array": (Reply(["positive"], 400), "did not accept"),
    "created": (Reply(GOOD, 201), "made no sense"),
    "no-content": (Reply(b"", 204), "made no sense"),
}

GARBAGE = {
    "html": Reply(HTML, content_type="text/html"),
    "nothing": Reply(b""),
    "array": Reply([GOOD]),
    "string": Reply("positive"),
    "number": Reply(1),
    "null": Reply(b"null"),
    "true": Reply(b"true"),
    "cut-json": Reply(json.dumps(GOOD).encode()[:-1]),
    "two-documents": Reply(json.dumps(GOOD).encode() * 2),
    "nan": Reply(json.dumps(GOOD).replace("0.983", "NaN").encode()),
    "overflow": Reply(json.dumps(GOOD).replace("0.983", "1e999").encode()),
    "label-unlisted": bad(label="splendid"),
    "label-inherited": bad(label="toString"),
    "label-not-likeliest": bad(label="negative", score=0.017),
    "label-empty": bad(label="", probabilities={"": 1.0, "positive": 0.0}, score=1.0),
    "label-number": bad(label=1),
    "label-absent": without("label"),
    "label-null-without-reason": bad(label=None, score=None),
    "label-null-with-score": bad(label=None, reason="few words are known"),
    "score-absent": without("score"),
    "score-string": bad(score="0.983"),
    "score-null": bad(score=None),
    "score-other": bad(score=0.5),
    "score-above-one": bad(score=1.5, probabilities={"negative": -0.5, "positive": 1.5}),
    "probabilities-absent": without("probabilities"),
    "probabilities-empty": bad(probabilities={}),
    "probabilities-array": bad(label="1", probabilities=[0.017, 0.983]),
    "probabilities-strings": bad(probabilities={"negative": "0.017", "positive": 0.983}),
    "probabilities-null": bad(probabilities={"negative": None, "positive": 0.983}),
    "probabilities-sum": bad(probabilities={"negative": 0.9, "positive": 0.983}),
    "one-class": bad(score=1.0, probabilities={"positive": 1.0}),
    "words-absent": without("known_words"),
    "words-more-known-than-there": bad(known_words={"known": 9, "total": 5, "unknown": []}),
    "words-negative": bad(known_words={"known": -1, "total": 5, "unknown": []}),
    "words-fraction": bad(known_words={"known": 1.5, "total": 5, "unknown": []}),
    "words-string": bad(known_words={"known": 1, "total": 5, "unknown": "zut"}),
    "words-numbers": bad(known_words={"known": 1, "total": 5, "unknown": [7]}),
}


def test_a_status_that_is_not_200_is_an_error(visit: Visit, subtests: pytest.Subtests) -> None:
    for name, (reply, heading) in STATUSES.items():
        with subtests.test(name):
            visit.send("a film", reply)
            visit.assert_error(heading)


def test_a_reply_that_does_not_hold_together_is_an_error(
    visit: Visit, subtests: pytest.Subtests
) -> None:
    for name, reply in GARBAGE.items():
        with subtests.test(name):
            visit.send("a film", reply)
            visit.assert_error("The reply made no sense")


def test_an_error_after_an_answer_leaves_nothing_of_it(visit: Visit) -> None:
    visit.ask("a film", judgement())
    visit.send("a film", Reply(HTML, 502, "text/html"))
    visit.assert_error()


def test_a_problem_is_told_in_the_servers_words_and_says_when_to_come_back(visit: Visit) -> None:
    reply = problem(503, "Overloaded", "too many requests are waiting", **{"Retry-After": "7"})
    visit.send("a film", reply)
    visit.assert_error("The server is busy")
    assert "“Overloaded: too many requests are waiting”" in visit.text("#error p")
    assert "Try again in 7 s." in visit.text("#error p")


def test_a_long_problem_is_cut(visit: Visit) -> None:
    visit.send("a film", problem(400, "Bad request", "x" * 100_000))
    visit.assert_error()
    assert len(visit.text("#error p")) < 500


def test_a_redirect_is_not_followed(visit: Visit) -> None:
    visit.server.others["elsewhere"] = judgement()
    visit.send("a film", Reply(b"", 303, headers={"Location": f"{PREFIX}elsewhere"}))
    visit.assert_error("did not answer")


@pytest.mark.parametrize(
    "reply", [Reply(GOOD, cut=True), Reply(hang_up=True)], ids=["cut", "hang-up"]
)
def test_a_broken_connection_is_an_error(visit: Visit, reply: Reply) -> None:
    visit.send("a film", reply)
    visit.assert_error("The server did not answer")


def test_a_server_that_stops_in_mid_request_is_an_error(visit: Visit) -> None:
    stopped = threading.Event()
    visit.send("a film", Reply(until=stopped, hang_up=True))
    visit.await_arrival()
    visit.await_state("waiting")
    _stop(visit.server)
    stopped.set()
    visit.assert_error("The server did not answer")
    visit.page.click("#error button")
    visit.assert_error("The server did not answer")


def _stop(server: FakeServer) -> None:
    server.shutdown()
    server.socket.close()


def test_being_offline_is_an_error_that_says_so(visit: Visit) -> None:
    visit.page.context.set_offline(True)
    visit.send("a film")
    visit.assert_error("You are offline")
    visit.page.context.set_offline(False)
    visit.page.click("#error button")
    visit.await_state("answer")
    assert visit.text("#error") == ""


def test_a_reply_that_does_not_come_is_an_error_after_fifteen_seconds(visit: Visit) -> None:
    visit.page.clock.install()
    never = threading.Event()
    visit.send("a film", Reply(GOOD, until=never))
    visit.await_arrival()
    visit.page.clock.fast_forward(13_000)
    visit.await_state("waiting")
    visit.page.clock.fast_forward(3_000)
    visit.assert_error("This took too long")
    assert "15 seconds" in visit.text("#error p")
    never.set()


def test_try_again_sends_again_and_keeps_the_focus_on_the_form(visit: Visit) -> None:
    visit.send("a film", Reply(b"", 500), judgement())
    visit.assert_error()
    visit.page.click("#error button")
    visit.await_state("answer")
    assert visit.server.asked == ["a film", "a film"]
    assert visit.evaluate("() => document.activeElement.id") == "send"


def test_nothing_to_judge_is_said_without_asking_the_server(visit: Visit) -> None:
    visit.ask("a film", judgement())
    for text in ("", "   \n\t "):
        visit.send(text)
        visit.assert_error("There is no text yet")
        assert visit.evaluate("() => document.activeElement.id") == "text"
        assert visit.page.locator("#error button").count() == 0
    assert visit.server.asked == ["a film"]


def test_a_text_over_the_servers_limit_is_not_sent(visit: Visit) -> None:
    visit.server.others["v1/model"] = Reply({"limits": {"body_bytes": 1000}})
    visit.open()
    visit.page.locator("#about").get_by_text("without a name").wait_for()
    visit.send("ر" * 500)  # two bytes each, and the JSON around them
    visit.assert_error("too long")
    assert "1,000 bytes" in visit.text("#error p")
    visit.ask("ر" * 490, judgement())
    assert visit.server.asked == ["ر" * 490]
