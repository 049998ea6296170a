"""How long the lease runs: counted down from what the server tells; nothing where it tells nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect
from tests.browser.desk import Desk
from tests.browser.fake_server import FakeServer, Reply
from tests.browser.visit import Visit

ENDED = "The server’s lease has ended: it goes within minutes."


class Tell(Protocol):
    """Opens a page."""

    def __call__(self, seconds: str, kind: type[Visit] = Visit) -> Visit: ...


@pytest.fixture
def tell(page: Page, server: FakeServer) -> Iterator[Tell]:
    """Open the page of a server whose lease runs so many seconds."""
    page.clock.install()
    noted: list[str] = []

    def opened(seconds: str, kind: type[Visit] = Visit) -> Visit:
        leased(server, seconds)
        return kind(page, server, noted).open()

    yield opened
    assert noted == []


def leased(server: FakeServer, seconds: str) -> None:
    headers = {"Marfa-Lease-Seconds": seconds}
    server.others["healthz"] = Reply({"status": "alive"}, headers=headers)


def left(visit: Visit, words: str) -> None:
    expect(visit.page.locator("#lease")).to_have_text(words)


def draw_again(page: Page, milliseconds: int) -> None:
    """Let that time go by, and wait until the line is drawn, were it in the same words as before.

    The page asks the server before it draws, and that takes a time which no clock here runs: a
    minute that begins before the answer has come ends before the page asks again.
    """
    page.evaluate(
        """() => {
            const line = document.getElementById("lease");
            window.drawn = new Promise((done) =>
                new MutationObserver(done).observe(line, { childList: true }));
        }"""
    )
    page.clock.run_for(milliseconds)
    page.evaluate("window.drawn")


def come_back(visit: Visit) -> None:
    visit.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")


@pytest.mark.parametrize("kind", [Visit, Desk])
def test_the_minutes_are_counted_down_by_no_clock_that_can_be_set(
    tell: Tell, kind: type[Visit], page: Page
) -> None:
    visit = tell("3690", kind)
    left(visit, "The server’s lease ends in 1 hour, 2 minutes.")
    page.clock.run_for(31_000)
    left(visit, "The server’s lease ends in 1 hour, 1 minute.")
    page.clock.run_for(60_000)
    left(visit, "The server’s lease ends in 1 hour.")
    page.clock.set_system_time("2031-01-01")  # a visitor's clock is put right
    left(visit, "The server’s lease ends in 1 hour.")
    page.clock.run_for(50 * 60_000)
    left(visit, "The server’s lease ends in 10 minutes.")


def test_a_renewal_shows_when_a_person_comes_back(tell: Tell) -> None:
    visit = tell("119")
    left(visit, "The server’s lease ends in 2 minutes.")
    leased(visit.server, "7200")
    come_back(visit)
    left(visit, "The server’s lease ends in 2 hours.")


def test_a_renewal_shows_at_the_end(tell: Tell, page: Page) -> None:
    visit = tell("119")
    left(visit, "The server’s lease ends in 2 minutes.")
    leased(visit.server, "7200")
    page.clock.run_for(125_000)
    left(visit, "The server’s lease ends in 2 hours.")


def test_one_that_has_ended_says_so_until_it_is_renewed_or_the_server_is_gone(
    tell: Tell, page: Page
) -> None:
    visit = tell("30")
    left(visit, "The server’s lease ends in 1 minute.")
    leased(visit.server, "0")
    for _ in range(3):
        draw_again(page, 60_000)
        left(visit, ENDED)
    leased(visit.server, "900")
    page.clock.run_for(61_000)
    left(visit, "The server’s lease ends in 15 minutes.")
    leased(visit.server, "0")
    come_back(visit)
    left(visit, ENDED)
    visit.server.others["healthz"] = Reply(hang_up=True)
    page.clock.run_for(61_000)
    left(visit, "")


def test_without_a_network_nothing_is_counted(tell: Tell, page: Page) -> None:
    visit = tell("600")
    left(visit, "The server’s lease ends in 10 minutes.")
    page.context.set_offline(True)
    left(visit, "")
    page.clock.run_for(120_000)
    left(visit, "")
    page.context.set_offline(False)
    left(visit, "The server’s lease ends in 10 minutes.")


@pytest.mark.parametrize("told", ["soon", "", "-", "NaN"])
def test_what_is_no_number_is_not_shown(tell: Tell, told: str, page: Page) -> None:
    visit = tell(told)
    expect(page.locator("#about")).to_contain_text("Model")
    page.clock.run_for(61_000)
    left(visit, "")
    expect(page.locator("#lease")).to_be_hidden()


def test_where_there_is_no_lease_there_is_no_line(visit: Visit) -> None:
    expect(visit.page.locator("#about")).to_contain_text("Model")
    left(visit, "")


@pytest.mark.parametrize(
    ("language", "runs", "ended"),
    [
        ("fr", "Le bail du serveur prend fin dans 2 heures et 5 minutes.", "Le bail du serveur a"),
        ("ar", "الوقت المتبقي للخادم: ساعتان و5 دقائق.", "انتهت مدة الخادم"),
    ],
)
def test_it_is_told_in_the_language_of_the_person(
    tell: Tell, language: str, runs: str, ended: str
) -> None:
    visit = tell("7500")
    left(visit, "The server’s lease ends in 2 hours, 5 minutes.")
    visit.page.select_option("#language", language)
    left(visit, runs)
    leased(visit.server, "0")
    come_back(visit)
    expect(visit.page.locator("#lease")).to_contain_text(ended)
    visit.page.clock.run_for(30_000)
    visit.page.select_option("#language", "en")
    left(visit, ENDED)


def test_it_interrupts_nobody(tell: Tell, page: Page) -> None:
    tell("600")
    assert page.locator("#lease").evaluate("each => each.closest('[aria-live], [role]')") is None
