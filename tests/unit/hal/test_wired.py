import pytest
from support.fake_parts import DRIVERS

from hal import drivers
from hal.boards import board
from hal.errors import HardwareError
from hal.interfaces import PartDescription
from hal.wired import WiredStation
from ocpp.clock import ManualClock

PARTS = (
    PartDescription("P1", "fake-pilot", 1),
    PartDescription("K1", "fake-contactor", 1),
    PartDescription("reader", "fake-reader", 0),
    PartDescription("left reader", "fake-reader", 1),
    PartDescription("lock", "fake-lock", 1),
    PartDescription("lid", "fake-tamper", 0),
    PartDescription("bay", "fake-bay", 1),
    PartDescription("lamp", "fake-lamp", 1),
)


class Rig:
    def __init__(self, heard) -> None:
        self.clock, self.heard = ManualClock(), heard
        self.station = WiredStation(
            1, PARTS, board=board("linux"), clock=self.clock, to_loop=lambda work: work(), listener=heard
        )
        self.parts = {part.name: part for _, part in self.station.parts}


@pytest.fixture
def rig(monkeypatch, new_heard):
    for name, place in DRIVERS.items():
        monkeypatch.setitem(drivers.BUILT_IN, name, place)
    rig = Rig(new_heard())
    rig.station.start()
    yield rig
    rig.station.stop()


def test_a_reader_that_fails_is_a_fault_of_its_evse_until_it_works(rig):
    rig.parts["left reader"].problem = "unplugged"
    rig.clock.tick(1.0)
    rig.parts["left reader"].problem = ""
    rig.clock.tick(1.0)
    assert rig.heard.of("fault") == [
        ("fault", 1, 0, "ReaderFailure", True, "left reader: unplugged"),
        ("fault", 1, 0, "ReaderFailure", False, ""),
    ]


def test_a_lock_that_lets_go_is_a_fault_of_its_evse_until_it_is_released(rig):
    rig.parts["lock"].problem = "the cable is not held any more"
    rig.clock.tick(1.0)
    rig.parts["lock"].problem = ""
    rig.clock.tick(1.0)
    assert rig.heard.of("fault") == [
        ("fault", 1, 0, "ConnectorLockFailure", True, "lock: the cable is not held any more"),
        ("fault", 1, 0, "ConnectorLockFailure", False, ""),
    ]


def test_a_reader_of_the_station_serves_every_evse(rig):
    rig.parts["reader"].presented("DEADBEEF", "ISO14443")
    rig.parts["left reader"].presented("DEADBEEF", "ISO14443")
    assert [each[3] for each in rig.heard.of("token")] == [(), (1,)]


def test_a_lid_that_is_opened_is_told_with_its_name(rig, caplog):
    rig.parts["lid"].changed(True)
    rig.parts["lid"].changed(False)
    assert rig.heard.of("tamper") == [("tamper", 0, True, "lid"), ("tamper", 0, False, "lid")]
    assert "lid: opened" in caplog.text


def test_a_bay_is_told(rig):
    rig.parts["bay"].changed(True)
    assert rig.heard.of("bay") == [("bay", 1, True)]


def test_lights_show_what_they_are_told_and_then_what_the_evse_does(rig):
    lamp = rig.parts["lamp"]
    assert lamp.shown == "Available"
    rig.station.indicate(1, "Refused")
    assert lamp.shown == "Refused"
    rig.clock.tick(5.0)
    assert lamp.shown == "Available"
    rig.station.set_available(1, 1, False)
    rig.clock.tick(1.0)
    assert lamp.shown == "Unavailable"


def test_a_part_that_cannot_be_used_is_named_and_nothing_stays_open(monkeypatch, new_heard):
    for name, place in DRIVERS.items():
        monkeypatch.setitem(drivers.BUILT_IN, name, place)
    bad = PartDescription("coil", "gpio-contactor", 1, options={"coil": "gpiochip99/1"})
    with pytest.raises(HardwareError, match="coil: /dev/gpiochip99/1 cannot be used"):
        WiredStation(
            1,
            (PARTS[0], bad),
            board=board("linux"),
            clock=ManualClock(),
            to_loop=lambda work: work(),
            listener=new_heard(),
        )
