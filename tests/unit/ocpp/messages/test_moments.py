"""Date-times in every form that ISO 8601 has, and in none that it has not."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp.messages.moments import EARLIEST, LATEST, later, moment_of, named

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.mark.req("1.6-3.15")
@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30T12:00:00Z",
        "2026-11-30T12:00:00",
        "2026-11-30T12:00:00.000000",
        "2026-11-30T12:00:00.00000000000001",
        "2026-11-30T12:00:00,0",
        "2026-11-30 12:00:00",
        "2026-11-30t12:00:00z",
        "2026-11-30T12:00",
        "2026-11-30T12:00Z",
        "2026-11-30T12",
        "2026-11-30T14:00:00+02",
        "2026-11-30T14:00:00+0200",
        "2026-11-30T14:00:00+02:00",
        "2026-11-30T14:00:00 +02:00",
        "2026-11-30T10:30:00-01:30",
        "2026-11-30T10:30:00\u221201:30",
        "20261130T120000Z",
        "20261130T1200",
        "2026-334T12:00:00Z",
        "2026334T12:00:00Z",
        "2026-W49-1T12:00:00Z",
        "2026W491T120000",
        "2026-11-30T11:59:60Z",
        "2026-11-30T11.99999999999999",
        " 2026-11-30T12:00:00 UTC",
        "2026-11-30T12:00:00 GMT ",
        "2026-12-01T00:00:00+12:00",
    ],
)
def test_a_time_of_iso_8601_is_a_time(text):
    found = moment_of(text)
    assert found is not None
    assert abs(found - NOON) < timedelta(milliseconds=1)
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-366T00:00:00",
        "2026-11-30T25:00:00Z",
        "2026-11-30T24:00:01Z",
        "2026-11-30T12:60:00Z",
        "2026-11-30T12:00:00+24:00",
        "2026-11-30T12:00:00X",
        "2026-11-30T12:00:00Z" + " " * 100,
        "1764504000",
        "30.11.2026 12:00",
        "\u0662\u0660\u0662\u0666-11-30T12:00:00Z",
    ],
)
def test_anything_else_is_none(text):
    assert moment_of(text) is None


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("0001-01-01T00:00:00+14:00", EARLIEST),
        ("9999-12-31T23:59:59-14:00", LATEST),
        ("9999-12-31T24:00:00Z", LATEST),
    ],
)
def test_beyond_the_calendar_is_its_end(text, end):
    assert moment_of(text) == end


@given(st.text(max_size=80) | st.from_regex(r"[0-9TZ:.,+ -]{10,40}"))
def test_no_text_raises(text):
    found = moment_of(text)
    assert found is None or found.utcoffset() == timedelta(0)


@given(
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))])),
    st.floats(-1e12, 1e12),
)
def test_moving_a_time_never_overflows(value, seconds):
    assert EARLIEST.year <= later(value, seconds).year <= LATEST.year


def test_an_end_that_stands_for_none_is_none():
    assert named(None) is None
    assert named(EARLIEST) is None
    assert named(datetime(1970, 1, 1, tzinfo=UTC)) is None
    assert named(LATEST) == LATEST
