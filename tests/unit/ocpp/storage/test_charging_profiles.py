import pytest

from ocpp.storage.charging_profiles import ChargingProfileRepository
from ocpp.storage.database import Database


@pytest.fixture
def profiles(database: Database) -> ChargingProfileRepository:
    return ChargingProfileRepository(database)


def log_size(database: Database) -> int:
    return database.path.with_name(f"{database.path.name}-wal").stat().st_size


def test_profiles_are_there_after_reopening(database, path):
    profiles = ChargingProfileRepository(database)
    for number, profile in ((2, "second"), (1, "first"), (3, "third"), (2, "other")):
        profiles.put(number, profile)
    profiles.remove(3)
    assert profiles.load() == [b'"first"', b'"other"']
    with_another = Database.open(path)
    assert ChargingProfileRepository(with_another).load() == [b'"first"', b'"other"']
    with_another.close()


def test_every_change_is_durable(database, profiles):
    before = database.fsyncs
    profiles.put(1, "first")
    profiles.put(1, "other")
    profiles.remove(1)
    assert database.fsyncs == before + 3


def test_a_profile_that_is_there_already_wears_no_disk(database, profiles):
    profiles.put(1, "first")
    before = log_size(database)
    profiles.put(1, "first")
    assert log_size(database) == before
    profiles.put(1, "other")
    assert log_size(database) > before
    assert profiles.load() == [b'"other"']


def test_one_in_place_of_others_is_all_or_nothing(database, path):
    profiles = ChargingProfileRepository(database)
    profiles.put(1, "first")
    profiles.put(2, "second")

    def power_fails(step: str) -> None:
        raise KeyboardInterrupt(step)

    database.on_step = power_fails
    with pytest.raises(KeyboardInterrupt):
        profiles.put(3, "third", in_place_of=[1, 2])
    with_another = Database.open(path)
    assert ChargingProfileRepository(with_another).load() == [b'"first"', b'"second"']
    with_another.close()
    database._roll_back()
    database.on_step = None
    before = database.fsyncs
    profiles.put(3, "third", in_place_of=[1, 2])
    assert (profiles.load(), database.fsyncs) == ([b'"third"'], before + 1)
