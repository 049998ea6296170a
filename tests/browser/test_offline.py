"""The page without a network, and one version after another, in a browser that has been here before."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests import untrained
from tests.browser.fake_server import FakeServer, Reply, judgement
from tests.browser.visit import Visit

from marfa import archives, loading
from marfa.container import pages
from marfa.container.messages import DEFAULT_LIMITS
from marfa.settings import ModelSettings, ServeSettings, TextSettings
from marfa.stages.serve import Running

TEXT = "I loved this wonderful film."
NAMES = "async () => (await caches.keys()).filter((name) => name.startsWith('marfa-'))"


KEPT = "async () => (await (await fetch('device.json')).json()).file"
"""The name of the model that the version has which answers."""


def settle(page: Page) -> None:
    """Wait until a whole version is kept, and answers."""
    page.evaluate("() => navigator.serviceWorker.ready")
    until = time.monotonic() + 20
    while not page.evaluate("() => Boolean(navigator.serviceWorker.controller)"):
        assert time.monotonic() < until
        page.wait_for_timeout(50)


def await_waiting(page: Page) -> None:
    """Wait until a new version is whole, beside the one that answers."""
    script = """async () => {
      const kept = await navigator.serviceWorker.getRegistration();
      await kept.update();
      return Boolean(kept.waiting);
    }"""
    until = time.monotonic() + 20
    while not page.evaluate(script):
        assert time.monotonic() < until
        page.wait_for_timeout(50)


def renew(page: Page) -> None:
    """Load the page again; a new version that takes over then loads it once more by itself."""
    page.reload(wait_until="commit")


@pytest.mark.alone
def test_the_second_visit_needs_no_server(page: Page, model_path: Path) -> None:
    noted: list[str] = []
    page.on("pageerror", lambda error: noted.append(str(error)))
    with Running(model_path, ServeSettings(port=0)) as server:
        page.goto(server.url)
        settle(page)
        assert len(page.evaluate(NAMES)) == 1
    page.context.set_offline(True)
    seconds = [answered_within(page, server.url) for _ in range(3)]
    expect(page.locator("#about")).to_contain_text(
        "test texts"
    )  # what the server told of its model
    (judged,) = server.model.judge([TEXT])  # type: ignore[union-attr]
    expect(page.locator("#answer h2")).to_have_text(str(judged.label))
    assert min(seconds) <= 1, seconds  # the machine of a test may be busy
    assert noted == []


def answered_within(page: Page, url: str) -> float:
    """Return the seconds from opening the page to its own answer."""
    page.goto("about:blank")
    began = time.monotonic()
    page.goto(url)
    page.fill("#text", TEXT)
    page.click("#send")
    expect(page.locator("#credit")).to_contain_text("Answered on this device")
    return time.monotonic() - began


def test_a_text_is_written_without_a_server(page: Page, writer_path: Path) -> None:
    with Running(writer_path, ServeSettings(port=0)) as server:
        page.goto(server.url)
        settle(page)
    page.context.set_offline(True)
    page.goto(server.url)
    page.fill("#prompt", "the film ")
    page.click("#send")
    expect(page.locator("#result")).to_have_attribute("data-state", "done", timeout=20_000)
    assert len(page.locator("#paper").text_content() or "") == 200
    expect(page.locator("#facts")).to_contain_text("written on this device")


@pytest.fixture
def versions(tmp_path: Path) -> list[Path]:
    shape = ModelSettings(embedding=4, hidden=3)
    made = [
        untrained.judge(shape, TextSettings(vocabulary=size, max_words=20)) for size in (60, 70)
    ]
    paths = [tmp_path / f"{number}.tar.gz" for number in range(2)]
    for path, each in zip(paths, made, strict=True):
        archives.write_tar_gz(path, each.members)
    return paths


@pytest.fixture
def site(server: FakeServer, versions: list[Path]) -> FakeServer:
    publish(server, versions[0])
    return server


def publish(server: FakeServer, path: Path, folder: str = "", **changed: Reply) -> None:
    """Serve a version; its own files come from the same bundle, and so does its service worker."""
    serve(server, files_of(path), folder, **changed)


def files_of(path: Path, *, has_engine: bool = True) -> dict[str, pages.Page]:
    files = pages.files(loading.of(_load(path), engine="numpy"), DEFAULT_LIMITS)
    return files | (pages.own(_load(path), files) if has_engine else pages.without())


def serve(
    server: FakeServer, found: dict[str, pages.Page], folder: str = "", **changed: Reply
) -> None:
    server.others |= {
        folder + address[1:]: Reply(page.content, content_type=page.content_type)
        for address, page in found.items()
    } | changed


def _load(path: Path) -> Any:
    from marfa import bundle

    return bundle.load(path)


def visited_before_another_version(page: Page, site: FakeServer, versions: list[Path]) -> list[str]:
    """Let a page keep the first version while the second waits; return the names of what it keeps."""
    page.goto(site.url)
    settle(page)
    old: list[str] = page.evaluate(NAMES)
    publish(site, versions[1])
    await_waiting(page)
    return old


def test_a_new_version_takes_the_old_ones_place_as_a_whole(
    page: Page, site: FakeServer, versions: list[Path]
) -> None:
    old = visited_before_another_version(page, site, versions)
    assert page.locator("#about").inner_text().count(_load(versions[0]).model_id) == 1
    renew(page)
    expect(page.locator("#about")).to_contain_text(_load(versions[1]).model_id)
    settle(page)
    new = page.evaluate(NAMES)
    assert len(new) == 1
    assert new != old
    held = page.evaluate(
        "async () => (await (await caches.open((await caches.keys())[0])).keys()).map((r) => r.url)"
    )
    assert sum(_load(versions[1]).model_id in url for url in held) == 1
    assert sum(_load(versions[0]).model_id in url for url in held) == 0


def test_while_the_old_version_is_open_elsewhere_it_stays(
    page: Page, site: FakeServer, versions: list[Path]
) -> None:
    page.goto(site.url)
    settle(page)
    other = page.context.new_page()
    other.goto(site.url)
    publish(site, versions[1])
    await_waiting(page)
    renew(page)
    expect(page.locator("#about")).to_contain_text(_load(versions[0]).model_id)
    other.close()
    renew(page)
    expect(page.locator("#about")).to_contain_text(_load(versions[1]).model_id)


def test_a_new_tab_does_not_take_over_while_the_old_version_is_open(
    page: Page, site: FakeServer, versions: list[Path]
) -> None:
    old = visited_before_another_version(page, site, versions)
    other = page.context.new_page()
    other.goto(site.url)
    for each in (page, other):
        assert _load(versions[0]).model_id in each.evaluate(KEPT)
    assert old[0] in page.evaluate(NAMES)  # and it is whole, for what the old page still fetches
    other.close()
    page.close()
    last = page.context.new_page()
    last.goto(site.url)
    expect(last.locator("#about")).to_contain_text(_load(versions[1]).model_id)
    assert _load(versions[1]).model_id in last.evaluate(KEPT)


def test_two_pages_of_one_host_keep_their_own(
    page: Page, server: FakeServer, versions: list[Path]
) -> None:
    for path, folder in zip(versions, ("one/", "two/"), strict=True):
        publish(server, path, folder)
        page.goto(server.url + folder)
        settle(page)
    assert len(page.evaluate(NAMES)) == 2
    page.context.set_offline(True)
    for path, folder in zip(versions, ("one/", "two/"), strict=True):
        page.goto(server.url + folder)
        expect(page.locator("#about")).to_contain_text(_load(path).model_id)


def test_a_version_without_an_engine_replaces_one_that_had_it(
    page: Page, site: FakeServer, versions: list[Path]
) -> None:
    publish(site, versions[0], "two/")
    page.goto(site.url + "two/")
    settle(page)
    page.goto(site.url)
    settle(page)
    site.others = {name: each for name, each in site.others.items() if name.startswith("two/")}
    serve(site, files_of(versions[1], has_engine=False))
    page.evaluate("async () => (await navigator.serviceWorker.getRegistration()).update()")
    registered = "async () => Boolean(await navigator.serviceWorker.getRegistration())"
    until = time.monotonic() + 20
    while page.evaluate(registered):
        assert time.monotonic() < until
        page.wait_for_timeout(50)
    page.reload()
    expect(page.locator("#about")).to_contain_text(_load(versions[1]).model_id)
    assert page.evaluate(KEPT) is None
    assert len(page.evaluate(NAMES)) == 1  # of the other folder


def test_the_card_is_of_the_model_that_answers(
    page: Page, site: FakeServer, versions: list[Path]
) -> None:
    first, second = (_load(path).model_id for path in versions)
    page.goto(site.url)
    settle(page)
    publish(site, versions[1], **{"sw.js": site.others["sw.js"]})
    page.reload()
    expect(page.locator("#about")).to_contain_text(first)
    visit = Visit(page, site)
    visit.ask(TEXT, judgement(model=second))
    expect(page.locator("#about")).to_contain_text(second)
    site.others["v1/model"] = Reply({"model": first})  # a server may go back, too
    visit.ask(TEXT, judgement(model=first))
    expect(page.locator("#about")).to_contain_text(first)
    assert visit.noted == []


def test_the_page_opens_by_the_name_of_its_file_too(
    page: Page, site: FakeServer, versions: list[Path]
) -> None:
    page.goto(site.url)
    settle(page)
    page.context.set_offline(True)
    page.goto(site.url + "index.html")
    expect(page.locator("#about")).to_contain_text(_load(versions[0]).model_id)


def test_where_no_worker_can_be_registered_the_model_is_read_at_once(
    page: Page, site: FakeServer
) -> None:
    site.others["sw.js"] = Reply(b"", 500)
    with page.expect_response("**/*.bin"):
        page.goto(site.url)


def test_files_of_two_versions_are_never_kept_together(
    page: Page, site: FakeServer, versions: list[Path]
) -> None:
    page.goto(site.url)
    settle(page)
    old = page.evaluate(NAMES)
    publish(site, versions[1], **{"words.js": Reply(b"// another", content_type="text/javascript")})
    page.evaluate("async () => (await navigator.serviceWorker.getRegistration()).update()")
    page.wait_for_timeout(1000)
    renew(page)
    expect(page.locator("#about")).to_contain_text(_load(versions[0]).model_id)
    assert page.evaluate(NAMES) == old
    publish(site, versions[1])
    await_waiting(page)
    renew(page)
    expect(page.locator("#about")).to_contain_text(_load(versions[1]).model_id)
