"""The page's own engine in a real browser, on ten thousand texts; see tests/own/claims.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests import untrained
from tests.browser.fake_server import FakeServer, Reply
from tests.own import claims

OWN = Path(claims.__file__).parent
MANY = 10_000
HTML = b"""<!doctype html><meta charset="utf-8"><title>test</title>
<p id="shown"></p><script type="module" src="browser.js"></script>"""
SCRIPT = "text/javascript; charset=utf-8"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def engine(page: Page, server: FakeServer) -> claims.Engine:
    for name in ("runner.js", "browser.js"):
        server.others[name] = Reply((OWN / name).read_bytes(), content_type=SCRIPT)
    server.others["ask"] = Reply(HTML, content_type="text/html; charset=utf-8")

    def ask(model: bytes, jobs: dict[str, list[Any]]) -> dict[str, list[Any]]:
        server.others["jobs.json"] = Reply(json.dumps(jobs).encode())
        server.others["model.bin"] = Reply(model, content_type="application/octet-stream")
        page.goto(server.url + "ask")
        shown = page.locator("#shown")
        expect(shown).to_have_attribute("data-state", "done", timeout=120_000)
        found = json.loads(shown.text_content() or "")
        assert "failed" not in found, found["failed"]
        return dict(found)

    return ask


@pytest.mark.parametrize("name", claims.SHAPES)
def test_it_judges_as_python_with_networks_of_every_shape(engine: claims.Engine, name: str) -> None:
    claims.judges_as_python(engine, untrained.judge(*claims.SHAPES[name]), MANY)


@pytest.mark.parametrize("name", claims.SHAPES)
def test_it_declines_as_python(engine: claims.Engine, name: str) -> None:
    kinds = claims.declines_as_python(engine, untrained.judge(*claims.SHAPES[name]), MANY)
    assert kinds == {"", "empty", "unknown_words", "script", "short"}


def test_it_judges_as_python_with_a_trained_model(engine: claims.Engine, model_path: Path) -> None:
    claims.judges_as_python(engine, model_path, MANY)


@pytest.mark.parametrize("name", claims.SHAPES)
def test_it_explains_as_python_with_networks_of_every_shape(
    engine: claims.Engine, name: str
) -> None:
    claims.explains_as_python(engine, untrained.judge(*claims.SHAPES[name]), MANY // 10)


def test_it_explains_as_python_with_a_trained_model(
    engine: claims.Engine, model_path: Path
) -> None:
    claims.explains_as_python(engine, model_path, MANY // 10)


def test_it_answers_the_golden_requests(
    engine: claims.Engine, model_path: Path, writer_path: Path
) -> None:
    claims.answers_golden_requests(engine, model_path)
    claims.answers_golden_requests(engine, writer_path)


@pytest.mark.parametrize("name", claims.WRITERS)
def test_it_writes_as_python_with_networks_of_every_shape(engine: claims.Engine, name: str) -> None:
    claims.writes_as_python(engine, untrained.writer(claims.WRITERS[name]), 50)


def test_it_writes_as_python_with_a_trained_model(engine: claims.Engine, writer_path: Path) -> None:
    claims.writes_as_python(engine, writer_path, 50)


def test_a_text_that_was_stopped_ends_as_one_that_was_not(
    engine: claims.Engine, writer_path: Path
) -> None:
    claims.goes_on_as_unbroken(engine, writer_path)


def test_it_draws_stems_and_cleans_as_python(engine: claims.Engine) -> None:
    claims.draws_as_python(engine)
    claims.stems_as_snowball(engine)
    claims.cleans_as_python(engine)


def test_its_unicode_is_pythons_as_far_as_python_knows_it(engine: claims.Engine) -> None:
    assert claims.knows_unicode_as_python(engine) == []
