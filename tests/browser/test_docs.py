"""The reference page says what openapi.json says."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import expect
from tests.browser.fake_server import Reply
from tests.browser.test_appearance import CONTRAST
from tests.browser.visit import Visit

ATTACK = "<img src=x onerror='window.hit = 1'>"
DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "marfa: sentiment", "version": "1.2.3", "description": "Sorts a text."},
    "paths": {
        "/v1/predict": {
            "parameters": [{"name": "trace", "in": "header", "schema": {"type": "string"}}],
            "post": {
                "summary": "Judge text.",
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/Question"},
                            "example": {"text": "A gem."},
                        }
                    }
                },
                "responses": {
                    "200": {
                        "description": "The answer.",
                        "content": {
                            "text/plain": {"schema": {"type": "string"}, "example": "1"},
                            "text/event-stream": {"example": "event: done\ndata: {}\n"},
                        },
                    },
                    "422": {"description": f"No word is left. {ATTACK}"},
                },
            },
        },
        "/ping": {"get": {"summary": "Alive?", "responses": {}}},
    },
    "components": {
        "schemas": {
            "Question": {
                "type": "object",
                "required": ["text"],
                "properties": {
                    "text": {"type": "string", "maxLength": 9},
                    "labels": {"type": "array", "items": {"enum": ["a", None]}, "minItems": 1},
                    "self": {"$ref": "#/components/schemas/Question"},
                },
            },
            "Share": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        }
    },
}


@pytest.fixture
def described(visit: Visit) -> Visit:
    visit.server.others["openapi.json"] = Reply(DESCRIPTION)
    visit.open("docs")
    visit.page.locator("section").first.wait_for()
    return visit


def test_every_operation_is_shown_with_its_parts(described: Visit) -> None:
    assert described.text("h1") == "marfa: sentiment"
    assert described.text("#lead") == "Sorts a text. Version 1.2.3."
    headings = described.page.locator("section h2").all_inner_texts()
    assert [heading.split() for heading in headings] == [["POST", "/v1/predict"], ["GET", "/ping"]]
    first = described.text("section:first-of-type")
    for part in ("Judge text.", "trace in header, optional: string", "application/json"):
        assert part in first
    for part in ("text/event-stream", "event: done\ndata: {}"):
        assert part in first
    for part in ('"text": "A gem."', "Answer 200", "The answer.", "422 No word is left."):
        assert part in first


def test_schemas_are_written_in_one_notation(described: Visit) -> None:
    question, share = described.page.locator("#reference > pre").all_text_contents()
    assert question == (
        '{\n  "text": string (to 9 characters),\n'
        '  "labels"?: ["a" | null, …] (from 1 items),\n  "self"?: Question\n}'
    )
    assert share == "number | null (from 0 to 1)"


def test_a_named_schema_is_a_link_to_it(described: Visit) -> None:
    described.page.click("section pre a")
    expect(described.page.locator("#Question")).to_be_in_viewport()


def test_a_description_does_not_become_markup(described: Visit) -> None:
    assert ATTACK in described.text("#reference")
    assert described.page.locator("main img").count() == 0
    assert described.evaluate("() => window.hit") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_reference_can_be_read_on_a_phone_in_both_schemes(
    described: Visit, scheme: Any
) -> None:
    described.page.emulate_media(color_scheme=scheme)
    described.page.set_viewport_size({"width": 360, "height": 640})
    assert described.evaluate("() => document.documentElement.scrollWidth") == 360
    assert not [each for each in described.evaluate(CONTRAST) if each[1] < each[2]]


def test_a_description_that_cannot_be_read_is_said_to_be_so(visit: Visit) -> None:
    broken = [Reply(b"", 500), Reply(b"<html>"), Reply({}), Reply(b"null"), Reply(hang_up=True)]
    half = {"/ping": DESCRIPTION["paths"]["/ping"], "/": None}
    for reply in [*broken, Reply({"paths": half})]:
        visit.server.others["openapi.json"] = reply
        visit.open("docs")
        expect(visit.page.locator("#lead")).to_contain_text("could not be read")
        assert visit.text("#reference") == ""


def test_the_page_leads_to_the_reference_and_back(visit: Visit) -> None:
    visit.server.others["openapi.json"] = Reply(DESCRIPTION)
    visit.page.click("footer a")
    visit.page.locator("section").first.wait_for()
    assert visit.page.url == visit.server.url + "docs"
    visit.page.click(".brand")
    expect(visit.page.locator("#text")).to_be_visible()
