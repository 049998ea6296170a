"""What is always the same at an address."""

import json

from marfa.container import pages
from marfa.container.contract import Limits, Request, respond
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
