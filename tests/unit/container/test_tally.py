"""What a function's log tells of judgements: the sums of what /metrics tells, and no word."""

import json

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from tests.unit.container.test_drift import SECRET, judgements

from marfa.container.drift import Drift
from marfa.container.tally import tally


@given(st.lists(st.lists(judgements(), max_size=5), max_size=5))
def test_it_sums_up_what_the_metrics_count_and_quotes_nothing(portions):
    registry = CollectorRegistry()
    Drift(registry).note(portions)
    told = tally(portions)
    if not any(portions):
        assert told == {}
        return
    assert SECRET not in json.dumps(told)

    def value(name, **labels):
        return registry.get_sample_value(name, labels) or 0

    for label, count in told["judged"].items():
        assert count == value("marfa_judgements_total", label=label)
    for kind, count in told["refused"].items():
        assert count == value("marfa_refusals_total", kind=kind)
    assert sum((*told["judged"].values(), *told["refused"].values())) == value("marfa_words_count")
    assert told["words"] == value("marfa_words_sum")
    assert 0 <= told["known"] <= told["words"]
    judged = value("marfa_score_count")
    if judged:
        assert abs(told["score"] - value("marfa_score_sum") / judged) <= 0.00005 + 1e-9
    else:
        assert "score" not in told
