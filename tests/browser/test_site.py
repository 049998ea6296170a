"""The page as a folder on a host that knows nothing but files, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests import untrained
from tests.browser.test_offline import settle

from marfa import archives, loading
from marfa.settings import WriterSettings
from marfa.stages.site import site


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Say nothing."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Give a folder below the root of a host, and its address."""
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "public"))
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield tmp_path / "public" / "demo", f"http://127.0.0.1:{server.server_address[1]}/demo/"
    server.shutdown()
    server.server_close()
    thread.join()


def watch(page: Page) -> list[str]:
    noted: list[str] = []
    page.on("console", lambda message: noted.append(message.text))
    page.on("pageerror", lambda error: noted.append(str(error)))
    return noted


def test_a_folder_of_files_judges_at_once_and_offline(
    page: Page, host: tuple[Path, str], model_path: Path
) -> None:
    folder, address = host
    site(model_path, folder)
    noted, asked = watch(page), list[str]()
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    model = loading.load(model_path, engine="numpy")
    for text in ("I loved this wonderful film.", "فيلم رائع، أنصح به الجميع"):
        page.goto(address)
        settle(page)
        page.fill("#text", text)
        page.click("#send")
        expect(page.locator("#credit")).to_contain_text("Answered on this device, model")
        (judged,) = model.judge([text])  # type: ignore[union-attr]
        expect(page.locator("#answer h2")).to_have_text(judged.label or "I cannot judge this")
        page.context.set_offline(True)
    assert all(each.startswith(f"GET {address}") for each in asked)
    assert noted == []


def test_a_folder_of_files_writes(page: Page, host: tuple[Path, str], writer_path: Path) -> None:
    folder, address = host
    site(writer_path, folder)
    noted = watch(page)
    page.goto(address)
    page.fill("#prompt", "the film ")
    page.click("#send")
    expect(page.locator("#result")).to_have_attribute("data-state", "done", timeout=20_000)
    assert len(page.locator("#paper").text_content() or "") == 200
    expect(page.locator("#facts")).to_contain_text("written on this device")
    assert noted == []


def test_chromium_would_install_it(page: Page, host: tuple[Path, str], model_path: Path) -> None:
    folder, address = host
    site(model_path, folder)
    page.goto(address)
    settle(page)
    devtools = page.context.new_cdp_session(page)
    told = devtools.send("Page.getAppManifest")
    assert told["errors"] == []
    assert '"start_url": "./"' in told["data"]
    found = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {each["errorId"] for each in found} <= {"in-incognito"}, found  # as every test's page is


def test_a_long_text_leaves_the_page_responsive(
    page: Page, host: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = host
    path = tmp_path / "model.tar.gz"
    archives.write_tar_gz(path, untrained.writer(WriterSettings(hidden=256)).members)
    site(path, folder)
    page.goto(address)
    page.fill("#length", "4000")
    page.click("#send")
    expect(page.locator("#facts")).to_contain_text("seed")
    worst = page.evaluate("""async () => {
      let worst = 0;
      for (let round = 0; round < 10; round += 1) {
        const began = performance.now();
        await new Promise((resolve) => setTimeout(resolve, 10));
        worst = Math.max(worst, performance.now() - began);
      }
      return worst;
    }""")
    assert worst < 500, worst  # milliseconds, on a busy machine
    page.keyboard.press("Escape")
    expect(page.locator("#result")).to_have_attribute("data-state", "stopped")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#result")).to_have_attribute("data-state", "done", timeout=60_000)
    assert len(page.locator("#paper").text_content() or "") == 4000
