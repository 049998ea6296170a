"""What cannot be seen is called by its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.evaluation.symbols import shown


@pytest.mark.parametrize(
    ("symbol", "found"),
    [
        ("e", ("e", False)),
        ("ي", ("ي", False)),
        ("<", ("<", False)),
        ("\n", ("line feed", True)),
        (" ", ("space", True)),
        ("\u00a0", ("no-break space", True)),
        ("\u202e", ("right-to-left override", True)),
        ("\x00", ("U+0000", True)),
        ("\ud800", ("U+D800", True)),
        ("\u064e", ("\u25cc\u064e", False)),
        ("line feed", ("line feed", True)),
        ("", ("", True)),
    ],
)
def test_a_symbol_is_shown_or_named(symbol: str, found: tuple[str, bool]) -> None:
    assert shown(symbol) == found


@given(st.characters())
def test_what_is_shown_can_be_seen(symbol: str) -> None:
    assert shown(symbol)[0].strip().isprintable()
    assert shown(symbol)[0].strip()
