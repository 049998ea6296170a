"""Take the pictures of the page that the README shows; `make screenshots` runs this.

    python docs/screenshots/take.py JUDGE.tar.gz WRITER.tar.gz

Both are packaged models; each picture is what a visitor of `marfa serve` sees, in a real Chromium.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from marfa.settings import ServeSettings
from marfa.stages.serve import Running

FOLDER = Path(__file__).parent
MOST_BYTES = 200_000
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


def shoot(page: Page, name: str) -> None:
    """Take a picture of the whole page, which must not be large."""
    path = FOLDER / f"{name}.png"
    page.mouse.move(0, 0)
    page.screenshot(path=path, full_page=True)
    size = path.stat().st_size
    if size > MOST_BYTES:
        sys.exit(f"{path}: {size} bytes, more than {MOST_BYTES}")
    sys.stdout.write(f"{path}: {size:,} bytes\n")


def judged(page: Page, address: str) -> None:
    """Have the first example judged, and ask why."""
    page.goto(address)
    page.locator("[data-text]").first.click()
    page.locator("#why").click()
    expect(page.locator("figcaption .for")).to_be_visible(timeout=20_000)


def main() -> None:
    """Serve both models, and take a picture of each page in a state worth seeing."""
    judge, writer = sys.argv[1:]
    launch = {
        "executable_path": os.environ.get("CHROMIUM") or shutil.which("chromium"),
        "args": ["--no-sandbox", "--disable-gpu"],
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch)
        with Running(Path(judge), ServeSettings(port=0)) as server:
            page = browser.new_page(viewport=DESKTOP, locale="en")
            judged(page, server.url)
            shoot(page, "judging")
            page = browser.new_page(viewport=PHONE, locale="ar", color_scheme="dark")
            judged(page, server.url)
            shoot(page, "judging-in-arabic")
        with Running(Path(writer), ServeSettings(port=0)) as server:
            page = browser.new_page(viewport=DESKTOP, locale="fr", color_scheme="dark")
            page.goto(server.url)
            page.click("#more summary")
            page.fill("#seed", "7")
            page.fill("#length", "320")
            page.locator("[data-text]").nth(1).click()
            expect(page.locator("#result")).to_have_attribute("data-state", "done", timeout=60_000)
            shoot(page, "writing-in-french")
        browser.close()


if __name__ == "__main__":
    main()
