"""Which is better, the network or the baseline: the sentence at the head of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marfa.evaluation.markup import signed

_CERTAIN = 0.05
"""The p-value under which a difference is called more than chance."""
_EQUAL = 0.0005
"""A difference of accuracy that would be written as 0.0 points."""
_EQUAL_BITS = 0.005
"""A difference that would be written as 0.00 bits."""


def verdict(
    network: Mapping[str, Any],
    name: str,
    baseline: Mapping[str, Any],
    comparison: Mapping[str, Any] | None,
) -> str:
    """Say in plain words which is better, and whether that may be chance.

    Args:
        network: what `metrics.measure` returns of the network.
        name: what the baseline is called.
        baseline: the same of the baseline.
        comparison: what `metrics.compare` returns of both, if they were compared.

    Returns:
        One sentence or two, plain text.

    >>> verdict({"accuracy": 0.896}, "bag of words", {"accuracy": 0.907}, None)
    'The bag of words is better by 1.1 points.'
    """
    gap = network["accuracy"] - baseline["accuracy"]
    points = f"{abs(100 * gap):.1f} points"
    if abs(gap) < _EQUAL:
        said = f"The network and the {name} are right equally often"
    elif gap > 0:
        said = f"The network is better than the {name} by {points}"
    else:
        said = f"The {name} is better by {points}"
    if comparison is None or abs(gap) < _EQUAL:
        return f"{said}."
    low, high = (100 * end for end in comparison["difference_95"])
    if gap < 0:
        low, high = -high, -low
    p_value = comparison["p_value"]
    chance = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    said += f" (95\u00a0% interval {signed(low)} to {signed(high)})"
    if p_value < _CERTAIN:
        return f"{said}. That is more than chance explains ({chance})."
    return f"{said}. That may be chance ({chance})."


def writing_verdict(network: Mapping[str, Any], name: str, baseline: Mapping[str, Any]) -> str:
    """Say in plain words which needs fewer bits a character.

    Args:
        network: `bits_per_character` of the network.
        name: what the baseline is called.
        baseline: the same of the baseline, on the same characters.

    Returns:
        One sentence, plain text.

    >>> writing_verdict({"bits_per_character": 2.07}, "5-gram", {"bits_per_character": 2.25})
    'The network needs 2.07 bits a character, 0.18 fewer than the 5-gram.'
    >>> writing_verdict({"bits_per_character": 2.5}, "5-gram", {"bits_per_character": 2.25})
    'The 5-gram is better: the network needs 2.50 bits a character, 0.25 more.'
    """
    needed = network["bits_per_character"]
    gap = needed - baseline["bits_per_character"]
    if abs(gap) < _EQUAL_BITS:
        return f"The network needs {needed:.2f} bits a character, as many as the {name}."
    if gap < 0:
        said = f"{needed:.2f} bits a character, {-gap:.2f} fewer than the {name}."
        return f"The network needs {said}"
    said = f"the network needs {needed:.2f} bits a character, {gap:.2f} more."
    return f"The {name} is better: {said}"
