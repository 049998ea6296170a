"""One visit to the page: what a person does, what is seen, and what must never happen meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, expect
from tests.browser.fake_server import FakeServer, Reply

# Chromium itself notes every failed request; whatever else it notes is ours.
_OF_THE_BROWSER = "Failed to load resource"
# What the result shows: its words, its marks and bars, and the colours of sentiment among its own.
_SHOWN = """() => {
  const result = document.getElementById("result");
  const used = [result, ...result.querySelectorAll("*")].flatMap((element) => {
    const style = getComputedStyle(element);
    return [style.color, style.backgroundColor, style.borderTopColor];
  });
  const reserved = ["cone", "can", "buoy"].map((name) => {
    const probe = document.createElement("span");
    probe.className = name;
    document.body.append(probe);
    const colour = getComputedStyle(probe).backgroundColor;
    probe.remove();
    return colour;
  });
  return {
    words: result.innerText.toLowerCase(),
    answer: document.getElementById("answer").textContent
      + document.getElementById("details").textContent,
    marks: result.querySelectorAll(".mark, .fill").length,
    distinct: new Set(reserved).size,
    colours: reserved.filter((colour) => used.includes(colour)),
  };
}"""
CLASSES = ("positive", "negative")


@dataclass
class Visit:
    """A page and the server behind it.

    Attributes:
        page: Playwright's page.
        server: what answers.
        noted: console errors, uncaught errors, and requests to anywhere else.
    """

    page: Page
    server: FakeServer
    noted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(5000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.noted.append(f"uncaught: {error}"))
        self.page.on("request", lambda request: self._request(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_OF_THE_BROWSER):
            self.noted.append(message.text)

    def _request(self, url: str) -> None:
        if not url.startswith(self.server.url):
            self.noted.append(f"request to {url}")

    def open(self, path: str = "") -> Visit:
        self.page.goto(self.server.url + path)
        return self

    def send(self, text: str = "A small film with a big heart.", *replies: Reply) -> None:
        if replies:
            self.server.replies = list(replies)
        self.page.fill("#text", text)
        self.page.click("#send")

    def await_state(self, state: str) -> None:
        expect(self.page.locator("#result")).to_have_attribute("data-state", state)

    def await_arrival(self) -> None:
        assert self.server.received.acquire(timeout=5), "no request has arrived"

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def ask(self, text: str, reply: Reply, state: str = "answer") -> None:
        self.send(text, reply)
        self.await_state(state)

    def assert_no_sentiment(self) -> None:
        """Fail if a class is named, or a mark, bar or colour of one can be seen."""
        shown = self.page.evaluate(_SHOWN)
        assert shown["distinct"] == 3, "the probe does not see the colours"
        assert not [name for name in CLASSES if name in shown["words"]], shown
        assert (shown["answer"], shown["marks"], shown["colours"]) == ("", 0, [])

    def assert_error(self, heading: str = "") -> None:
        self.await_state("error")
        self.assert_no_sentiment()
        assert heading in self.text("#error h2")
        assert self.text("#error p") != ""
        assert self.text("#status") == ""

    def evaluate(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)
