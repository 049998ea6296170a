"""What shows in time that other texts come than those trained on: numbers, and never a text."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from marfa.predictor import Judgement

_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Drift:
    """Counters of judgements, which several processes can add up.

    Args:
        registry: where they are read from.

    >>> registry = CollectorRegistry()
    >>> Drift(registry).note([[Judgement("good", 0.75, {}, 3, 4, ("zut",))]])
    >>> registry.get_sample_value("marfa_judgements_total", {"label": "good"})
    1.0
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._judged = Counter(
            "marfa_judgements_total", "Texts judged.", ["label"], registry=registry
        )
        self._refused = Counter(
            "marfa_refusals_total", "Texts declined.", ["kind"], registry=registry
        )
        self._known = Histogram(
            "marfa_known_share",
            "Share of a text's words that are known.",
            buckets=_SHARES,
            registry=registry,
        )
        self._words = Histogram(
            "marfa_words", "Words of a text.", buckets=_LENGTHS, registry=registry
        )
        self._score = Histogram(
            "marfa_score", "Probability of the label.", buckets=_SHARES, registry=registry
        )

    def note(self, computed: Iterable[Iterable[Judgement]]) -> None:
        """Count the judgements of a request's portions."""
        for portion in computed:
            for judgement in portion:
                self._count(judgement)

    def _count(self, judgement: Judgement) -> None:
        if judgement.label is None or judgement.score is None:
            self._refused.labels(judgement.refused or "other").inc()
        else:
            self._judged.labels(judgement.label).inc()
            self._score.observe(judgement.score)
        self._words.observe(judgement.total)
        if judgement.total:
            self._known.observe(judgement.known / judgement.total)
