import pytest
from support.chips.adc import Ads1115

from hal.drivers import make

SUPPLY_V, PULL_UP = 3.3, 1000.0
OPTIONS = {"adc": {"chip": "ads1115", "channel": 2}, "supply_v": SUPPLY_V, "pull_up_ohm": PULL_UP}


class Socket:
    """PP with a pull-up, and the resistor of the plug in it."""

    def __init__(self, adc) -> None:
        self.adc = adc
        self.plug(None)

    def plug(self, ohms) -> None:
        self.adc.pins[2] = SUPPLY_V if ohms is None else SUPPLY_V * ohms / (ohms + PULL_UP)


@pytest.fixture
def socket(kernel):
    kernel.i2c.parts[0x48] = Ads1115()
    return Socket(kernel.i2c.parts[0x48])


@pytest.fixture
def proximity(socket, bench):
    made = make(bench, "PP", "proximity", OPTIONS)
    made.told = []
    made.changed = lambda: made.told.append(made.rating_a)
    return made


def look(proximity, times=2) -> float | None:
    for _ in range(times):
        proximity.sample()
    return proximity.rating_a


def test_it_tells_what_the_cable_carries_while_one_is_in(socket, proximity):
    assert look(proximity) is None
    for ohms, amperes in ((1500, 13), (680, 20), (220, 32), (100, 63), (None, None)):
        socket.plug(ohms)
        assert look(proximity) == amperes
    assert proximity.told == [13, 20, 32, 63, None]


def test_one_sample_is_not_enough(socket, proximity):
    socket.plug(220)
    assert look(proximity, 1) is None
    assert look(proximity, 1) == 32


def test_a_resistor_that_codes_nothing_is_logged_once(socket, proximity, caplog):
    socket.plug(3000)
    assert look(proximity, 10) is None
    assert [each.message for each in caplog.records] == ["PP: 3000 ohm code no cable of table B.2: nothing is offered"]
    assert proximity.values() == {"resistor": "3000 ohm", "rating": "none"}


def test_an_adc_that_fails_keeps_the_rating_for_a_moment_only(socket, proximity, caplog):
    caplog.set_level("INFO")
    socket.plug(220)
    look(proximity)
    socket.adc.broken = True
    assert look(proximity) == 32
    proximity._read_at -= 6.0
    assert look(proximity) is None
    socket.adc.broken = False
    assert look(proximity) == 32
    assert len(caplog.records) == 2


def test_a_divider_and_a_single_phase(socket, bench):
    made = make(bench, "PP", "proximity", {**OPTIONS, "divider": 0.5, "phases": 1})
    socket.adc.pins[2] = SUPPLY_V * 100 / 1100 / 2
    assert look(made) == 70


def test_it_measures_by_itself_in_the_buss_thread(socket, bench, proximity):
    import time

    socket.plug(220)
    proximity.start()
    bench.start()
    end = time.monotonic() + 5
    while not proximity.told and time.monotonic() < end:
        time.sleep(0.005)
    assert proximity.told == [32]
