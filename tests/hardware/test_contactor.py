import pytest

from hal.drivers import make
from hal.errors import BusError, ClaimError, ContactorError

COIL, FEEDBACK = 17, 27
PINS = {"coil": f"gpiochip0/{COIL}", "feedback": f"gpiochip0/{FEEDBACK}", "pause_s": 0}


@pytest.fixture
def contactor(kernel, bench):
    return make(bench, "K1", "gpio-contactor", PINS)


def test_it_is_open_from_the_beginning_and_obeys(kernel, contactor):
    assert kernel.gpio.levels[COIL] == 0
    contactor.close()
    assert kernel.gpio.levels[COIL] == 1
    contactor.open()
    assert kernel.gpio.levels[COIL] == 0


def test_closed_is_what_the_feedback_says(kernel, contactor):
    contactor.close()
    assert not contactor.closed
    kernel.gpio.levels[FEEDBACK] = 1
    assert contactor.closed
    assert contactor.values()["operations"] == "1"


def test_an_active_low_coil_is_off_at_high_level(kernel, bench):
    contactor = make(bench, "K1", "gpio-contactor", {**PINS, "inverted": True})
    assert kernel.gpio.levels[COIL] == 1
    contactor.close()
    assert kernel.gpio.levels[COIL] == 0


def test_a_pin_that_fails_is_an_error_of_the_contactor(kernel, contactor):
    kernel.gpio.broken.add(COIL)
    with pytest.raises(ContactorError, match="K1"):
        contactor.close()


def test_a_pin_has_one_owner(kernel, bench, contactor):
    with pytest.raises(ClaimError, match="claimed twice: by K1 and by K2"):
        make(bench, "K2", "gpio-contactor", PINS)


def test_a_chip_that_is_not_there_is_named(kernel, bench):
    with pytest.raises(BusError, match="/dev/gpiochip7"):
        make(bench, "K1", "gpio-contactor", {"coil": "gpiochip7/1"})


def test_when_the_bench_closes_the_coil_is_off(kernel, bench, contactor):
    contactor.close()
    contactor.stop()
    bench.close()
    assert kernel.gpio.levels[COIL] == 0
