"""The page on a line of 250 kbit/s that takes 200 ms for each way there and back."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect
from tests.browser.test_offline import settle

from marfa.settings import ServeSettings
from marfa.stages.serve import Running

BITS, LATENCY_MS = 250_000, 200
PAINTED = """() => new Promise((resolve) => {
  const seen = () => performance.getEntriesByName("first-contentful-paint")[0];
  const wait = () => (seen() ? resolve(seen().startTime) : setTimeout(wait, 20));
  wait();
})"""


def slow_down(page: Page) -> None:
    rate = BITS / 8
    line = {
        "offline": False,
        "latency": LATENCY_MS,
        "downloadThroughput": rate,
        "uploadThroughput": rate,
    }
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", line)


@pytest.mark.alone
@pytest.mark.parametrize("fixture", ["model_path", "writer_path"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_first_paint_comes_within_a_second(
    page: Page, request: pytest.FixtureRequest, fixture: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    with Running(request.getfixturevalue(fixture), ServeSettings(port=0)) as server:
        slow_down(page)
        paints = []
        for _ in range(3):  # the machine of a test may be busy; the line is as slow each time
            page.goto(server.url, wait_until="commit")
            paints.append(page.evaluate(PAINTED))
            page.evaluate("""async () => {
              const kept = await navigator.serviceWorker.getRegistrations();
              await Promise.all(kept.map((each) => each.unregister()));
              for (const name of await caches.keys()) await caches.delete(name);
            }""")
    assert min(paints) <= 1000, paints
    assert page.locator("h1").is_visible()


def test_a_text_can_be_sent_before_the_engine_is_there(page: Page, model_path: Path) -> None:
    with Running(model_path, ServeSettings(port=0)) as server:
        slow_down(page)
        page.goto(server.url, wait_until="commit")
        page.fill("#text", "I loved this wonderful film.")
        page.click("#send")
        expect(page.locator("#credit")).to_contain_text("Answered by", timeout=20_000)
        settle(page)
        assert page.evaluate("async () => (await caches.keys()).length") == 1


def test_a_language_comes_after_the_page_and_its_answer_is_in_it(
    page: Page, model_path: Path
) -> None:
    with Running(model_path, ServeSettings(port=0)) as server:
        slow_down(page)
        page.goto(server.url, wait_until="commit")
        page.select_option("#language", "ar", timeout=20_000)
        page.fill("#text", "I loved this wonderful film.")
        page.click("#send")
        expect(page.locator("html")).to_have_attribute("dir", "rtl", timeout=20_000)
        expect(page.locator("#credit")).to_contain_text("الخادم", timeout=20_000)
