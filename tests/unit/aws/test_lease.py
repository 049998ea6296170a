"""A lease is what was asked for, within its limits, and an endpoint always has one."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.aws import lease
from marfa.errors import SettingsError

NOW = datetime(2026, 11, 24, 19, 12, 34, 567890, tzinfo=UTC)
TIMES = st.integers(15, 7 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
ZONES = st.integers(-12 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
MOMENTS = st.datetimes(datetime(2020, 1, 2), datetime(2090, 1, 1), timezones=ZONES)


@given(TIMES)
def test_what_is_written_is_read_again(time):
    assert lease.parse(lease.write(time)) == time


@given(MOMENTS)
def test_a_moment_is_read_again_to_the_second_and_never_earlier(moment):
    again = lease.read(lease.stamp(moment))
    assert timedelta() <= again - moment < timedelta(seconds=1)
    assert lease.read(lease.stamp(again)) == again


@given(MOMENTS, TIMES)
def test_a_lease_ends_at_a_whole_minute_and_is_never_cut_short(now, time):
    end = lease.end(now, time)
    assert timedelta() <= end - (now + time) < timedelta(minutes=1)
    assert lease.stamp(end).endswith(":00.000Z")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("15m", 15),
        ("45m", 45),
        ("90m", 90),
        ("2h", 120),
        ("1h30m", 90),
        (" 1H 30M ", 90),
        ("1d 2h 3m", 1563),
        ("3d", 4320),
        ("7d", 10080),
        ("168h", 10080),
    ],
)
def test_a_time_is_read_as_people_write_it(text, minutes):
    assert lease.parse(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text",
    ["", "2", "h", "m2", "2 hours", "-2h", "2h2h", "30m1h", "1.5h", "for ever", "٢h", "1h\n2m"],
)
def test_what_is_no_time_is_said_with_an_example(text):
    with pytest.raises(SettingsError, match="is no time; expected") as caught:
        lease.parse(text)
    assert (caught.value.where, caught.value.exit_code) == ("lease", 2)
    assert "1h30m" in caught.value.hint


@pytest.mark.parametrize("text", ["0m", "14m", "7d1m", "999999d", "10081m"])
def test_a_time_outside_the_limits_is_refused_with_them(text):
    with pytest.raises(SettingsError, match=f"'{text}' is outside 15m to 7d"):
        lease.parse(text)


@given(st.text(max_size=12))
def test_any_text_is_a_time_within_the_limits_or_refused(text):
    try:
        found = lease.parse(text)
    except SettingsError:
        return
    assert found is None or lease.SHORTEST <= found <= lease.LONGEST


def test_an_endpoint_has_two_hours_unless_asked_otherwise():
    assert lease.of("", "endpoint") == timedelta(hours=2)
    assert lease.of("3d", "endpoint") == timedelta(days=3)


@pytest.mark.parametrize("text", ["none", " None "])
def test_an_endpoint_cannot_be_without_an_end(text):
    with pytest.raises(SettingsError, match="paid by the hour") as caught:
        lease.of(text, "endpoint")
    assert "--lease 7d at most" in caught.value.hint


@pytest.mark.parametrize("target", ["lambda", "serverless"])
def test_what_costs_nothing_while_idle_has_no_end_unless_asked(target):
    assert lease.of("", target) is None
    assert lease.of("none", target) is None
    assert lease.of("45m", target) == timedelta(minutes=45)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (7199, "1 h 59 min"),
        (7200, "2 h"),
        (60, "1 min"),
        (59, "less than a minute"),
        (86400 * 2 + 300, "2 d 5 min"),
        (0, "ended less than a minute ago"),
        (-3700, "ended 1 h 1 min ago"),
    ],
)
def test_the_rest_is_told_in_words(seconds, words):
    assert lease.left(NOW, NOW + timedelta(seconds=seconds)) == words


@pytest.mark.parametrize("text", ["", "soon", "2026-11-24", "2026-11-24T21:12:00"])
def test_a_moment_without_its_zone_is_none(text):
    with pytest.raises(SettingsError, match="is no moment"):
        lease.read(text)
