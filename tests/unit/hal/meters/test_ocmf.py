"""The clock of a meter that signs: told when it is wrong or once a day, by a board that knows the time."""

import pytest

from hal.errors import BusError
from hal.meters.ocmf import EARLIEST, MeterClock
from hal.meters.register_map import by_name

ADDRESS = 40260
NOON = EARLIEST + 43_200.0


class Line:
    """A line with a meter whose clock stands, or does not answer."""

    def __init__(self) -> None:
        self.told: list[list[int]] = []
        self.epoch = 0xFFFFFFFF
        self.broken = False

    def read(self, unit, function, address, count):
        if self.broken:
            raise BusError("no answer")
        assert (unit, function, address, count) == (42, 3, ADDRESS, 2)
        return [self.epoch >> 16, self.epoch & 0xFFFF]

    def write(self, unit, address, values):
        assert (unit, address) == (42, ADDRESS)
        self.told.append(values)
        self.epoch = values[0] << 16 | values[1]


class Rig:
    def __init__(self) -> None:
        self.line, self.wall, self.now = Line(), NOON, 0.0
        self.clock = MeterClock(self.line, 42, by_name("bauer-bsm-ws36a").ocmf, lambda: self.wall)

    def pass_time(self, seconds: float, *, meter_runs: bool = True) -> None:
        self.now += seconds
        self.wall += seconds
        if meter_runs:
            self.line.epoch += int(seconds)
        self.clock.keep(self.now)


@pytest.fixture
def rig():
    return Rig()


def test_a_meter_without_the_time_is_told_it_in_utc_in_one_write(rig):
    rig.clock.keep(0.0)
    assert rig.line.told == [[int(NOON) >> 16, int(NOON) & 0xFFFF, 0]]


def test_a_meter_that_knows_it_is_left_alone_for_a_day(rig):
    rig.line.epoch = int(NOON)
    rig.clock.keep(0.0)
    for _ in range(23):
        rig.pass_time(3600)
    assert rig.line.told == []
    rig.pass_time(3600)
    assert len(rig.line.told) == 1


def test_after_its_power_has_failed_it_is_told_again(rig):
    rig.clock.keep(0.0)
    rig.line.epoch = 0
    rig.pass_time(61, meter_runs=False)
    assert len(rig.line.told) == 2


def test_it_is_not_looked_at_all_the_time(rig):
    rig.clock.keep(0.0)
    rig.line.broken = True
    rig.pass_time(30)
    with pytest.raises(BusError):
        rig.pass_time(31)


def test_a_board_that_does_not_know_the_time_tells_none(rig):
    rig.wall = 3600.0
    rig.clock.keep(0.0)
    assert rig.line.told == []
