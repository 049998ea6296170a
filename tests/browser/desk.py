"""One visit to the page of a model that writes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from playwright.sync_api import expect
from tests.browser.fake_server import Reply
from tests.browser.fake_writer import WRITER, FakeWriter, Fault
from tests.browser.visit import Visit


@dataclass
class Desk(Visit):
    """The page and the writer behind it.

    Attributes:
        writer: what the server writes.
    """

    writer: FakeWriter = field(default_factory=FakeWriter)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.server.others["v1/model"] = Reply(WRITER)
        self.server.write = self.writer.answer

    def open(self, path: str = "write") -> Desk:
        super().open(path)
        expect(self.page.locator("#about")).not_to_contain_text("Asking")
        return self

    def write(self, prompt: str = "To the sea", length: int = 40, *faults: Fault) -> None:
        """Press the button; the first connections fail as the faults say."""
        self.writer.faults = list(faults)
        self.page.fill("#prompt", prompt)
        self.page.fill("#length", str(length))
        self.page.click("#send")

    def hold(self, characters: int = 0) -> None:
        """Let the next connection send so many characters, and more only when allowed."""
        self.writer.allowed = threading.Semaphore(characters)

    def allow(self, characters: int) -> None:
        """Let the connection that is held send so many characters more."""
        assert self.writer.allowed is not None
        self.writer.allowed.release(characters)

    def whole(self, at: int = -1) -> str:
        """Return the text that a request should give, by default that of the last."""
        self.await_requests(1)
        asked = self.writer.asked[at]
        return self.writer.text(asked["prompt"], asked["length"], asked.get("seed", 101))

    def await_requests(self, number: int) -> None:
        until = time.monotonic() + 5
        while len(self.writer.asked) < number and time.monotonic() < until:
            self.page.wait_for_timeout(20)
        assert len(self.writer.asked) >= number, "no request has arrived"

    def paper(self) -> str:
        return self.page.locator("#paper").text_content() or ""

    def await_paper(self, text: str) -> None:
        self.page.wait_for_function(
            "(text) => document.getElementById('paper').textContent === text", arg=text
        )

    def await_message(self, words: str) -> None:
        expect(self.page.locator("#status")).to_contain_text(words)

    def wait_out(self, seconds: float) -> None:
        """Let the seconds pass after which the page goes on; what it told of them is gone.

        The page's clock is the test's. Two waits of the same length are told in the same words, and time
        that passes before the second has begun would be none of its own.
        """
        self.await_message(f"going on in {seconds} s.")
        self.evaluate("() => document.querySelector('#status').replaceChildren()")
        self.page.clock.fast_forward(int(seconds * 1000))

    def assert_failed(self, heading: str, remedy: str | None, kept: str | None = None) -> None:
        """Fail unless the error is told, its remedy offered, and the text still there."""
        self.await_state("error")
        assert heading in self.text("#error h2")
        assert self.text("#error p >> nth=0") != ""
        button = self.page.locator("#remedy")
        if remedy is None:
            expect(button).to_be_hidden()
        else:
            expect(button).to_have_text(remedy)
        if kept is None:
            expect(self.page.locator("#paper")).to_be_hidden()
        else:
            assert self.paper() == kept
