"""What a person may ask of a model that writes, and what the page tells about it."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import expect
from tests.browser.desk import Desk
from tests.browser.fake_server import Reply
from tests.browser.fake_writer import WRITER

ARABIC = "عند الميناء "


def test_the_form_is_sent_as_the_api_takes_it(desk: Desk) -> None:
    desk.page.click("summary")
    for name, value in {"top_k": "5", "top_p": "0.9", "seed": "9007199254740991"}.items():
        desk.page.fill(f"#{name}", value)
    desk.page.fill("#temperature", "1.5")
    desk.write('two  spaces,\nquotes " and \\ 🎬 ', 200)
    desk.await_state("done")
    desk.page.fill("#seed", "")
    desk.page.click("#send")
    desk.await_paper(desk.writer.text(desk.writer.asked[0]["prompt"], 200, 102))
    first, second = desk.writer.asked
    assert first == {
        "prompt": 'two  spaces,\nquotes " and \\ 🎬 ',
        "length": 200,
        "temperature": 1.5,
        "top_k": 5,
        "top_p": 0.9,
        "seed": 2**53 - 1,
    }
    assert "seed" not in second


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("length", value) for value in ("0", "-1", "10001", "2.5", "")),
        *(("top_k", value) for value in ("-1", "1.5", "")),
        *(("top_p", value) for value in ("0", "1.1", "-1", "")),
        *(("seed", value) for value in ("-1", "0.5", "9007199254740993")),
    ],
)
def test_a_number_out_of_its_range_is_said_and_not_sent(desk: Desk, field: str, value: str) -> None:
    desk.evaluate("([id, value]) => { document.getElementById(id).value = value; }", [field, value])
    desk.page.click("#send")
    wrong = desk.page.get_by_role("alert").filter(has_text="please")
    expect(wrong).to_contain_text(field.replace("_", " ").capitalize())
    expect(desk.page.locator(f"#{field}")).to_be_focused()
    assert desk.page.get_attribute(f"#{field}", "aria-invalid") == "true"
    assert desk.writer.asked == []
    desk.evaluate(
        "(id) => { const e = document.getElementById(id); e.value = e.defaultValue; }", field
    )
    desk.page.click("#send")
    desk.await_state("done")
    assert desk.text("#wrong") == ""
    assert desk.page.get_attribute(f"#{field}", "aria-invalid") == "false"


def test_a_temperature_is_told_in_words(desk: Desk) -> None:
    said = {"0": "always the likeliest", "0.3": "careful", "0.8": "balanced", "1.2": "daring"}
    for value, words in {**said, "2": "wild"}.items():
        desk.page.fill("#temperature", value)
        assert desk.text("#degree") == f"{value}, {words}"
        assert desk.page.get_attribute("#temperature", "aria-valuetext") == f"{value}, {words}"
    desk.page.focus("#temperature")
    desk.page.keyboard.press("Home")
    desk.page.keyboard.press("Control+Enter")
    desk.await_state("done")
    assert [asked["temperature"] for asked in desk.writer.asked] == [0]


def test_limits_and_defaults_are_the_servers(desk: Desk) -> None:
    changed = {"limits": {"body_bytes": 500, "length": 50}}
    changed["defaults"] = {"length": 33, "temperature": 1.2, "top_k": 7, "top_p": 0.5}
    desk.server.others["v1/model"] = Reply(WRITER | changed)
    desk.open()
    fields = ("length", "temperature", "top_k", "top_p", "seed")
    values = [desk.page.input_value(f"#{name}") for name in fields]
    assert values == ["33", "1.2", "7", "0.5", ""]
    assert desk.text("#degree") == "1.2, daring"
    desk.write("a", 51)
    assert "1 to 50" in desk.text("#wrong")
    desk.write("م" * 300, 50)
    desk.assert_failed("too long", None)
    assert desk.writer.asked == []


def test_the_footer_gives_the_bits_beside_the_baselines(desk: Desk) -> None:
    assert desk.text("#about") == (
        "Model shakespeare 25873edf6f55. 2.07 bits per character on 111,539 characters of held-out "
        "text; counting 5-grams, 2.90 (fewer is better)."
    )


def test_beginnings_are_one_click_and_only_in_letters_that_the_model_knows(desk: Desk) -> None:
    shown = desk.page.locator(".examples button:visible")
    assert shown.count() == 3
    for example in shown.all():
        example.click()
        desk.page.wait_for_function(
            "(text) => document.querySelector('#paper b').textContent === text",
            arg=example.get_attribute("data-text"),
        )
        desk.await_state("done")
    beginnings = [asked["prompt"] for asked in desk.writer.asked]
    assert beginnings == ["To the sea", "My lord, ", "At night the harbour "]
    for alphabet, count in ((ARABIC, 1), (None, 4)):
        desk.server.others["v1/model"] = Reply(WRITER | {"alphabet": alphabet})
        desk.open()
        assert desk.page.locator(".examples button:visible").count() == count


def test_the_page_works_whatever_the_server_tells_of_its_model(desk: Desk) -> None:
    told = [Reply(b"", 500), Reply(b"<html>"), Reply(b"null"), Reply([]), Reply(hang_up=True)]
    odd: dict[str, Any] = {"limits": None, "defaults": "no", "metrics": None, "alphabet": 7}
    told += [
        Reply(odd),
        Reply({"metrics": {"bits_per_character": "low"}, "defaults": {"length": "x"}}),
    ]
    for model in told:
        desk.server.others["v1/model"] = model
        desk.open()
        assert desk.page.input_value("#length") == "200"
    desk.write()
    desk.await_state("done")
