"""Stored network profiles of which some cannot be read."""

import msgspec
import pytest

from ocpp.connectivity import NetworkProfile, slots
from ocpp.connectivity.slots import in_order, readable
from ocpp.versions import OcppVersion


def profile(slot: int) -> NetworkProfile:
    return NetworkProfile(slot=slot, url=f"ws://csms{slot}", version=OcppVersion.V201, security_profile=0)


STORED = {slot: msgspec.json.encode(profile(slot)) for slot in (1, 2, 3)}
RUINS = [
    b"",
    b"\xff",
    b"null",
    b"[]",
    b"{}",
    b'{"slot":1',
    b'{"slot":"1","url":5}',
    b'{"slot":1,"url":"ws://x","version":"9"}',
]


@pytest.mark.parametrize("ruin", RUINS)
def test_a_profile_that_cannot_be_read_is_passed_over_and_told_once(ruin, caplog):
    stored = {**STORED, 2: ruin + b" " * 3}
    for _ in range(3):
        assert list(readable(stored)) == [1, 3]
    assert len([record for record in caplog.records if "slot 2" in record.message]) == 1


@pytest.mark.req("B10.FR.07")
@pytest.mark.parametrize(
    ("priority", "last_good", "expected"),
    [
        (["3", "1"], 2, [3, 1]),
        (["7", "3"], 2, [3]),
        (["7"], 2, [2, 1, 3]),
        (["7", "x", "-1", "²"], 3, [3, 1, 2]),
        ([], None, [1, 2, 3]),
    ],
)
def test_a_priority_that_names_only_dead_slots_leads_to_the_one_that_worked_last(
    priority, last_good, expected, caplog, monkeypatch
):
    monkeypatch.setattr(slots, "_told", set())
    for _ in range(2):
        assert [each.slot for each in in_order(STORED, priority, last_good)] == expected
    told = [record for record in caplog.records if "holds a profile" in record.message]
    assert len(told) == (0 if "3" in priority else 1)


def test_where_nothing_can_be_read_the_station_file_counts():
    assert in_order({1: b"x"}, ["1"], 1, [profile(4)]) == [profile(4)]
