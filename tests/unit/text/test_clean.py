"""Markup goes, text stays, and no text is slow."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.text.clean import clean

ANY_TEXT = st.text(st.characters())  # surrogates, controls and unassigned characters included


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("a<br />b", "a b"),
        ("<p class='x'>a</p>", " a "),
        ("score < 5 and > 2", "score < 5 and > 2"),
        ("I <3 it", "I <3 it"),
        ("a &amp; b &#233; &eacute;", "a & b é é"),
        ("&notanentity; & &#; &#x;", "&notanentity; & &#; &#x;".replace("&not", "¬")),
        ("<!-- a --> b <!-- c", "  b <!-- c"),
        ("<script>x < y</script>z", " z"),
        ("<STYLE>p{}</STYLE>z", " z"),
        ("<?xml version='1.0'?>z", " z"),
        ("<!DOCTYPE html>z", " z"),
        ("e\u0301", "é"),
        ("", ""),
        ("a" + "\u0316\u0301" * 16, "á" + "\u0316" * 15 + "\u0301" * 14),
        ("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";"),
    ],
)
def test_markup_becomes_space_and_entities_characters(found, expected):
    assert clean(found) == expected


@given(ANY_TEXT)
def test_any_text_is_cleaned(text):
    assert isinstance(clean(text), str)


@given(st.text(st.characters(exclude_characters="<&", codec="utf-8")))
def test_text_without_markup_keeps_its_letters(text):
    assert clean(text).split() == __import__("unicodedata").normalize("NFC", text).split()


ADVERSARIES = [
    "<a ", "<", "</", "<!--", "<!-", "<script>", "<style>", "</script", "&", "&#", "&#x", "&amp",
    "<a href='", "<![CDATA[", "<?", "e\u0301", "\u200d", "<a>", "a<", "-->", "&#x1F600;", "<<a>>",
    "\u0301\u0316", "\u0301\U0001d16d\u0316", "\U0001d400",
]  # fmt: skip


@pytest.mark.parametrize("piece", ADVERSARIES)
def test_time_grows_with_the_text_and_no_faster(piece):
    """Doubling the size at most about doubles the time; a quadratic cleaner quadruples it."""

    def seconds(size):
        text = piece * (size // len(piece))
        best = 9.0
        for _ in range(3):
            began = time.perf_counter()
            clean(text)
            best = min(best, time.perf_counter() - began)
        return best

    assert seconds(1_000_000) <= max(12 * seconds(200_000), 0.5)
