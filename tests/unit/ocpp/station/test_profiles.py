"""Slots and priority may say anything: there is always a profile to try."""

import logging

import msgspec
import pytest

from ocpp.connectivity import NetworkProfile
from ocpp.device_model import DeviceModel
from ocpp.device_model.standard import build
from ocpp.station.profiles import Profiles
from ocpp.storage.database import Database
from ocpp.storage.network_slots import NetworkSlotRepository
from ocpp.storage.variables import VariableRepository
from ocpp.versions import OcppVersion


def profile(slot):
    return NetworkProfile(slot=slot, url=f"ws://csms{slot}/ocpp", version=OcppVersion.V201, security_profile=0)


@pytest.fixture
def station(tmp_path):
    class Station:
        database = Database.open(tmp_path / "station.db")
        slots = NetworkSlotRepository(database)
        model = DeviceModel(VariableRepository(database))

        def priority(self, value):
            self.model.set_inside(self.model.entry("OCPPCommCtrlr/NetworkConfigurationPriority"), value)

        def tried(self):
            return [each.slot for each in Profiles(self.slots, self.model, [profile(9)])()]

    build(Station.model)
    yield Station()
    Station.database.close()


@pytest.mark.parametrize(("priority", "tried"), [("2,1", [2, 1]), ("1", [1]), ("3,1", [1]), ("3", [1, 2])])
def test_a_priority_that_names_only_empty_slots_leaves_all_the_others(station, priority, tried, caplog):
    for slot in (1, 2):
        station.slots.put(slot, msgspec.json.encode(profile(slot)))
    station.priority(priority)
    with caplog.at_level(logging.ERROR):
        assert station.tried() == tried
    assert ("holds a profile" in caplog.text) is ("1" not in priority)


@pytest.mark.parametrize("stored", [b"", b"{}", b"[", b'{"slot": "x"}', b"\xff"])
def test_a_slot_that_cannot_be_read_is_passed_over(station, stored):
    station.slots.put(1, stored)
    station.priority("1")
    assert station.tried() == [9]
    station.slots.put(2, msgspec.json.encode(profile(2)))
    station.priority("1,2")
    assert station.tried() == [2]


def test_what_is_passed_over_is_said_once(station, caplog):
    station.slots.put(1, b"")
    station.priority("1")
    profiles = Profiles(station.slots, station.model, [profile(9)])
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            profiles()
    assert len(caplog.records) == 1
