"""Date-times as CSMSs write them: everything that ISO 8601 allows (OCPP 1.6 section 3.15), without an offset in UTC."""

import re
from datetime import UTC, datetime, timedelta, timezone

MAX_LENGTH = 64
"""Characters; the longest sensible form has some forty."""

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)

_FORM = (
    r"(?ai)(?P<date>\d{4}-\d\d-\d\d|\d{8}|\d{4}-?\d{3}|\d{4}-?W\d\d-?\d)"
    r"(?:[T ](?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d))?)?(?:[.,](?P<fraction>\d+))?"
    r" ?(?P<offset>Z|UTC|GMT|(?P<sign>[+\u2212-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d)(?::?\d\d)?)?)?)?"
)


def moment_of(text: str) -> datetime | None:
    """The instant, in UTC; None for what is no date-time. A date alone is its midnight.

    What the calendar of Python cannot hold (24:00 of the last day, year 1 east of Greenwich) is its nearest end.
    """
    match = re.fullmatch(_FORM, text.strip()) if len(text) <= MAX_LENGTH else None
    if match is None:
        return None
    try:
        day, zone = _day(match["date"].upper().replace("-", "")), _zone(match)
    except ValueError:
        return None
    time = _time(match)
    if day is None or zone is None or time is None:
        return None
    try:
        return (day + time - zone).replace(tzinfo=UTC)
    except OverflowError:
        return LATEST if day.year > 1 else EARLIEST


def has_time(text: str) -> bool:
    """Whether a date-time says more than the day."""
    return len(text.strip()) > len("2026-W01-1")


def named(value: datetime | None) -> datetime | None:
    """An end of validity; None where the year 1 or the beginning of 1970 stand for none, as .NET and others write it."""
    return value if value is None or value.timestamp() > 0 else None


def later(value: datetime, seconds: float) -> datetime:
    """`value` moved by some seconds; at the ends of the calendar it stops."""
    try:
        return value + timedelta(seconds=seconds)
    except OverflowError:
        end = LATEST if seconds > 0 else EARLIEST
        return end.replace(tzinfo=value.tzinfo) if isinstance(value.tzinfo, timezone) else end


def _day(date: str) -> datetime | None:
    if len(date) == 7:
        first = datetime(int(date[:4]), 1, 1)
        day = first + timedelta(days=int(date[4:]) - 1)
        return day if day.year == first.year else None
    return datetime.fromisoformat(date)


def _time(match: re.Match[str]) -> timedelta | None:
    """Since midnight; a fraction is one of the smallest unit given. 24:00 and leap seconds are times."""
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        return None
    unit = 1 if match["second"] else 60 if match["minute"] else 3600
    part = float("0." + match["fraction"]) * unit if match["fraction"] else 0.0
    return timedelta(hours=hour, minutes=minute, seconds=second + part)


def _zone(match: re.Match[str]) -> timedelta | None:
    if match["sign"] is None:
        return timedelta(0)
    hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
    if hours > 23 or minutes > 59:
        return None
    east = timedelta(hours=hours, minutes=minutes)
    return east if match["sign"] == "+" else -east
