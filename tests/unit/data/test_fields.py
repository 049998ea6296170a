"""What a labelled row must hold; the readers' tests show the same through whole files."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marfa.data.fields import MAX_LABEL_CHARS, Fields, check_label, check_text, kind_of
from marfa.errors import DataError

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@settings(deadline=None)  # a busy machine is no failure
@given(JSON)
def test_a_label_is_refused_or_can_be_written_as_json_in_utf8_and_checked_again(
    value: object,
) -> None:
    try:
        label = check_label(value, "a.jsonl:1")
    except DataError:
        return
    assert 0 < len(label) <= MAX_LABEL_CHARS
    assert json.loads(json.dumps(label, ensure_ascii=False).encode("utf-8")) == label
    assert check_label(label, "") == label


@settings(deadline=None)  # a busy machine is no failure
@given(JSON)
def test_a_text_is_returned_as_it_is_or_refused(value: object) -> None:
    if isinstance(value, str):
        assert check_text(value, "", len(value)) is value
    else:
        with pytest.raises(DataError, match=f"the text is {kind_of(value)}"):
            check_text(value, "", 100)


def test_the_longest_label_is_accepted_and_one_more_is_not() -> None:
    assert check_label("x" * MAX_LABEL_CHARS, "") == "x" * MAX_LABEL_CHARS
    with pytest.raises(DataError, match="a label of 201 characters"):
        check_label("x" * (MAX_LABEL_CHARS + 1), "")


def test_marks_that_scripts_need_inside_a_word_may_stand_in_a_label() -> None:
    assert check_label("می\u200cخواهم", "") == "می\u200cخواهم"


def test_only_some_of_many_columns_are_listed() -> None:
    fields = Fields("text", "label", "", 10)
    with pytest.raises(DataError) as caught:
        fields.require([f"column{number}" for number in range(500)], "a.csv:1")
    assert caught.value.what.endswith("'column19' and 480 more")


def test_a_close_name_is_suggested_whatever_its_case() -> None:
    fields = Fields("text", "label", "", 10)
    with pytest.raises(DataError) as caught:
        fields.require(["TEXT", "LABELS"], "a.csv:1")
    assert caught.value.hint == "did you mean 'TEXT'? --text-column TEXT"


def test_what_a_line_may_hold_stays_within_what_the_csv_module_takes() -> None:
    assert Fields("text", "label", "", 1 << 30).max_line < 2**31
    assert Fields("text", "label", "", 1_000_000).max_line > 12_000_000
