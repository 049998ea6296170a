"""The sentence about a generator says plainly who needs fewer bits."""

from __future__ import annotations

import pytest

from marfa.evaluation.verdict import writing_verdict


@pytest.mark.parametrize(
    ("network", "counted", "said"),
    [
        (2.07, 2.87, "The network needs 2.07 bits a character, 0.80 fewer than the 5-gram."),
        (2.3, 2.25, "The 5-gram is better: the network needs 2.30 bits a character, 0.05 more."),
        (2.2513, 2.2522, "The network needs 2.25 bits a character, as many as the 5-gram."),
        (2.2522, 2.2513, "The network needs 2.25 bits a character, as many as the 5-gram."),
    ],
)
def test_the_verdict_is_honest_whoever_wins(network: float, counted: float, said: str) -> None:
    found = writing_verdict(
        {"bits_per_character": network}, "5-gram", {"bits_per_character": counted}
    )
    assert found == said
