"""The page behind what stands for AWS on this machine, as it would be at its public address."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect
from tests.browser.test_offline import settle

from marfa.loading import load
from marfa.predictor import Predictor
from marfa.rehearsal.story import Step
from marfa.settings import CloudSettings
from marfa.stages.rehearse import rehearse
from marfa.writer import Writer

LEFT = re.compile(r"The server’s lease ends in 1[456] minutes\.")


class Rehearsed:
    """Rehearsals in threads, and their clock."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._ahead = folder, timedelta(0)
        self._threads: list[threading.Thread] = []
        self.results: list[dict[str, Any]] = []

    def up(self, model: Path, **settings: Any) -> str:
        """Return the page's address, once it is there."""
        told: queue.Queue[Step | None] = queue.Queue()

        def play() -> None:
            chosen = CloudSettings(**{"lease": "15m", **settings})
            try:
                result = rehearse(
                    model, chosen, workdir=str(self._folder), stay=True, tell=told.put,
                    now=lambda: datetime.now(UTC) + self._ahead,
                )  # fmt: skip
                self.results.append(result)
            finally:
                told.put(None)

        self._threads.append(threading.Thread(target=play))
        self._threads[-1].start()
        while (step := told.get(timeout=60)) is not None:
            for line in step.here:
                if found := re.match(r"the page:  (\S+)", line):
                    return found[1]
        pytest.fail("it did not come up")

    def end(self) -> None:
        """Let the lease end."""
        self._ahead = timedelta(hours=1)
        for thread in self._threads:
            thread.join()


@pytest.fixture
def rehearsed(tmp_path: Path) -> Iterator[Rehearsed]:
    made = Rehearsed(tmp_path)
    yield made
    made.end()
    assert [result["left"] for result in made.results] == [[]]


def noted(page: Page) -> list[str]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.mark.parametrize("target", ["lambda", "serverless", "endpoint"])
def test_a_text_is_judged_behind_every_target(
    page: Page, rehearsed: Rehearsed, model_path: Path, target: str
) -> None:
    model = load(model_path, engine="numpy")
    assert isinstance(model, Predictor)
    found = noted(page)
    page.goto(rehearsed.up(model_path, target=target))
    expect(page.locator("#about")).to_contain_text("test texts")
    for text in ("I loved this wonderful film.", "فيلم رائع، أنصح به الجميع"):
        page.get_by_label("Your text").fill(text)
        page.get_by_role("button", name="Send").click()
        (judged,) = model.judge([text])
        expect(page.locator("#details h3")).to_have_text(
            f"{judged.known} of {judged.total} words known"
        )
        expect(page.locator("#answer h2")).to_have_text(judged.label or "I cannot judge this")
    expect(page.locator("#lease")).to_have_text(LEFT)
    assert found == []


@pytest.mark.parametrize("target", ["lambda", "endpoint"])
def test_a_text_is_written_behind_every_target(
    page: Page, rehearsed: Rehearsed, writer_path: Path, target: str
) -> None:
    model = load(writer_path, engine="numpy")
    assert isinstance(model, Writer)
    found = noted(page)
    page.goto(rehearsed.up(writer_path, target=target))
    page.fill("#prompt", "the film ")
    page.fill("#length", "200")
    page.locator("#more summary").click()
    page.fill("#seed", "5")
    page.click("#send")
    expect(page.locator("#result")).to_have_attribute("data-state", "done")
    assert page.locator("#paper").text_content() == model.generate("the film ", length=200, seed=5)
    expect(page.locator("#lease")).to_have_text(LEFT)
    assert found == []


def test_the_page_outlives_its_lease_even_where_few_requests_are_let_in_at_once(
    page: Page, rehearsed: Rehearsed, model_path: Path
) -> None:
    url = rehearsed.up(model_path, burst=15)  # its own files, and no more
    page.goto(url)
    settle(page)
    rehearsed.end()
    page.goto(url)
    page.fill("#text", "I loved this wonderful film.")
    page.click("#send")
    expect(page.locator("#credit")).to_contain_text("Answered on this device")


def test_after_the_end_of_the_lease_there_is_an_error_and_no_sentiment(
    page: Page, rehearsed: Rehearsed, model_path: Path
) -> None:
    # before an endpoint the page has no model of its own, so that nobody is left to answer
    page.goto(rehearsed.up(model_path, target="endpoint"))
    expect(page.locator("#about")).to_contain_text("test texts")
    rehearsed.end()
    page.get_by_label("Your text").fill("I loved this wonderful film.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#result")).to_have_attribute("data-state", "error")
    assert not re.search("positive|negative", page.locator("#result").inner_text().lower())
