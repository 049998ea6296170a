"""The report of a generator: whole, honest about what it copies, and deaf to what texts contain."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
from tests.unit.evaluation.reading import HOSTILE, Page

from marfa.errors import DataError
from marfa.evaluation import writing_report

PASSAGE = "the ship that left at dawn is back at night"


def figures(bits: float) -> dict[str, float]:
    return {
        "loss": bits * math.log(2),
        "bits_per_character": bits,
        "perplexity": 2**bits,
        "n": 111540,
    }


def sample(**changed: Any) -> dict[str, Any]:
    return {
        "temperature": 0.8,
        "seed": 7,
        "text": f"Hark:\n{PASSAGE}, sir.\n",
        "copied": len(PASSAGE),
        "copied_text": PASSAGE,
        **changed,
    }


def memory(**changed: Any) -> dict[str, Any]:
    return {
        "prompts": 6,
        "median": 9,
        "longest": 112,
        "agreed": [0, 9, 10, 29, 99, 112],
        "example": {
            "prompt": "Who goes ",
            "truth": "there, and why?",
            "written": "there, my lord?",
            "agreed": 7,
        },
        **changed,
    }


def document(**changed: Any) -> dict[str, Any]:
    return {
        "title": "Plays",
        "name": "plays",
        "preset": "default",
        "network": figures(2.07),
        "baselines": {"5-gram": figures(2.25), "unigram": figures(4.83)},
        "history": [
            {"epoch": 1, "characters": 1003854, "train_bits": 2.4, "validation_bits": 2.3},
            {"epoch": 2, "characters": 2007708, "train_bits": 2.1, "validation_bits": 2.2},
        ],
        "samples": [sample(temperature=0.5), sample(), sample(temperature=1.0)],
        "memory": memory(),
        "alphabet": [[" ", 169892], ["e", 94611], ["\n", 40000], ["\u064e", 3]],
        "settings": {"model": {"hidden": 512}, "dropout": None},
        "data": {"characters": 1115394},
        "versions": {"python": "3.11"},
        **changed,
    }


def hostile() -> dict[str, Any]:
    """A document in which every text of the user's attacks the page."""
    example = {"prompt": HOSTILE, "truth": HOSTILE, "written": HOSTILE * 2, "agreed": 20}
    passage = f"{HOSTILE}!"
    attack = sample(
        text=HOSTILE + passage + HOSTILE, copied=len(passage), copied_text=passage, seed=HOSTILE
    )
    return document(
        title=HOSTILE,
        name=HOSTILE,
        preset=HOSTILE,
        baselines={HOSTILE: figures(3.0)},
        samples=[attack],
        memory=memory(example=example),
        alphabet=[["<", 3], ["&", 2], [HOSTILE, 2], ["\x00", 1], ["\ud800", 1], ["\u202e", 1]],
        settings={HOSTILE: {HOSTILE: [HOSTILE, 1]}},
        data={HOSTILE: HOSTILE},
        versions={HOSTILE: HOSTILE},
    )


@cache
def plain() -> Page:
    return Page(writing_report.page(document()))


def inside(html: str, tag: str) -> list[str]:
    """Return what stands in elements of this kind, as HTML."""
    return [part.split(f"</{tag}>")[0] for part in html.split(f"<{tag}>")[1:]]


def test_the_page_is_whole_and_the_same_each_time() -> None:
    html = writing_report.page(document())
    assert html == writing_report.page(document())
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert not plain().open
    ids = [attributes["id"] for _, attributes in plain().elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("make", [document, hostile])
def test_nothing_in_the_page_runs_or_is_fetched(make: Any) -> None:
    elements = Page(writing_report.page(make())).elements
    tags = {tag for tag, _ in elements}
    assert not tags & {"script", "img", "link", "iframe", "object", "form", "base", "a"}
    for _, attributes in elements:
        assert not any(name.startswith("on") for name in attributes)
        address = attributes.get("src") or attributes.get("href") or attributes.get("xlink:href")
        assert address is None or address.startswith("#")


def test_hostile_texts_are_shown_and_do_nothing() -> None:
    html = writing_report.page(hostile())
    page = Page(html)
    assert not page.open
    assert "\x00" not in html
    assert html.encode("utf-8").decode("utf-8") == html
    assert "<script>alert(1)</script><img src=x onerror=alert(2)> \"'&amp; \ufffd" in page.said
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain().elements}
    assert "U+0000 1 U+D800 1 right-to-left override 1" in page.said


def test_the_page_tells_what_matters() -> None:
    said = plain().said
    for words in (
        "2.07 bits a character, over 111,540 characters kept from it",
        "The network needs 2.07 bits a character, 0.18 fewer than the 5-gram.",
        "A blind guess among 4 symbols needs 2.00.",
        "5-gram 2.25 unigram 4.83",
        "Perplexity 4.1989 4.7568",
        "2 2,007,708 2.1000 2.2000",
        "Temperature 0.5 Seed 7. Longest passage copied: 43 characters, marked.",
        "6 prompts Half of them agree for 9 characters or fewer; the longest for 112.",
        "0 to 9 characters 2 10 to 29 characters 2 30 to 99 characters 1 100 or more 1",
        "the prompt agrees with the text departs from it Who goes there, my lord?",
        "Where it departs, the text goes on: and why?",
        "4 symbols, the commonest first",
        "space 169,892 e 94,611 line feed 40,000 \u25cc\u064e 3",
        "model · hidden 512",
        "characters 1,115,394",
        "python 3.11",
    ):
        assert words in said


def test_a_better_n_gram_is_called_better_whichever_is_named_first() -> None:
    baselines = {"unigram": figures(4.83), "5-gram": figures(1.9)}
    said = Page(writing_report.page(document(baselines=baselines))).said
    assert "The 5-gram is better: the network needs 2.07 bits a character, 0.17 more." in said


def test_bars_are_as_long_as_the_bits_they_stand_for() -> None:
    styles = [a["style"] or "" for tag, a in plain().elements if tag == "i"]
    assert [style.split(";")[0] for style in styles[:3]] == [
        "--share:42.86%",
        "--share:46.58%",
        "--share:100.00%",
    ]


def test_a_long_copied_passage_is_marked_in_its_place_and_once() -> None:
    only = sample(text=f"{PASSAGE} & {PASSAGE}")
    html = writing_report.page(document(samples=[only]))
    assert inside(html, "mark") == [PASSAGE]
    assert f"<mark>{PASSAGE}</mark> &amp; {PASSAGE}</blockquote>" in html


@pytest.mark.parametrize(
    "changed",
    [
        {"copied": 29, "copied_text": PASSAGE[:29]},
        {"copied": 0, "copied_text": ""},
        {"copied_text": "a passage that is not in the sample at all"},
        {"copied_text": ""},
    ],
)
def test_what_chance_copies_too_is_counted_and_not_marked(changed: dict[str, Any]) -> None:
    html = writing_report.page(document(samples=[sample(**changed)]))
    assert "<mark>" not in html
    assert "marked." not in Page(html).said
    assert "Longest passage copied: " in html


def test_thirty_characters_are_marked() -> None:
    html = writing_report.page(document(samples=[sample(copied=30, copied_text=PASSAGE[:30])]))
    assert inside(html, "mark") == [PASSAGE[:30]]


def test_the_example_is_shown_in_three_parts() -> None:
    html = writing_report.page(document())
    assert (
        '<span class="prompt soft">Who goes </span><span class="agreed">there, </span>'
        '<span class="departed">my lord?</span>' in html
    )


def test_an_example_that_never_departs_or_never_agrees_has_two_parts() -> None:
    example = {"prompt": "a", "truth": "bcd", "written": "bcd", "agreed": 3}
    said = Page(writing_report.page(document(memory=memory(example=example)))).said
    assert "the prompt agrees with the text a bcd" in said
    assert "departs" not in said
    example = {"prompt": "a", "truth": "bcd", "written": "xyz", "agreed": 0}
    said = Page(writing_report.page(document(memory=memory(example=example)))).said
    assert "the prompt departs from it a xyz" in said


def test_texts_choose_their_own_direction() -> None:
    quoted = [attributes for tag, attributes in plain().elements if tag == "blockquote"]
    assert len(quoted) == 5
    assert all(each["dir"] == "auto" and each["lang"] == "" for each in quoted)


def test_a_large_alphabet_is_cut_and_says_so() -> None:
    alphabet = [[chr(0x4E00 + place), 10] for place in range(1000)]
    html = writing_report.page(document(alphabet=alphabet))
    assert "The 800 rarest, 80.00\u00a0% of the text, are left out here." in html
    assert chr(0x4E00 + 199) in html
    assert chr(0x4E00 + 200) not in html


def test_parts_that_a_run_lacks_are_left_out() -> None:
    found = document(baselines={}, history=[], samples=[], memory=None, alphabet=[])
    page = Page(writing_report.page(found))
    assert "svg" not in {tag for tag, _ in page.elements}
    for words in ("The network needs", "What it writes", "What it remembers", "blind guess"):
        assert words not in page.said
    assert "0 symbols" in page.said
    no_prompts = memory(prompts=0, median=0, longest=0, agreed=[])
    assert "0 prompts" in Page(writing_report.page(document(memory=no_prompts))).said


def test_a_part_that_is_missing_is_named() -> None:
    found = document()
    del found["memory"], found["alphabet"]
    with pytest.raises(DataError, match="the report lacks memory, alphabet"):
        writing_report.page(found)
