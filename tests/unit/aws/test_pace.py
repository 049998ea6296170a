"""Minutes are told at the speed that was measured, or it is said that none was."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.aws import pace
from marfa.aws.parcel import Sent

NOW = datetime(2026, 11, 24, 21, 12, tzinfo=UTC)


def test_before_anything_was_sent_a_speed_is_assumed_and_said_to_be(tmp_path):
    found = pace.recall(tmp_path)
    assert found == pace.Pace(1000.0, measured=False)
    assert "which is assumed" in found.words(1_000_000)


def test_the_speed_of_the_last_upload_is_remembered(tmp_path):
    pace.remember(tmp_path, Sent(5_000_000, 100.0), NOW)
    pace.remember(tmp_path, Sent(1_000_000, 10.0), NOW)
    assert pace.recall(tmp_path) == pace.Pace(800.0, measured=True)
    assert pace.recall(tmp_path).words(6_000_000) == "about 60 s at the measured 800 kbit/s"
    kept = json.loads((tmp_path / "upload-speed.json").read_text())
    assert kept["measured"] == "2026-11-24T21:12:00Z"


def test_a_limit_counts_where_it_is_less_than_the_line(tmp_path):
    pace.remember(tmp_path, Sent(1_000_000, 10.0), NOW)
    assert [pace.recall(tmp_path, limit).kbps for limit in (0, 200, 9000)] == [800, 200, 800]
    assert pace.recall(tmp_path, 200).words(250_000) == "about 10 s at the 200 kbit/s allowed"


@pytest.mark.parametrize(
    ("sent", "limit"),
    [(Sent(1000, 1.0), 0), (Sent(10**7, 0.0), 0), (Sent(10**7, 50.0), 1600)],
    ids=["too little", "no time", "held back"],
)
def test_what_says_nothing_about_the_line_is_not_remembered(tmp_path, sent, limit):
    pace.remember(tmp_path, sent, NOW, limit)
    assert not pace.recall(tmp_path).measured


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kbps": "fast"}', '{"kbps": -3}', '{"kbps": 0}', '{"kbps": null}']
)
def test_a_record_that_cannot_be_read_counts_as_none(tmp_path, text):
    (tmp_path / pace.NAME).write_text(text)
    assert pace.recall(tmp_path) == pace.Pace()


@given(size=st.integers(300_000, 10**9), seconds=st.floats(0.01, 1e6))
def test_the_same_upload_is_foretold_as_it_was_measured(tmp_path_factory, size, seconds):
    folder = tmp_path_factory.mktemp("pace")
    pace.remember(folder, Sent(size, seconds), NOW)
    kbps = pace.recall(folder).kbps
    assert pace.estimate(size, kbps) == pytest.approx(seconds, rel=0.001)


@given(seconds=st.floats(0.001, 1e6))
def test_a_time_is_never_told_shorter_than_it_is(seconds):
    words = pace.duration(seconds).removeprefix("about ").split()
    units = {"s": 1, "min": 60, "h": 3600}
    told = sum(int(n) * units[unit] for n, unit in zip(words[::2], words[1::2], strict=True))
    assert seconds <= told <= seconds + 60
