"""The page beside a server that is slow, failing or gone: who answers, and that only one does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.desk import Desk
from tests.browser.fake_server import FakeServer, Reply, judgement, problem
from tests.browser.fake_writer import GONE, Fault
from tests.browser.visit import Visit

from marfa import bundle, loading
from marfa.container import pages
from marfa.container.messages import DEFAULT_LIMITS
from marfa.settings import ServeSettings
from marfa.stages.serve import Running

TEXT = "I loved this wonderful film."
GONE_STATUSES = (401, 403, 404, 410, 421, 451)


def add(server: FakeServer, path: Path, *, alone: bool = False) -> None:
    """Let a server whose answers are written down serve a real model's file too."""
    made = bundle.load(path)
    files = pages.files(loading.of(made, engine="numpy"), DEFAULT_LIMITS)
    for address, page in pages.own(made, files, server=not alone).items():
        server.others[address[1:]] = Reply(page.content, content_type=page.content_type)
    server.others["v1/model"] = Reply(files["/v1/model"].content)
    server.others["sw.js"] = Reply(b"// keeps nothing", content_type="text/javascript")


@pytest.fixture
def beside(page: Page, server: FakeServer, model_path: Path) -> Iterator[Visit]:
    add(server, model_path)
    visit = Visit(page, server).open()
    yield visit
    assert visit.noted == []


def credit(visit: Visit) -> str:
    visit.await_state("answer")
    return visit.text("#credit")


def test_a_server_that_answers_is_the_one_that_does(beside: Visit) -> None:
    beside.send(TEXT, judgement("negative", 0.9))
    assert credit(beside) == "Answered by the server, model 3f2a9c41"


def test_a_slow_server_is_waited_for_a_while_and_then_never_heard(beside: Visit) -> None:
    late = threading.Event()
    began = time.monotonic()
    beside.send(TEXT, Reply(judgement().body, until=late))
    beside.await_state("answer")
    assert 1.4 < time.monotonic() - began < 4
    shown = beside.text("#result")
    assert "Answered on this device (the server was slow)" in shown
    late.set()
    beside.page.wait_for_timeout(300)
    assert beside.text("#result") == shown


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(hang_up=True), "the server did not answer"),
        (Reply(judgement().body, cut=True), "the server did not answer"),
        (Reply(b"oops", 500), "the server failed"),
        (problem(503, "Busy", "come back"), "the server was busy"),
        (problem(429, "Busy", "come back"), "the server was busy"),
        (Reply(b"<html>a gateway</html>", 502, "text/html"), "the server failed"),
        # a gateway whose API was deleted, a door that was shut, an address that others have now
        *((Reply(b'{"message": "no"}', each), "the server failed") for each in GONE_STATUSES),
        (judgement(score=0.2), "the server’s answer made no sense"),
    ],
)
def test_a_server_that_fails_is_stood_in_for_and_it_is_said_why(
    beside: Visit, reply: Reply, why: str
) -> None:
    beside.send(TEXT, reply)
    assert credit(beside).startswith(f"Answered on this device ({why}), model ")
    beside.send(TEXT, judgement("negative", 0.9))
    expect(beside.page.locator("#credit")).to_contain_text("by the server")


@pytest.mark.parametrize("status", [400, 406, 413, 415, 422])
def test_a_persons_own_mistake_is_not_answered_by_somebody_else(beside: Visit, status: int) -> None:
    beside.send(TEXT, problem(status, "No", "not this text"))
    beside.assert_error()
    beside.page.wait_for_timeout(300)
    beside.assert_error()


def test_what_this_device_cannot_judge_is_declined_as_the_server_would(beside: Visit) -> None:
    beside.send("qzxjv wvkqz", Reply(hang_up=True))
    beside.await_state("declined")
    assert beside.text("#answer p") == "Too few of its words are known to the model."
    assert beside.page.locator("#result :is(.cone, .can, .buoy)").count() == 0


def test_where_the_models_file_is_damaged_the_servers_failure_is_shown(beside: Visit) -> None:
    name = next(each for each in beside.server.others if each.endswith(".bin"))
    beside.server.others[name] = Reply(b"\1\0\0\0not a model")
    beside.send(TEXT, Reply(b"", 500))
    beside.assert_error("The server failed")


def test_why_is_told_by_this_device_in_the_words_of_the_server(
    beside: Visit, model_path: Path
) -> None:
    text = "\U0001f3ac I loved this <b>wonderful</b> film, caf&eacute; and all."
    beside.send(text, Reply(hang_up=True))
    beside.await_state("answer")
    (expected,) = loading.predictor(model_path, "numpy").explain([text])
    assert expected.explanation
    beside.server.replies = [Reply(b"", 500)]
    beside.page.click("#why")
    beside.page.locator("blockquote").wait_for()
    assert beside.page.locator("blockquote").text_content() == text
    marked = beside.page.locator("blockquote :is(.for, .against)").all_text_contents()
    # the page leaves out what weighs little, and its weights are coarser
    heavy = [word.text for word in expected.explanation.words if abs(word.weight) > 0.01]
    assert set(heavy) <= set(marked) <= {word.text for word in expected.explanation.words}
    assert "Answered on this device" in beside.text("#result")


@pytest.mark.parametrize("alone", [False, True])
def test_a_model_that_comes_slowly_is_waited_for_until_it_answers(
    page: Page, server: FakeServer, model_path: Path, alone: bool
) -> None:
    add(server, model_path, alone=alone)
    name = next(each for each in server.others if each.endswith(".bin"))
    come = server.others[name].until = threading.Event()
    visit = Visit(page, server).open()
    page.clock.install()
    visit.send(TEXT, Reply(hang_up=True))
    expect(page.locator("#status")).to_contain_text("Reading" if alone else "Asking this device")
    page.clock.fast_forward(60_000)
    page.wait_for_timeout(100)
    visit.await_state("waiting")
    come.set()
    assert "Answered on this device" in credit(visit)
    assert visit.noted == []


def test_a_model_that_comes_slowly_can_be_given_up(
    page: Page, server: FakeServer, model_path: Path
) -> None:
    add(server, model_path, alone=True)
    name = next(each for each in server.others if each.endswith(".bin"))
    come = server.others[name].until = threading.Event()
    visit = Visit(page, server).open()
    visit.send(TEXT)
    visit.await_state("waiting")
    page.click("#cancel")
    visit.await_state("empty")
    come.set()
    page.wait_for_timeout(300)
    visit.await_state("empty")
    assert visit.noted == []


def test_an_explanation_that_is_given_up_lets_the_next_text_be_answered(
    page: Page, server: FakeServer, model_path: Path
) -> None:
    add(server, model_path, alone=True)
    visit = Visit(page, server).open()
    visit.send(TEXT * 150, Reply(hang_up=True))
    visit.await_state("answer")
    page.click("#why")
    visit.send("It was dull and I want my money back.", Reply(hang_up=True))
    visit.await_state("answer")
    expect(page.locator("blockquote")).to_contain_text("money back")
    assert visit.noted == []


def test_a_page_without_a_server_answers_at_once(
    page: Page, server: FakeServer, model_path: Path
) -> None:
    add(server, model_path, alone=True)
    visit = Visit(page, server).open()
    visit.send(TEXT, Reply(hang_up=True))
    assert credit(visit).startswith("Answered on this device, model ")
    assert server.asked == []
    expect(page.locator("a[href=docs]")).to_have_count(0)
    assert visit.noted == []


@pytest.fixture
def together(page: Page, server: FakeServer, writer_path: Path) -> Iterator[Desk]:
    add(server, writer_path)
    desk = Desk(page, server)
    desk.server.others["v1/model"] = Reply(
        pages.files(_writer(writer_path), DEFAULT_LIMITS)["/v1/model"].content
    )
    desk.open()
    yield desk
    desk.writer.silent.set()
    assert desk.noted == []


def _writer(path: Path):  # type: ignore[no-untyped-def]
    return loading.of(bundle.load(path), engine="numpy")


@pytest.mark.parametrize("alone", [False, True])
def test_a_text_can_be_stopped_while_the_model_comes(
    page: Page, server: FakeServer, writer_path: Path, alone: bool
) -> None:
    add(server, writer_path, alone=alone)
    desk = Desk(page, server)
    name = next(each for each in server.others if each.endswith(".bin"))
    come = server.others[name].until = threading.Event()
    desk.server.write = lambda asked: Reply(hang_up=True)
    desk.open()
    desk.write("the film ", 60)
    desk.await_state("waiting")
    page.wait_for_timeout(300)
    page.click("#stop")
    desk.await_state("empty")
    come.set()
    page.wait_for_timeout(300)
    desk.await_state("empty")
    desk.write("the film ", 60)
    desk.await_state("done")
    assert desk.noted == []


@pytest.mark.parametrize(
    "reply",
    [Reply(hang_up=True), Reply(b"", 500), problem(503, "No", "busy"), Reply(b"{}", 403)],
)
def test_a_text_is_written_here_where_the_server_does_not_begin(
    together: Desk, reply: Reply
) -> None:
    together.server.write = lambda asked: reply
    together.write("the film ", 90)
    together.await_state("done")
    assert len(together.page.locator("#paper").text_content() or "") == 90
    assert "written on this device (the server" in together.text("#facts")


def test_a_prompt_refused_by_the_server_is_not_written_here(together: Desk) -> None:
    together.server.write = lambda asked: problem(422, "Unknown", "no character is known")
    together.write("the film ", 90)
    together.assert_failed("No text can begin with this", None)


def test_the_same_seed_writes_the_same_text_here(together: Desk) -> None:
    together.server.write = lambda asked: Reply(hang_up=True)
    written = set()
    together.page.click("summary")
    together.page.fill("#seed", "12")
    for _ in range(2):
        together.write("so ", 70)
        together.await_state("done")
        written.add(together.page.locator("#paper").text_content())
    assert len(written) == 1


def test_a_text_whose_server_is_lost_goes_on_here_after_a_few_tries(
    together: Desk, writer_path: Path
) -> None:
    together.writer.changes = {"model": bundle.load(writer_path).model_id}
    together.writer.written = "and so on and on and on"
    together.write("the film ", 60, Fault(after=11), GONE, GONE, GONE, GONE)
    together.await_state("done")
    assert together.paper().startswith("the film and so on a")
    assert len(together.paper()) == 60
    assert (
        "the first 20 characters by the server, then on this device (the server did not answer)"
    ) in together.text("#facts")


def test_a_text_whose_server_is_gone_goes_on_here_at_once(
    together: Desk, writer_path: Path
) -> None:
    together.writer.changes = {"model": bundle.load(writer_path).model_id}
    together.writer.written = "and so on and on and on"
    together.write("the film ", 60, Fault(after=11), Fault(reply=Reply(b"{}", 403)))
    together.await_state("done")
    assert together.paper().startswith("the film and so on a")
    assert len(together.writer.asked) == 2
    assert "the first 20 characters by the server, then on this device" in together.text("#facts")


def test_a_text_of_another_model_is_not_gone_on_with_here(together: Desk) -> None:
    together.writer.changes = {"model": "0123456789ab"}
    together.write("the film ", 60, Fault(after=11), *[GONE] * 9)
    together.await_message("going on in 2 s")  # the third try, still with the server
    assert len(together.paper()) == 20


def test_a_text_that_a_server_stops_goes_on_here_at_a_persons_word(
    page: Page, writer_path: Path
) -> None:
    limits = {"drain_seconds": 0.0, "max_length": 60_000}
    with Running(writer_path, ServeSettings(port=0, **limits)) as server:
        page.goto(server.url)
        page.evaluate("() => navigator.serviceWorker.ready")
        page.fill("#length", "60000")
        page.fill("#prompt", "so ")
        page.click("#send")
        expect(page.locator("#facts")).to_contain_text("seed")
    expect(page.locator("#result")).to_have_attribute("data-state", "error", timeout=20_000)
    page.get_by_role(
        "button", name="Go on"
    ).click()  # it said that it stops; this is a person's word
    expect(page.locator("#result")).to_have_attribute("data-state", "done", timeout=90_000)
    assert len(page.locator("#paper").text_content() or "") == 60_000
    expect(page.locator("#facts")).to_contain_text("by the server, then on this device")
