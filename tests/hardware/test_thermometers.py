import math

import pytest
from support.chips.thermometer import Ds18b20, Lm75

from hal.drivers import make
from hal.errors import DriverError

SENSOR = "28-0316a2799eff"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(bench):
    bench.clock = Clock()
    return bench.clock


@pytest.fixture
def chips(kernel):
    found = {"lm75": Lm75(), "tmp102": Lm75(0.0625, b"\x60\xa0"), "ds18b20": Ds18b20(kernel, SENSOR)}
    kernel.i2c.parts[0x48], kernel.i2c.parts[0x49] = found["lm75"], found["tmp102"]
    return found


PLACES = {"lm75": {}, "tmp102": {"address": 0x49}, "ds18b20": {"id": SENSOR}}


@pytest.fixture
def made(chips, bench, clock):
    def made(name, **options):
        return make(bench, f"T {name}", name, {**PLACES[name], **options})

    return made


def look(thermometer):
    thermometer.sample()
    return thermometer.celsius


@pytest.mark.parametrize("name", ["lm75", "tmp102"])
@pytest.mark.parametrize("celsius", [25.0, 0.0, -40.0, 99.5, 0.5, -0.5])
def test_a_chip_tells_its_temperature(chips, made, name, celsius):
    chips[name].celsius = celsius
    assert look(made(name)) == celsius


@pytest.mark.parametrize("millidegrees", [23125, 0, -10125, 85125])
def test_a_1_wire_sensor_tells_its_temperature(chips, made, millidegrees):
    chips["ds18b20"].show(millidegrees)
    assert look(made("ds18b20")) == millidegrees / 1000


def test_before_the_first_measurement_nothing_is_known_and_nothing_is_wrong(made, clock):
    thermometer = made("lm75")
    assert (thermometer.celsius, thermometer.wrong(clock.now)) == (None, "")
    assert "no temperature" in thermometer.wrong(clock.now + 11)


def test_above_the_limit_it_is_wrong_until_it_is_well_below(chips, made, clock):
    thermometer = made("lm75", limit_c=70)
    seen = []
    for chips["lm75"].celsius in (69.0, 70.5, 66.0, 64.5, 69.0):
        look(thermometer)
        seen.append(thermometer.wrong(clock.now))
    assert seen == ["", "70.5 °C", "66.0 °C", "", ""]


@pytest.mark.parametrize("name", ["lm75", "tmp102"])
def test_a_chip_that_does_not_answer_is_wrong_after_a_while_and_logged_once(chips, made, clock, name, caplog):
    caplog.set_level("INFO")
    thermometer = made(name)
    look(thermometer)
    chips[name].broken = True
    clock.now += 5
    assert look(thermometer) == 25.0
    assert thermometer.wrong(clock.now) == ""
    clock.now += 6
    assert look(thermometer) is None
    assert thermometer.wrong(clock.now) == "no temperature for 11 s"
    chips[name].broken = False
    chips[name].reset()
    assert look(thermometer) == 25.0, "and it is configured again"
    assert thermometer.wrong(clock.now) == ""
    assert len(caplog.records) == 2


@pytest.mark.parametrize("name", ["lm75", "tmp102"])
def test_a_bus_that_is_stuck_high_shows_no_temperature(chips, made, name):
    chips[name].stuck_high = True
    assert look(made(name)) is None


@pytest.mark.parametrize("fault", ["crc", "unplugged", "reset"])
def test_a_1_wire_sensor_that_shows_nonsense_is_not_believed(chips, made, clock, fault, caplog):
    thermometer = made("ds18b20")
    look(thermometer)
    if fault == "crc":
        chips["ds18b20"].show(50000, crc=False)
    elif fault == "reset":
        chips["ds18b20"].show(85000)
    else:
        chips["ds18b20"].unplug()
    assert look(thermometer) == 23.125
    clock.now += 11
    assert look(thermometer) is None
    chips["ds18b20"].show(30000)
    assert look(thermometer) == 30.0
    assert len(caplog.records) == 1


def test_85_degrees_are_believed_where_it_was_as_hot_before(chips, made):
    thermometer = made("ds18b20")
    chips["ds18b20"].show(84500)
    look(thermometer)
    chips["ds18b20"].show(85000)
    assert look(thermometer) == 85.0


def test_an_id_that_is_none_is_refused(made):
    with pytest.raises(DriverError, match="write it as 28-"):
        made("ds18b20", id="../../etc")


def test_heat_bounds_the_current_and_says_so_when_that_changes(chips, made, clock):
    thermometer = made("lm75", derating=[[50, 32], [70, 16]])
    told = []
    thermometer.changed = lambda: told.append(thermometer.most_a)
    for chips["lm75"].celsius in (25.0, 60.0, 60.0, 90.0):
        look(thermometer)
    assert told == [24, 16]
    chips["lm75"].celsius = 20.0
    look(thermometer)
    assert thermometer.most_a == math.inf
    chips["lm75"].broken = True
    clock.now += 20
    look(thermometer)
    assert thermometer.most_a == 16, "not known counts as hot"


def test_a_curve_that_rises_is_refused(made):
    with pytest.raises(DriverError, match="derating"):
        made("lm75", derating=[[50, 16], [70, 32]])
