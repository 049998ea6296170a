"""Refusals are told, and of a stream of events only what holds together is believed."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import expect
from tests.browser.desk import Desk
from tests.browser.fake_server import Reply, problem
from tests.browser.fake_writer import GONE, Fault, busy, event

STATUSES = {
    400: ("did not accept", None),
    406: ("did not accept", None),
    408: ("did not accept", "Try again"),
    413: ("prompt is too long", None),
    415: ("did not accept", None),
    422: ("No text can begin with this", None),
    429: ("busy", "Try again"),
    500: ("failed", "Try again"),
    503: ("busy", "Try again"),
}


def test_a_refusal_is_told_in_the_servers_words(desk: Desk, subtests: pytest.Subtests) -> None:
    for status, (heading, remedy) in STATUSES.items():
        with subtests.test(str(status)):
            desk.write("a", 9, Fault(reply=problem(status, "Because", "of this")))
            desk.assert_failed(heading, remedy)
            assert "“Because: of this”" in desk.text("#error")
    desk.write("a", 9, busy(7))
    desk.await_state("error")
    expect(desk.page.locator("#error")).to_contain_text("Try again in 7 s.")
    desk.page.click("#remedy")
    desk.await_state("done")


def test_what_is_no_stream_of_events_is_an_error(desk: Desk) -> None:
    for reply in (
        Reply({"text": "hm"}),
        Reply(b"<html>", content_type="text/html"),
        Reply(b"", 204),
    ):
        desk.write("a", 9, Fault(reply=reply))
        desk.assert_failed("made no sense", "Try again")
    desk.write("a", 9, Fault(reply=Reply(b"", content_type="text/event-stream")))
    desk.assert_failed("The connection was lost", "Try again")
    desk.write("a", 9, GONE)
    desk.assert_failed("did not answer", "Try again")


def test_a_problem_in_the_stream_is_told_and_the_text_kept(desk: Desk) -> None:
    broken = {"type": "about:blank", "title": "Internal error", "status": 500, "detail": "it broke"}
    desk.write("To the sea", 30, Fault(5, "problem", broken))
    desk.assert_failed("The server failed", "Go on", desk.whole(0)[:15])
    assert "“Internal error: it broke”" in desk.text("#error")
    desk.page.click("#remedy")
    desk.await_state("done")
    assert desk.paper() == desk.whole(0)


GOOD = {"text": "x", "position": 13}
GARBAGE = {
    "no-json": event("text", "{"),
    "null": event("text", "null"),
    "array": event("text", "[]"),
    "no-token": event("text", GOOD, ""),
    "odd-token": event("text", GOOD, "../../etc"),
    "no-text": event("text", {"position": 13}),
    "empty": event("text", {"text": "", "position": 12}),
    "number": event("text", {"text": 7, "position": 13}),
    "half-a-character": event("text", '{"text": "\\ud83c", "position": 13}'),
    "position-stays": event("text", {"text": "x", "position": 12}),
    "position-jumps": event("text", {"text": "x", "position": 14}),
    "position-in-utf-16": event("text", {"text": "🎬", "position": 14}),
    "position-a-string": event("text", {"text": "x", "position": "13"}),
    "too-long": event("text", {"text": "x" * 99, "position": 111}),
    "done-too-early": event("done", {"position": 12}),
    "done-elsewhere": event("done", {"position": 30}),
    "second-start": event("start", {"prompt": "To the sea", "position": 10}),
    "error-without-words": event("error", {"status": 500}),
    "no-utf-8": b"event: text\ndata: \xff\n\n",
    "endless": b"data: " + b"x" * 1_100_000,
}


def test_garbage_in_the_stream_is_not_shown_and_can_be_gone_past(
    desk: Desk, subtests: pytest.Subtests
) -> None:
    for name, content in GARBAGE.items():
        with subtests.test(name):
            desk.writer.asked.clear()
            desk.write("To the sea", 30, Fault(2, "bytes", content))
            desk.assert_failed("made no sense", "Go on", desk.whole(0)[:12])
            desk.page.click("#remedy")
            desk.await_state("done")
            assert desk.paper() == desk.whole(0)


def test_a_start_that_does_not_hold_together_is_an_error(
    desk: Desk, subtests: pytest.Subtests
) -> None:
    odd: list[dict[str, Any]] = [{"prompt": 7}, {"position": 11}, {"position": "10"}, {"model": ""}]
    odd += [{"seed": seed} for seed in (-1, 1.5, "7", None, 2**53)]
    odd += [{"length": 31}, {"unknown": "3"}, {"unknown": -1}, {"top_p": 2}, {"top_k": -1}]
    odd += [{"temperature": None}, {"prompt": "\N{CLAPPER BOARD}", "position": 2}]
    for changes in odd:
        with subtests.test(str(changes)):
            desk.writer.changes = changes
            desk.write("To the sea", 30)
            desk.assert_failed("made no sense", "Try again")


def test_events_are_read_however_their_bytes_are_cut(desk: Desk) -> None:
    stream = (
        "\ufeff: hello\r\n\r\nevent:start\ndata: {\ndata:}\n\n\n: still here\r\r"
        "id: 1.f\revent: text\r\ndata: é🎬م\r\n\r\nretry: 7\ndata\n\nid: 3\n\ndata: lost"
    )
    cuts = """async ([bytes, size]) => {
      const { readEvents } = await import("./events.js");
      const body = new ReadableStream({ start(control) {
        for (let at = 0; at < bytes.length; at += size) {
          control.enqueue(new Uint8Array(bytes.slice(at, at + size)));
        }
        control.close();
      } });
      const found = [];
      let heard = 0;
      for await (const { type, data, id } of readEvents(body, () => { heard += 1; })) {
        found.push([type, data, id]);
      }
      return [found, heard];
    }"""
    content = list(stream.encode())
    for size in (*range(1, 12), len(content)):
        found, heard = desk.evaluate(cuts, [content, size])
        assert found == [["start", "{\n}", ""], ["text", "é🎬م", "1.f"], ["", "", ""]], size
        assert heard == -(-len(content) // size)
