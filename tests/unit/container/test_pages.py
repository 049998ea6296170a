"""What is always the same at an address."""

import base64
import gzip
import json
import re
from importlib import resources

import pytest
from tests import gateways

from marfa.container import pages
from marfa.container.contract import Limits, Request, respond
from marfa.container.front import Front
from marfa.loading import load


def test_the_description_of_the_model_is_the_contracts(model_path):
    model = load(model_path, engine="numpy")
    found = pages.files(model, Limits())["/v1/model"].response
    expected = respond(model, Request("GET", "/v1/model"))
    assert (found.status, found.content_type, found.body) == (
        200,
        expected.content_type,
        expected.body,
    )


def test_pages_written_as_files_are_read_as_they_were(model_path, tmp_path):
    made = pages.files(load(model_path, engine="numpy"), Limits())
    for name, content in pages.pack(made).items():
        (tmp_path / name).write_bytes(content)
    assert pages.unpack(tmp_path) == made
    assert {"/", "/docs", "/openapi.json", "/page.js", "/v1/model", "/healthz"} <= made.keys()


def test_equal_pages_are_written_as_equal_files(model_path):
    made = pages.files(load(model_path, engine="numpy"), Limits())
    backwards = dict(reversed(made.items()))
    assert list(pages.pack(made).items()) == list(pages.pack(backwards).items())
    assert json.loads(pages.pack(made)["index.json"])["/"]["content_type"].startswith("text/html")


@pytest.mark.parametrize("fixture", ["model_path", "writer_path"])
def test_a_language_has_all_that_its_page_says_and_little_else(request, fixture):
    found = pages.files(load(request.getfixturevalue(fixture), engine="numpy"), Limits())
    text = "\n".join(
        each.content.decode() for path, each in found.items() if path != "/openapi.json"
    )
    english = re.findall(r"const ENGLISH = \{\n(.*?)\n\};", text, re.DOTALL)
    own = set(re.findall(r"^  (\w+): ", "\n".join(english), re.MULTILINE))
    own |= set(re.findall(r'data-say(?:-\w+)?="(\w+)"', text))
    everything = json.loads(resources.files("marfa").joinpath("web", "fr.json").read_text("utf-8"))
    for language in ("fr", "ar"):
        said = json.loads(found[f"/{language}.json"].content)
        assert own <= said.keys()
        assert len(said) < 0.9 * len(everything)


def test_a_function_packs_for_a_gateway_that_hands_on_bytes():
    front = Front({"/": pages.Page(b"<p>" * 99, "text/html")}, lambda asked: pytest.fail("asked"))
    for event, is_packed in ((gateways.http, True), (gateways.url, True), (gateways.rest, False)):
        asked = event(Request("GET", "/"))
        asked["headers"]["accept-encoding"] = "gzip, deflate"
        answer = front.answer(asked)
        assert (answer["headers"].get("Content-Encoding") == "gzip") is is_packed
        assert answer["isBase64Encoded"] is is_packed
        if is_packed:
            assert gzip.decompress(base64.b64decode(answer["body"])) == b"<p>" * 99
        assert answer["headers"]["Vary"] == "Accept-Encoding"


def test_what_packing_makes_larger_or_is_packed_already_goes_as_it_is():
    small, model = pages.Page(b"{}", "application/json"), pages.Page(b"m" * 99, "x/y", lasting=True)
    for page in (small, model):
        answer = page.answer("gzip")
        assert "Content-Encoding" not in answer.headers
        assert answer.body == page.content
