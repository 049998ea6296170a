"""Why a label, on a terminal of any width, in any script, with and without colours."""

import io

import pytest
from rich.console import Console

from marfa.cli import show, show_explaining
from marfa.explaining import Explanation, Word


def explanation(*weighed):
    words, at = [], 0
    for text, weight in weighed:
        words.append(Word(text, at, at + len(text), weight))
        at += len(text) + 1
    return Explanation("positive", tuple(words))


def shown(found, **how):
    stream = io.StringIO()
    console = Console(file=stream, highlight=False, soft_wrap=True, **how)
    for line in show_explaining.lines(found, show.plain):
        console.print(line)
    return stream.getvalue().splitlines()


FOUND = explanation(
    ("A", 0.0), ("wonderful", 0.3), ("\u0631\u0627\u0626\u0639", 0.15), ("dull", -0.01)
)


@pytest.mark.parametrize("width", [20, 80])
def test_signs_and_bars_say_it_and_the_word_comes_last(width):
    assert shown(FOUND, width=width) == [
        "  + speaks for positive, - against: what it loses without the word",
        "  +0.3000  ++++++++  wonderful",
        "  +0.1500  ++++      \u200e\u0631\u0627\u0626\u0639",
        "  -0.0100  -         dull",
        "  1 more word(s) move it by less",
    ]


def test_colours_add_nothing_and_can_be_left_out():
    how = {"force_terminal": True, "color_system": "standard", "width": 80}
    coloured, bare = shown(FOUND, **how), shown(FOUND, no_color=True, **how)
    assert "\x1b[32m" in coloured[1]
    assert "\x1b[31m" in coloured[3]
    assert bare == shown(FOUND, width=80)


def test_of_many_words_the_strongest_are_shown_and_of_weak_ones_none():
    many = explanation(*((f"w{number}", number / 1000) for number in range(100)))
    lines = shown(many)
    assert [line.split()[-1] for line in lines[1:21]] == [f"w{99 - at}" for at in range(20)]
    assert lines[-1] == "  80 more word(s) move it by less"
    weak = explanation(("a", 0.001), ("b", -0.004))
    assert shown(weak)[1:] == ["  2 more word(s) move it by less than 0.005"]


def test_a_word_cannot_steer_the_terminal():
    lines = shown(explanation(("a\x1b[2J\u202eb", 0.2)))
    assert lines[1].endswith("a [2J b")
