import pytest

from ocpp.storage.database import Database
from ocpp.storage.network_slots import NetworkSlotRepository


@pytest.fixture
def slots(database):
    return NetworkSlotRepository(database)


def test_profiles_are_told_in_the_order_of_their_slots(slots):
    slots.put(2, b'{"url":"b"}')
    slots.put(1, b'{"url":"a"}')
    assert list(slots.load().items()) == [(1, b'{"url":"a"}'), (2, b'{"url":"b"}')]


def test_a_profile_replaces_the_one_in_its_slot(slots):
    slots.put(1, b"old")
    slots.put(1, b"new")
    assert slots.load() == {1: b"new"}


def test_a_slot_can_be_emptied(slots):
    slots.put(1, b"a")
    slots.remove(1)
    slots.remove(9)
    assert slots.load() == {}


@pytest.mark.req("B09.FR.01")
def test_a_profile_is_on_disk_before_the_csms_is_told(path):
    database = Database.open(path)
    NetworkSlotRepository(database).put(1, b"a")
    assert database.fsyncs == 1
    database.close()
    database = Database.open(path)
    assert NetworkSlotRepository(database).load() == {1: b"a"}
    database.close()
