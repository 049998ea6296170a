"""The lease: how long something stays, until when, and how that is written."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from marfa.errors import SettingsError

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(days=7)

DEFAULT = timedelta(hours=2)
"""What an endpoint has when nobody says otherwise."""

ENDLESS = "none"

_SHAPE = re.compile(r"(?:([0-9]{1,6})d)? ?(?:([0-9]{1,6})h)? ?(?:([0-9]{1,6})m)?")
_HINT = "such as 45m, 2h, 1h30m or 3d"


def of(text: str, target: str) -> timedelta | None:
    """Decide how long a deployment stays.

    Args:
        text: what the user asked for; empty for what is usual.
        target: what answers: "lambda", "serverless" or "endpoint".

    Returns:
        The time, or None for no end.

    Raises:
        SettingsError: if it is no time, too short or too long, or an endpoint is to stay for ever.

    >>> print(of("", "endpoint"), of("", "lambda"), of("45m", "lambda"))
    2:00:00 None 0:45:00
    """
    if not text.strip():
        return DEFAULT if target == "endpoint" else None
    lease = parse(text)
    if lease is None and target == "endpoint":
        message = "an endpoint is paid by the hour, so it cannot be left without an end"
        hint = f"--lease {write(LONGEST)} at most; marfa renew makes it longer while it runs"
        raise SettingsError(message, where="lease", hint=hint)
    return lease


def parse(text: str) -> timedelta | None:
    """Read a time as a person writes it.

    Args:
        text: days, hours and minutes, 15 minutes to 7 days in all, or "none".

    Returns:
        The time, or None for "none".

    Raises:
        SettingsError: if it is neither, or outside the limits.

    >>> print(parse("1h30m"), parse("3d"), parse("none"))
    1:30:00 3 days, 0:00:00 None
    """
    word = text.strip().lower()
    if word == ENDLESS:
        return None
    found = _SHAPE.fullmatch(word)
    if not found or not word:
        message = f"{text!r:.40} is no time; expected days, hours and minutes, or {ENDLESS!r}"
        raise SettingsError(message, where="lease", hint=_HINT)
    days, hours, minutes = (int(number or 0) for number in found.groups())
    lease = timedelta(days=days, hours=hours, minutes=minutes)
    if not SHORTEST <= lease <= LONGEST:
        message = f"{text!r:.40} is outside {write(SHORTEST)} to {write(LONGEST)}"
        raise SettingsError(message, where="lease", hint=_HINT)
    return lease


def write(lease: timedelta | None) -> str:
    """Write a time so that it can be read again; seconds are dropped.

    >>> write(timedelta(hours=26, minutes=5)), write(timedelta(hours=2)), write(None)
    ('1d2h5m', '2h', 'none')
    """
    if lease is None:
        return ENDLESS
    units = zip(_units(lease), "dhm", strict=True)
    return "".join(f"{number}{unit}" for number, unit in units if number) or "0m"


def end(now: datetime, lease: timedelta) -> datetime:
    """Return when a lease ends: at the first whole minute that is not too early.

    The scheduler goes by the minute, so a moment within one would be a promise that nobody keeps.

    >>> end(datetime(2026, 11, 24, 19, 11, 30, tzinfo=UTC), timedelta(hours=2)).isoformat()
    '2026-11-24T21:12:00+00:00'
    """
    exact = now.astimezone(UTC) + lease
    whole = exact.replace(second=0, microsecond=0)
    return whole if whole == exact else whole + timedelta(minutes=1)


def left(now: datetime, end: datetime) -> str:
    """Say how long it is until a moment, in words.

    >>> left(datetime(2026, 11, 24, 19, 13, tzinfo=UTC), datetime(2026, 11, 24, 21, 12, tzinfo=UTC))
    '1 h 59 min'
    """
    seconds = (end - now).total_seconds()
    if seconds <= 0:
        return f"ended {_words(-seconds)} ago"
    return _words(seconds)


def stamp(when: datetime) -> str:
    """Write a moment as EventBridge Scheduler takes it, to the second, never an earlier one.

    >>> stamp(datetime(2026, 11, 24, 21, 12, tzinfo=UTC))
    '2026-11-24T21:12:00.000Z'
    """
    when = when.astimezone(UTC)
    if when.microsecond:
        when = when.replace(microsecond=0) + timedelta(seconds=1)
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def read(text: str) -> datetime:
    """Read a moment that `stamp` wrote.

    Raises:
        SettingsError: if it is none; somebody else has set it then.

    >>> read("2026-11-24T21:12:00.000Z").isoformat()
    '2026-11-24T21:12:00+00:00'
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        message = f"{text!r:.60} is no moment such as 2026-11-24T21:12:00.000Z"
        raise SettingsError(message, where="lease")
    return when.astimezone(UTC)


def _words(seconds: float) -> str:
    if seconds < 60:
        return "less than a minute"
    named = zip(_units(timedelta(seconds=seconds)), ("d", "h", "min"), strict=True)
    return " ".join(f"{number} {unit}" for number, unit in named if number)


def _units(time: timedelta) -> tuple[int, int, int]:
    """Count whole days, and the hours and minutes beside them."""
    hours, seconds = divmod(time.seconds, 3600)
    return time.days, hours, seconds // 60
