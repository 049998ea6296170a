"""A browser that is installed on the machine, and a fake server for it to talk to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.fake_server import FakeServer, running

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from tests.browser.desk import Desk
    from tests.browser.visit import Visit

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed, and CHROMIUM names none")
    return {"executable_path": path, "args": list(_ARGUMENTS)}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Replace the plugin's, which pytest 9 warns of: every test goes to its own server."""


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with running() as each:
        yield each


@pytest.fixture
def visit(page: Page, server: FakeServer) -> Iterator[Visit]:
    """Open the page; whatever a test does, no error, and no request to anywhere else."""
    from tests.browser.visit import Visit

    each = Visit(page, server)
    each.open()
    yield each
    assert each.noted == []


@pytest.fixture
def desk(page: Page, server: FakeServer) -> Iterator[Desk]:
    """Open the page of a model that writes; no error, and no request to anywhere else."""
    from tests.browser.desk import Desk

    each = Desk(page, server)
    each.open()
    yield each
    each.writer.silent.set()
    assert each.noted == []
