"""What a person sees: one request and one state at a time, the answer in words and numbers."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import expect
from tests.browser.fake_server import Reply, judgement, problem
from tests.browser.visit import Visit

ARABIC = "فيلم رائع من البداية إلى النهاية"
ATTACK = "<img src=x onerror='window.hit = 1'><script>window.hit = 1</script>"


def test_an_answer_says_the_class_how_sure_and_how_many_words_are_known(visit: Visit) -> None:
    words = {"known": 43, "total": 45, "unknown": ["zorblax", "quuxine"]}
    visit.ask("The zorblax film.", judgement("positive", 0.983, known_words=words))
    assert visit.text("#answer h2").lower() == "positive"
    assert "very sure: 98.3%" in visit.text("#answer p")
    assert "43 of 45 words known" in visit.text("#details")
    assert visit.text(".bars").split() == ["positive", "98.3%", "negative", "1.7%"]
    assert visit.text("blockquote") == "The zorblax film."
    assert "zorblax, quuxine" in visit.text("figcaption")
    assert visit.server.asked == ["The zorblax film."]


def test_positive_and_negative_differ_in_shape_and_not_in_colour_alone(visit: Visit) -> None:
    visit.ask("good", judgement("positive", 0.9))
    assert visit.page.locator("h2 .mark.cone").count() == 1
    visit.ask("bad", judgement("negative", 0.9))
    assert visit.page.locator("h2 .mark.can").count() == 1


def test_how_sure_is_also_said_in_words(visit: Visit) -> None:
    said = {0.97: "very sure: 97.0%", 0.8: "fairly", 0.6: "not very", 0.51: "hardly"}
    for score, words in said.items():
        visit.ask("a film", judgement("positive", score))
        assert f"The model is {words}" in visit.text("#answer p")


def test_no_probability_is_shown_as_certainty(visit: Visit) -> None:
    visit.ask("a film", judgement("positive", 1.0))
    assert "> 99.9%" in visit.text("#answer p")
    assert visit.text(".bars").splitlines()[-1] == "< 0.1%"


def test_three_classes_are_listed_with_the_likeliest_first(visit: Visit) -> None:
    shares = {"politics": 0.2, "sport": 0.62, "رياضة": 0.18}
    visit.ask("a match", judgement("sport", 0.62, probabilities=shares))
    assert visit.text("#answer h2").lower() == "sport"
    assert visit.text(".bars").split() == ["sport", "62.0%", "politics", "20.0%", "رياضة", "18.0%"]
    assert visit.page.locator("h2 .mark.buoy").count() == 1
    widths = visit.page.locator(".fill").evaluate_all(
        "(all) => all.map((each) => each.getBoundingClientRect().width)"
    )
    assert widths == sorted(widths, reverse=True)
    assert widths[0] / widths[1] == pytest.approx(3.1, rel=0.02)


def test_of_many_classes_the_likeliest_are_listed(visit: Visit) -> None:
    shares = {f"class{number}": 0.025 for number in range(39)} | {"last": 0.025}
    visit.ask("a text", judgement("last", 0.025, probabilities=shares))
    assert visit.page.locator(".track").count() == 12
    assert visit.text(".bars li:first-child").startswith("last")
    assert "and 28 less likely" in visit.text(".bars")


def test_a_model_that_declines_is_neither_an_answer_nor_an_error(visit: Visit) -> None:
    words = {"known": 1, "total": 9, "unknown": ["رائع"]}
    reason = "only 1 of 9 words are known to the model"
    visit.ask(ARABIC, judgement(None, None, reason=reason, known_words=words), "declined")
    assert visit.text("#answer h2") == "I cannot judge this"
    assert reason in visit.text("#answer").replace("Only", "only")
    seen = visit.text("#result").lower()
    assert "positive" not in seen
    assert "negative" not in seen
    assert visit.page.locator("#result :is(.cone, .can, .buoy)").count() == 0
    assert visit.text("#error") == ""


def test_a_model_that_declines_without_any_probability_is_understood(visit: Visit) -> None:
    reply = judgement(None, None, reason="none of the words is known", probabilities={})
    visit.ask("zut", reply, "declined")


def test_unknown_words_are_marked_where_they_stand(visit: Visit) -> None:
    cases: list[tuple[str, list[str], list[str]]] = [
        ("Zorblax, ZORBLAX! zorblaxian", ["zorblax"], ["Zorblax", "ZORBLAX"]),
        ("We don’t 'know' it", ["don't", "know"], ["don’t", "'know'"]),
        ("好电影", ["影"], ["影"]),
        ("cafe\u0301 noir", ["café"], ["cafe\u0301"]),
        (ARABIC, ["رائع"], ["رائع"]),
        ("a film", [], []),
        ("a film", ["[", ".*"], []),
    ]
    for text, unknown, marked in cases:
        words = {"known": 0, "total": 9, "unknown": unknown}
        visit.ask(text, judgement(known_words=words))
        assert visit.page.locator("blockquote u").all_text_contents() == marked
        assert visit.page.locator("blockquote").text_content() == text


def test_of_a_very_long_text_the_beginning_is_shown(visit: Visit) -> None:
    visit.ask("word " * 10_000, judgement())
    shown = visit.page.locator("blockquote").text_content() or ""
    assert shown == "word " * 4000 + "…"
    assert visit.server.asked == ["word " * 10_000]


def test_waiting_is_seen_and_names_no_class(visit: Visit) -> None:
    go_on = threading.Event()
    visit.send("a film", Reply(judgement().body, until=go_on))
    visit.await_arrival()
    visit.await_state("waiting")
    assert "Reading" in visit.text("#status")
    visit.assert_no_sentiment()
    go_on.set()
    visit.await_state("answer")
    assert visit.text("#status") == ""
    assert visit.page.locator("#cancel").is_hidden()


@pytest.mark.parametrize("before", ["answer", "error"])
def test_a_new_request_clears_what_was_there_at_once(visit: Visit, before: str) -> None:
    visit.ask("a film", judgement() if before == "answer" else Reply(b"", 500), before)
    go_on = threading.Event()
    visit.server.replies = [Reply(judgement("negative", 0.9).body, until=go_on)]
    state, left = visit.evaluate("""() => {
      document.getElementById("send").click();
      const parts = ["answer", "details", "error"].map((id) => document.getElementById(id));
      const left = parts.map((part) => part.textContent).join("");
      return [document.getElementById("result").dataset.state, left];
    }""")
    assert (state, left) == ("waiting", "")
    visit.assert_no_sentiment()
    go_on.set()
    visit.await_state("answer")
    assert visit.text("#answer h2").lower() == "negative"


@pytest.mark.parametrize("aborts", [True, False], ids=["aborted", "finishes-anyway"])
def test_a_reply_to_an_earlier_request_is_dropped(visit: Visit, aborts: bool) -> None:
    if not aborts:  # as where a worker or a proxy completes what was given up
        visit.evaluate("() => { AbortController.prototype.abort = () => {}; }")
    late = threading.Event()
    visit.send(
        "first", Reply(judgement("negative", 0.9).body, until=late), judgement("positive", 0.8)
    )
    visit.await_arrival()
    visit.send("second")
    visit.await_state("answer")
    late.set()
    visit.page.wait_for_timeout(200)
    assert visit.text("#answer h2").lower() == "positive"
    assert visit.text("blockquote") == "second"


@pytest.mark.parametrize("how", ["button", "Escape"])
def test_a_request_can_be_cancelled(visit: Visit, how: str) -> None:
    go_on = threading.Event()
    visit.send("a film", Reply(judgement().body, until=go_on))
    visit.await_arrival()
    if how == "button":
        visit.page.click("#cancel")
    else:
        visit.page.keyboard.press("Escape")
    visit.await_state("empty")
    assert "Cancelled" in visit.text("#status")
    expect(visit.page.locator("#send")).to_be_focused()
    go_on.set()
    visit.page.wait_for_timeout(200)
    visit.await_state("empty")
    visit.assert_no_sentiment()
    visit.ask("again", judgement())


def test_the_examples_are_sent_with_one_click(visit: Visit) -> None:
    for example in visit.page.locator(".examples button").all():
        example.click()
        visit.await_state("answer")
    assert visit.server.asked == [
        example.get_attribute("data-text") for example in visit.page.locator("[data-text]").all()
    ]
    assert len(visit.server.asked) == 3


def test_the_footer_gives_the_accuracy_beside_the_baseline(visit: Visit) -> None:
    expect(visit.page.locator("#about")).to_have_text(
        "Model sentiment 3f2a9c41. Right on 89.7% of 12,500 test texts; "
        "a simple bag of words, on 90.4%."
    )
    assert "answers with negative or positive, says" in visit.text("#lead")


def test_the_page_works_whatever_the_server_tells_of_its_model(visit: Visit) -> None:
    told = [Reply(b"", 500), Reply(b"<html>"), Reply(b"null"), Reply([]), Reply({})]
    told += [Reply({"labels": "no"}), Reply({"metrics": None}), Reply(hang_up=True)]
    told += [Reply({"metrics": {"accuracy": "high"}, "labels": [1, 2], "limits": None, "name": 7})]
    for model in told:
        visit.server.others["v1/model"] = model
        visit.open()
        expect(visit.page.locator("#about")).not_to_contain_text("Asking")
        assert "one of its classes" in visit.text("#lead")
    visit.ask("a film", judgement())


def test_nothing_that_the_server_or_the_user_writes_becomes_markup(visit: Visit) -> None:
    visit.server.others["v1/model"] = Reply(
        {"name": ATTACK, "model": ATTACK, "labels": [ATTACK, "b"]}
    )
    visit.open()
    expect(visit.page.locator("#about")).to_contain_text(ATTACK)
    words = {"known": 1, "total": 2, "unknown": [ATTACK, "img"]}
    shares = {ATTACK: 0.9, "__proto__": 0.1}
    visit.ask(ATTACK, judgement(ATTACK, 0.9, probabilities=shares, known_words=words, model=ATTACK))
    assert visit.page.locator("#answer h2").text_content() == ATTACK
    assert visit.page.locator("blockquote").text_content() == ATTACK
    visit.ask(ATTACK, judgement(None, None, reason=ATTACK), "declined")
    visit.ask(ATTACK, Reply({"title": ATTACK, "detail": ATTACK}, 400), "error")
    assert ATTACK in visit.text("#error p")
    assert visit.page.locator("main :is(img, script)").count() == 0
    assert visit.evaluate("() => window.hit") is None


def test_any_character_reaches_the_server_as_it_was_written(visit: Visit) -> None:
    text = 'quote " back \\ tab\t nul-free 🎬 \u202e ' + ARABIC
    visit.ask(text, judgement())
    assert visit.server.asked == [text]


@pytest.mark.parametrize("kind", ["empty", "unknown_words", "script", "short"])
def test_a_text_of_a_kind_that_is_declined_is_told_so_and_no_error(visit: Visit, kind: str) -> None:
    """Whether the server answers that it cannot judge it, or that there is nothing to answer."""
    answered = judgement(None, None, reason="in English", refused=kind, probabilities={})
    refused = problem(422, "Unknown text", "in English")
    refused.body["refused"] = kind
    said = set()
    for reply in (answered, refused):
        visit.ask("a text", reply, "declined")
        assert visit.text("#answer h2") == "I cannot judge this"
        assert visit.page.locator("#result :is(.cone, .can, .buoy)").count() == 0
        assert "positive" not in visit.text("#result").lower()
        said.add(visit.text("#answer p"))
    assert len(said) == 1
    assert "in English" not in said.pop()
