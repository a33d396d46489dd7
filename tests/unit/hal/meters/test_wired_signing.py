"""A wired EVSE whose meter signs: what happens there waits for the signature."""

from support.signing_station import DRIVERS

from hal import drivers
from hal.boards import board
from hal.iec61851 import PilotState
from hal.interfaces import PartDescription
from hal.wired import WiredStation
from ocpp.clock import ManualClock

PARTS = (
    PartDescription("P1", "still-pilot", 1),
    PartDescription("K1", "still-contactor", 1),
    PartDescription("M1", "signing-meter", 1),
)


class Heard:
    def __init__(self) -> None:
        self.all: list[str] = []

    def __getattr__(self, name):
        return lambda *args, **named: self.all.append(name)


def test_a_plug_is_told_when_the_meter_has_signed(monkeypatch):
    for name, place in DRIVERS.items():
        monkeypatch.setitem(drivers.BUILT_IN, name, place)
    heard, clock = Heard(), ManualClock()
    station = WiredStation(1, PARTS, board=board("linux"), clock=clock, to_loop=lambda work: work(), listener=heard)
    station.start()
    try:
        parts = {part.name: part for _, part in station.parts}
        parts["P1"].state = PilotState.B
        station.evse(1).pilot_changed()
        clock.tick(0.1)
        assert "plugged" not in heard.all
        parts["M1"].sign()
        assert "plugged" in heard.all
    finally:
        station.stop()
