"""A text that is cut off goes on where it stopped, and with no other text."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import expect
from tests.browser.desk import Desk
from tests.browser.fake_server import Reply, problem, running
from tests.browser.fake_writer import GONE, Break, Fault, busy, event

START = {
    "prompt": "To the sea", "length": 30, "temperature": 0.8, "top_k": 0, "top_p": 1.0, "seed": 7,
    "unknown": 0, "position": 10, "model": "25873edf6f55",
}  # fmt: skip


@pytest.mark.parametrize("how", ["end", "cut", "in-event", "in-character"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_a_lost_connection_is_gone_on_with_unasked(desk: Desk, how: Break, end: str) -> None:
    desk.writer.end = end
    desk.writer.written = "naïve – ميناء 🎬, " * 5
    after = desk.writer.written.index("ï" if how == "in-character" else "v")
    desk.write("To the sea", 50, Fault(after, how))
    desk.await_message("The connection was lost; going on in 0.5 s.")
    assert desk.paper() == desk.whole()[: 10 + after]
    desk.await_state("done")
    assert desk.paper() == desk.whole()
    first, second = desk.writer.asked
    assert second == first | {"seed": 101, "continuation": f"{10 + after:x}.65"}
    assert desk.text("#status") == "Done, 50 characters."


def test_a_connection_lost_before_the_first_character_begins_with_the_same_seed(desk: Desk) -> None:
    desk.write("To the sea", 30, Fault(0, "cut"))
    desk.await_message("going on in 0.5 s.")
    desk.await_state("waiting")
    desk.await_state("done")
    assert desk.paper() == desk.whole(0)
    assert desk.writer.asked[1] == desk.writer.asked[0] | {"seed": 101}


def test_waits_grow_until_it_is_given_up_and_start_anew_with_progress(desk: Desk) -> None:
    desk.page.clock.install()
    desk.write("To the sea", 30, Fault(5), GONE, GONE, Fault(4), *[GONE] * 6)
    for wait in (0.5, 1, 2, 0.5, 1, 2, 4, 8, 8):
        desk.await_state("writing")
        desk.wait_out(wait)
    desk.assert_failed("did not answer", "Go on", desk.whole(0)[:19])
    assert "Kept: 19 of 30 characters." in desk.text("#error")
    assert len(desk.writer.asked) == 10
    desk.page.click("#remedy")
    desk.await_state("done")
    assert desk.paper() == desk.whole()


def test_many_losses_are_no_matter_as_long_as_characters_come(desk: Desk) -> None:
    desk.page.clock.install()
    desk.write("", 30, *[Fault(2)] * 9)
    for tried in range(9):
        desk.page.wait_for_function(
            "(much) => document.querySelector('#paper').textContent.length >= much",
            arg=2 * tried + 2,
        )
        desk.wait_out(0.5)
    desk.await_state("done")
    assert desk.paper() == desk.whole()


def test_the_server_gone_for_good_and_back_again(desk: Desk) -> None:
    desk.page.clock.install()
    desk.write("To the sea", 30, Fault(6, "silence"))
    desk.await_paper(desk.whole()[:16])
    desk.server.shutdown()
    desk.server.socket.close()
    desk.writer.silent.set()
    for wait in (0.5, 1, 2, 4, 8, 8):
        desk.wait_out(wait)
    desk.assert_failed("did not answer", "Go on", desk.whole()[:16])
    with running(desk.server.server_address[1]) as server:
        server.write = desk.writer.answer
        desk.page.click("#remedy")
        desk.await_state("done")
    assert desk.paper() == desk.whole()


def test_going_on_starts_at_once_when_the_machine_is_online_again(desk: Desk) -> None:
    desk.page.clock.install()
    desk.write("To the sea", 30, Fault(5), *[GONE] * 4)
    for wait in (0.5, 1, 2, 4):
        desk.wait_out(wait)
    desk.await_message("going on in 8 s.")
    desk.evaluate("() => dispatchEvent(new Event('online'))")
    desk.await_state("done")  # within the five seconds that are waited for anything here
    assert desk.paper() == desk.whole()


def test_twenty_silent_seconds_are_a_lost_connection(desk: Desk) -> None:
    desk.page.clock.install()
    desk.write("To the sea", 30, Fault(5, "silence"))
    desk.await_paper(desk.whole()[:15])
    desk.page.clock.fast_forward(18_000)
    desk.await_message("Writing…")
    desk.page.clock.fast_forward(3_000)
    desk.wait_out(0.5)
    desk.await_state("done")
    assert desk.paper() == desk.whole()


def test_a_heartbeat_is_enough_to_wait_on(desk: Desk) -> None:
    desk.page.clock.install()
    beats = threading.Semaphore(0)

    def pieces() -> Iterator[bytes]:
        yield event("start", START)
        while beats.acquire(timeout=5):
            yield b": still here\n\n"

    stream = Reply(content_type="text/event-stream", pieces=pieces())
    desk.write("To the sea", 30, Fault(reply=stream))
    desk.await_message("Waiting for the first character")
    expect(desk.page.locator("#facts")).to_contain_text("seed 7")
    for _ in range(3):
        desk.page.clock.fast_forward(15_000)
        beats.release()
        desk.page.wait_for_timeout(200)
    desk.await_state("waiting")
    desk.page.clock.fast_forward(20_000)
    desk.await_message("going on in 0.5 s.")


def test_twenty_seconds_without_any_answer_are_an_error(desk: Desk) -> None:
    desk.page.clock.install()
    never = threading.Event()
    desk.write("To the sea", 30, Fault(reply=Reply(until=never, hang_up=True)))
    desk.await_requests(1)
    desk.page.clock.fast_forward(21_000)
    desk.assert_failed("This took too long", "Try again")
    assert "20 seconds" in desk.text("#error")
    never.set()


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_waited_for_as_long_as_it_asks(desk: Desk, status: int) -> None:
    desk.page.clock.install()
    desk.write("To the sea", 30, Fault(5), busy(7, status))
    desk.wait_out(0.5)
    desk.await_message("The server is busy; going on in 7 s.")
    desk.evaluate("() => dispatchEvent(new Event('online'))")
    desk.page.clock.fast_forward(6_000)
    desk.page.wait_for_timeout(100)
    assert len(desk.writer.asked) == 2
    desk.page.clock.fast_forward(1_000)
    desk.await_state("done")
    assert desk.paper() == desk.whole()


def test_a_server_that_asks_for_hours_is_not_waited_for(desk: Desk) -> None:
    desk.write("To the sea", 30, Fault(5), busy(3600))
    desk.assert_failed("The server is busy", "Go on", desk.whole(0)[:15])


def test_waiting_to_go_on_can_be_stopped(desk: Desk) -> None:
    desk.page.clock.install()
    desk.write("To the sea", 30, Fault(5))
    desk.await_message("going on in 0.5 s.")
    desk.page.keyboard.press("Escape")
    desk.await_state("stopped")
    desk.page.clock.fast_forward(60_000)
    desk.page.wait_for_timeout(100)
    assert len(desk.writer.asked) == 1
    desk.page.click("#remedy")
    desk.await_state("done")
    assert desk.paper() == desk.whole()


@pytest.mark.parametrize(
    "changes", [{"seed": 7}, {"position": 13}, {"prompt": "To the see"}, {"model": "other"}, None]
)
def test_going_on_with_another_text_is_refused_and_starting_again_offered(
    desk: Desk, changes: dict[str, Any] | None
) -> None:
    desk.page.fill("#prompt", "To the sea")
    faults = [Fault(4)]
    if changes is None:
        faults.append(Fault(reply=problem(400, "Bad request", "the continuation does not fit")))
    desk.write("To the sea", 30, *faults)
    desk.await_message("going on in 0.5 s.")
    desk.writer.changes = changes or {}
    desk.assert_failed("does not fit", "Start again", desk.whole(0)[:14])
    desk.writer.changes = {}
    desk.page.click("#remedy")
    desk.await_state("done")
    assert desk.paper() == desk.writer.text("To the sea", 30, 103)
