"""Talking to a person: bars on a terminal, lines elsewhere."""

import io

import pytest
from rich.console import Console

from marfa.cli.talk import Terminal


def told(*updates, terminal, unit="requests"):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with Terminal(console).bar("asking", 30, unit) as bar:
        for update in updates:
            bar.update(*update)
    return console.file.getvalue()


@pytest.mark.parametrize("unit", ["requests", "B"])
def test_a_bar_is_drawn_whatever_its_unit_and_however_it_begins(unit):
    assert "asking" in told((1,), (2, "a note"), (30,), terminal=True, unit=unit)
    assert "asking" in told((12,), (30, "", 31), terminal=True, unit=unit)


def test_without_a_terminal_a_short_piece_of_work_says_nothing():
    assert told((1,), (30,), terminal=False) == ""
