"""The rules for a profile, and reviews that change what they are about; what messages bring is tested with the blocks."""

import logging

import msgspec
import pytest

from ocpp.clock import ManualClock
from ocpp.core.evse import Connector, Evse, Evses
from ocpp.core.grid import Grid
from ocpp.core.schedule import ChargingProfile, Kind, Period, Purpose, Schedule
from ocpp.core.smart_charging import MAX_ROUNDS, SmartCharging
from ocpp.device_model import DeviceModel
from ocpp.device_model.standard import build
from ocpp.storage.charging_profiles import ChargingProfileRepository
from ocpp.storage.database import Database
from ocpp.storage.variables import VariableRepository

START = 1767225600.0
GOOD = Schedule("A", [Period(0, 10.0)], start=START, id=1)


def profile(limit: float = 10.0, number: int = 1, **more) -> ChargingProfile:
    values = {
        "id": number,
        "evse_id": 1,
        "stack_level": 0,
        "purpose": Purpose.TX_DEFAULT,
        "kind": Kind.ABSOLUTE,
        "schedule": Schedule("A", [Period(0, limit)], start=START),
    }
    return ChargingProfile(**values | more)


class Bench:
    """Two EVSEs, and what is applied to them."""

    def __init__(self, database: Database) -> None:
        model = DeviceModel(VariableRepository(database))
        build(model)
        self.applied: list[tuple[int, float]] = []
        self.reacts = lambda evse: None
        self.evses = Evses([Evse(number, [Connector(number, 1)]) for number in (1, 2)])
        repository = ChargingProfileRepository(database)
        self.smart = SmartCharging(repository, self.evses, model, ManualClock(), Grid(), self._apply)
        self.smart.start()
        self.applied.clear()

    def _apply(self, evse: Evse) -> None:
        self.applied.append((evse.id, evse.limit.current_a))
        self.reacts(evse)


@pytest.fixture
def bench(tmp_path):
    database = Database.open(tmp_path / "station.db")
    yield Bench(database)
    database.close()


@pytest.mark.parametrize(
    ("other", "defect"),
    [
        (GOOD, ""),
        (msgspec.structs.replace(GOOD, unit="kW"), "UnsupportedRateUnit"),
        (msgspec.structs.replace(GOOD, periods=[]), "InvalidSchedule"),
        (msgspec.structs.replace(GOOD, periods=[Period(5, 10.0)]), "InvalidSchedule"),
        (msgspec.structs.replace(GOOD, periods=[Period(0, -1.0)]), "InvalidSchedule"),
        (msgspec.structs.replace(GOOD, periods=[Period(n, 10.0) for n in range(1025)]), "InvalidSchedule"),
        (msgspec.structs.replace(GOOD, start=None), "InvalidProfile"),
    ],
)
@pytest.mark.parametrize("where", ["the only one", "the second", "the third"])
def test_every_schedule_of_a_profile_has_to_make_sense(bench, where, other, defect):
    numbered = [msgspec.structs.replace(each, id=number) for number, each in enumerate([GOOD, GOOD, other])]
    schedules = {"the only one": [other], "the second": numbered[1:], "the third": numbered}[where]
    given = profile(schedule=schedules[0], alternatives=tuple(schedules[1:]), kind=Kind.RECURRING, recurrency_s=86400)
    assert bench.smart.defect(given) == defect


@pytest.mark.req("K15.FR.10")
def test_two_schedules_of_one_id_could_not_be_told_apart(bench):
    assert bench.smart.defect(profile(schedule=GOOD, alternatives=(GOOD,))) == "InvalidSchedule"


def test_what_a_review_changes_itself_is_applied_by_it(bench):
    bench.smart.install(profile(20.0, 1), replace_equal=False)
    bench.smart.install(profile(20.0, 2, evse_id=2), replace_equal=False)
    bench.applied.clear()

    def reacts(evse: Evse) -> None:
        if evse.id == 2:
            bench.smart.install(profile(6.0, 1), replace_equal=False)

    bench.reacts = reacts
    bench.smart.install(profile(8.0, 2, evse_id=2), replace_equal=False)
    assert bench.applied == [(2, 8.0), (1, 6.0)]


def test_a_review_that_never_settles_is_given_up_with_a_word(bench, caplog):
    limits = iter(range(6, 99))

    def reacts(evse: Evse) -> None:
        bench.smart.install(profile(float(next(limits))), replace_equal=False)

    bench.reacts = reacts
    with caplog.at_level(logging.WARNING):
        bench.smart.install(profile(5.0), replace_equal=False)
    assert len(bench.applied) == MAX_ROUNDS
    assert "do not settle" in caplog.text
    bench.reacts = lambda evse: None
    bench.smart.install(profile(16.0), replace_equal=False)
    assert bench.applied[-1] == (1, 16.0)
