"""What a function's log tells of its judgements, where no counter can be read: numbers, never a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from marfa.predictor import Judgement


def tally(computed: Iterable[Iterable[Judgement]]) -> dict[str, Any]:
    """Sum up the judgements of a request: what /metrics tells of them, as far as one line holds it.

    Args:
        computed: the judgements of the request's portions.

    Returns:
        Texts judged by label and declined by kind, all their words, those of them that are known, and
        the mean of the labels' probabilities; nothing where nothing was judged.

    >>> tally([[Judgement("good", 0.75, {}, 3, 4, ("zut",))]])
    {'judged': {'good': 1}, 'refused': {}, 'words': 4, 'known': 3, 'score': 0.75}
    """
    every = [judgement for portion in computed for judgement in portion]
    if not every:
        return {}
    scores = [each.score for each in every if each.score is not None]
    return {
        "judged": dict(Counter(each.label for each in every if each.label is not None)),
        "refused": dict(Counter(each.refused or "other" for each in every if each.label is None)),
        "words": sum(each.total for each in every),
        "known": sum(each.known for each in every),
        **({"score": round(sum(scores) / len(scores), 4)} if scores else {}),
    }
