"""The composite schedule of a day from three stacked profiles of 24 periods: the calculation, and the typed response."""

import asyncio
import json
from pathlib import Path

from stations import CallLoop, folder, station

from ocpp.core.limits import Place, composite, limits_of
from ocpp.core.schedule import PERIOD_IN_MESSAGE, ChargingProfile, Kind, Period, Periods, Purpose, Schedule
from ocpp.messages import v201

GROUP = "schedule: 24 h, 3 stacked profiles of 24 periods"
READING = "schedule: 24 periods of a message"
DAY_S, HOUR_S = 86400, 3600
START = 1767225600.0
PLACE = Place(max_current_a=32.0, phases=3, default_a=16.0)
PURPOSES = (Purpose.TX_DEFAULT, Purpose.TX, Purpose.STATION_MAX)


def _profile(number, purpose):
    periods = tuple(Period(n * HOUR_S, 6.0 + (n * (number + 1)) % 20, 3) for n in range(24))
    return ChargingProfile(
        id=number,
        evse_id=0 if purpose is Purpose.STATION_MAX else 1,
        stack_level=number,
        purpose=purpose,
        kind=Kind.ABSOLUTE,
        schedule=Schedule("A", periods, start=START),
    )


PROFILES = [_profile(number, purpose) for number, purpose in enumerate(PURPOSES)]


MESSAGE = [v201.ChargingSchedulePeriod(start_period=n * HOUR_S, limit=6.0 + n, number_phases=3) for n in range(24)]


def test_reading_floor(benchmark, role):
    """What plain Python takes to look at every number."""
    role(READING, "floor", "tuples of three attributes, Python")
    benchmark(lambda: [(each.start_period, each.limit, each.number_phases) for each in MESSAGE])


def test_reading(benchmark, role):
    role(READING, "ours", "Periods, judged")
    assert Periods(MESSAGE, PERIOD_IN_MESSAGE).sound
    benchmark(Periods, MESSAGE, PERIOD_IN_MESSAGE)


def test_composite_floor(benchmark, role):
    """The least that tells the limits of 24 hours: the smallest of three numbers for each."""
    role(GROUP, "floor", "min of three rows of 24 numbers, Python")
    rows = [[period.limit for period in each.schedule.periods] for each in PROFILES]
    benchmark(lambda: [min(three) for three in zip(*rows, strict=True)])


def test_composite(benchmark, role):
    role(GROUP, "ours", "composite")

    def made():
        return composite(limits_of(PLACE, PROFILES, START), START, DAY_S)

    assert len(made().slices) > 12
    benchmark(made)


def test_composite_call(benchmark, role):
    role(GROUP, "ours", "GetCompositeSchedule, frame to frame")
    loop = asyncio.new_event_loop()
    with folder() as place:
        made = loop.run_until_complete(station(Path(place)).start())
        for number, each in enumerate(PROFILES[::2]):
            payload = {"evseId": each.evse_id, "chargingProfile": _wire(number + 1, each)}
            answer = loop.run_until_complete(made.csms.call(made.clock, "SetChargingProfile", payload))
            assert answer[2]["status"] == "Accepted", answer
        calls = CallLoop(made)
        frame = json.dumps([2, "1", "GetCompositeSchedule", {"evseId": 1, "duration": DAY_S}]).encode()
        benchmark(lambda: loop.run_until_complete(calls.run([frame])))
        assert json.loads(calls.answer)[2]["status"] == "Accepted"
        loop.run_until_complete(made.stop())
    loop.close()


def _wire(number, profile):
    return {
        "id": number,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": "ChargingStationMaxProfile" if profile.evse_id == 0 else profile.purpose.value,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": number,
                "startSchedule": "2026-01-01T00:00:00Z",
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [
                    {"startPeriod": each.start, "limit": each.limit, "numberPhases": 3}
                    for each in profile.schedule.periods
                ],
            }
        ],
    }
