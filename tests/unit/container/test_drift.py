"""Counters of what is judged and declined: every text counts once, and none of it is kept."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from marfa.container.drift import Drift
from marfa.predictor import Judgement

KINDS = ("empty", "unknown_words", "script", "short", "")
SECRET = "geheimnis"


@st.composite
def judgements(draw):
    total = draw(st.integers(0, 2000))
    known = draw(st.integers(0, total))
    if total and draw(st.booleans()):
        return Judgement("good", draw(st.floats(0.5, 1)), {}, known, total, (SECRET,))
    kind = draw(st.sampled_from(KINDS))
    return Judgement(None, None, {}, known, total, (SECRET,), f"{SECRET}!", kind)


@given(st.lists(st.lists(judgements(), max_size=5), max_size=5))
def test_every_text_counts_once_and_none_is_kept(portions):
    registry = CollectorRegistry()
    Drift(registry).note(portions)
    every = [each for portion in portions for each in portion]

    def value(name, **labels):
        return registry.get_sample_value(name, labels) or 0

    assert value("marfa_judgements_total", label="good") == sum(j.label is not None for j in every)
    for kind in KINDS:
        expected = sum(j.label is None and j.refused == kind for j in every)
        assert value("marfa_refusals_total", kind=kind or "other") == expected
    assert value("marfa_words_count") == len(every)
    assert value("marfa_known_share_count") == sum(j.total > 0 for j in every)
    assert value("marfa_score_count") == sum(j.label is not None for j in every)
    assert SECRET.encode() not in generate_latest(registry)
