"""The page, the server and a trained model together: nothing faked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from marfa.predictor import Predictor
from marfa.settings import ServeSettings
from marfa.stages.serve import Running
from marfa.writer import Writer


@pytest.fixture
def running(model_path: Path) -> Iterator[Running]:
    with Running(model_path, ServeSettings(port=0)) as server:
        yield server


def noted(page: Page) -> list[str]:
    """Collect what a console shows, and requests that leave the server."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.mark.parametrize("text", ["I loved this wonderful film.", "فيلم رائع، أنصح به الجميع"])
def test_a_text_gets_the_models_answer(page: Page, running: Running, text: str) -> None:
    found = noted(page)
    page.goto(running.url)
    page.get_by_label("Your text").fill(text)
    page.get_by_role("button", name="Send").click()
    assert isinstance(running.model, Predictor)
    (judged,) = running.model.judge([text])
    heading = page.locator("#answer h2")
    expect(heading).to_have_text(judged.label or "I cannot judge this")
    expect(page.locator("#details h3")).to_have_text(
        f"{judged.known} of {judged.total} words known"
    )
    assert found == []


def test_no_word_and_no_known_word_are_declined_and_no_sentiments(
    page: Page, running: Running
) -> None:
    page.goto(running.url)
    for text in ("<br>", "Это было прекрасно"):
        page.get_by_label("Your text").fill(text)
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#result")).to_have_attribute("data-state", "declined")
        shown = page.locator("#result").inner_text().lower()
        assert not re.search("positive|negative", shown)


def test_the_api_page_is_made_from_the_servers_own_description(
    page: Page, running: Running
) -> None:
    found = noted(page)
    page.goto(running.url + "docs")
    expect(page.get_by_text("/invocations").first).to_be_visible()
    assert found == []


@pytest.fixture
def writing(writer_path: Path) -> Iterator[Running]:
    with Running(writer_path, ServeSettings(port=0)) as server:
        yield server


def write(page: Page, prompt: str, length: int, seed: int) -> None:
    page.fill("#prompt", prompt)
    page.fill("#length", str(length))
    page.locator("#more summary").click()
    page.fill("#seed", str(seed))
    page.click("#send")


@pytest.mark.parametrize("prompt", ["the film ", "كان الفيلم ", ""])
def test_a_text_is_written_as_the_model_writes_it(
    page: Page, writing: Running, prompt: str
) -> None:
    found = noted(page)
    page.goto(writing.url)
    write(page, prompt, 300, 5)
    expect(page.locator("#result")).to_have_attribute("data-state", "done")
    assert isinstance(writing.model, Writer)
    expected = writing.model.generate(prompt, length=300, seed=5)
    assert page.locator("#paper").text_content() == expected
    assert found == []


def test_a_text_goes_on_at_another_server_after_the_first_is_gone(
    page: Page, writer_path: Path
) -> None:
    limits = {"drain_seconds": 0.0, "max_length": 40_000}
    with Running(writer_path, ServeSettings(port=0, **limits)) as server:
        page.goto(server.url)
        port = int(server.url.rsplit(":", 1)[1].strip("/"))
        write(page, "so ", 40_000, 7)
        # the page allows no text to be run as a program, so no condition can be handed to it
        expect(page.locator("#paper")).to_have_text(re.compile(r".{100,}", re.DOTALL))
    assert len(page.locator("#paper").text_content() or "") < 40_000
    assert isinstance(server.model, Writer)
    expected = server.model.generate("so ", length=40_000, seed=7)
    # a server that stops says so, and leaves it to a person when to go on
    expect(page.locator("#result")).to_have_attribute("data-state", "error")
    with Running(writer_path, ServeSettings(port=port, **limits)):
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("#result")).to_have_attribute("data-state", "done", timeout=60_000)
        assert page.locator("#paper").text_content() == expected


def test_a_prompt_that_the_model_cannot_read_is_an_error(page: Page, writing: Running) -> None:
    page.goto(writing.url)
    write(page, "\u4e00\u4e8c", 50, 1)
    expect(page.locator("#result")).to_have_attribute("data-state", "error")
    expect(page.locator("#error")).to_contain_text("none of the 2 characters")
