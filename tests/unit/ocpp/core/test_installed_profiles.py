"""What is on disk of charging profiles stays readable, and is written as it was."""

from ocpp.core.installed_profiles import InstalledProfiles
from ocpp.core.schedule import ChargingProfile, Kind, Period, Purpose, Schedule
from ocpp.storage.charging_profiles import ChargingProfileRepository
from ocpp.storage.database import Database

ON_DISK = (
    b'{"id":7,"evse_id":1,"stack_level":2,"purpose":"TxProfile","kind":"Absolute",'
    b'"schedule":{"unit":"A","periods":[{"start":0,"limit":6.0},{"start":3600,"limit":7.5,"phases":1}],'
    b'"start":1767268800.25,"duration":86400,"id":3},'
    b'"transaction_id":"T1","alternatives":[{"unit":"W","periods":[{"start":0,"limit":11000.0}],"min_rate":10.0,"id":4}]}'
)

PROFILE = ChargingProfile(
    id=7,
    evse_id=1,
    stack_level=2,
    purpose=Purpose.TX,
    kind=Kind.ABSOLUTE,
    schedule=Schedule("A", (Period(0, 6.0), Period(3600, 7.5, 1)), 1767268800.25, 86400, id=3),
    transaction_id="T1",
    alternatives=(Schedule("W", [Period(0, 11000)], min_rate=10.0, id=4),),
)


def test_profiles_are_read_and_written_as_ever(tmp_path):
    database = Database.open(tmp_path / "station.db")
    repository = ChargingProfileRepository(database)
    InstalledProfiles(repository).put(PROFILE)
    assert repository.load() == [ON_DISK]
    (loaded,) = InstalledProfiles(repository)
    assert loaded == PROFILE
    assert (loaded.schedule.periods[1], loaded.schedule.curve.fewest_phases) == (Period(3600, 7.5, 1), 1)
    database.close()
