import pytest

from hal.bench import Bench
from hal.drivers import make
from hal.errors import BusError, ClaimError, ContactorBusy, ContactorError

COIL, FEEDBACK, COIL_2, FEEDBACK_2, MAINS = 17, 27, 18, 28, 22
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


# -- minimum times ----------------------------------------------------------------------------------------------------


def test_closing_too_soon_after_opening_says_when_it_may(kernel, bench):
    contactor = make(bench, "K1", "gpio-contactor", {**PINS, "pause_s": 5})
    contactor.close()
    contactor.open()
    with pytest.raises(ContactorBusy) as busy:
        contactor.close()
    assert 4.5 < busy.value.wait_s <= 5
    assert kernel.gpio.levels[COIL] == 0


def test_a_cycle_has_a_minimum_and_opening_is_never_delayed(kernel, bench):
    contactor = make(bench, "K1", "gpio-contactor", {**PINS, "cycle_s": 60})
    contactor.close()
    contactor.open()
    assert kernel.gpio.levels[COIL] == 0
    with pytest.raises(ContactorBusy) as busy:
        contactor.close()
    assert busy.value.wait_s > 59


# -- poles ------------------------------------------------------------------------------------------------------------

SECOND = {"coil": f"gpiochip0/{COIL_2}", "feedback": f"gpiochip0/{FEEDBACK_2}"}


@pytest.fixture
def two_poles(kernel, bench):
    return make(bench, "K1", "gpio-contactor", {**PINS, "poles": [SECOND]})


def test_poles_move_together(kernel, two_poles):
    two_poles.close()
    assert (kernel.gpio.levels[COIL], kernel.gpio.levels[COIL_2]) == (1, 1)
    two_poles.open()
    assert (kernel.gpio.levels[COIL], kernel.gpio.levels[COIL_2]) == (0, 0)


def test_it_is_closed_when_all_poles_are_and_open_when_none_is(kernel, two_poles):
    two_poles.close()
    kernel.gpio.levels[FEEDBACK] = 1
    assert not two_poles.closed
    kernel.gpio.levels[FEEDBACK_2] = 1
    assert two_poles.closed
    two_poles.open()
    kernel.gpio.levels[FEEDBACK] = 0
    assert two_poles.closed
    kernel.gpio.levels[FEEDBACK_2] = 0
    assert not two_poles.closed


def test_every_pole_is_opened_even_if_one_fails_to(kernel, two_poles):
    two_poles.close()
    kernel.gpio.broken.add(COIL)
    with pytest.raises(ContactorError):
        two_poles.open()
    assert kernel.gpio.levels[COIL_2] == 0
    kernel.gpio.broken.clear()
    two_poles.open()
    assert kernel.gpio.levels[COIL] == 0


def test_on_one_phase_the_pole_of_the_others_stays_open(kernel, bench):
    contactor = make(bench, "K1", "gpio-contactor", {**PINS, "poles": [{**SECOND, "phases": 3}]})
    assert contactor.switches_phases
    contactor.use(1)
    contactor.close()
    assert (kernel.gpio.levels[COIL], kernel.gpio.levels[COIL_2]) == (1, 0)
    with pytest.raises(ContactorError, match="only while it is open"):
        contactor.use(3)
    contactor.open()
    contactor.use(3)
    contactor.close()
    assert (kernel.gpio.levels[COIL], kernel.gpio.levels[COIL_2]) == (1, 1)
    assert contactor.values()["operations"] == "2, 1"


# -- what is wrong ----------------------------------------------------------------------------------------------------


def test_a_pole_that_stays_closed_is_welded(kernel, bench, two_poles):
    now = bench.clock.monotonic()
    two_poles.close()
    kernel.gpio.levels[FEEDBACK] = kernel.gpio.levels[FEEDBACK_2] = 1
    assert two_poles.wrong(now + 10) == ""
    two_poles.open()
    kernel.gpio.levels[FEEDBACK] = 0
    assert two_poles.wrong(now + 10.1) == "", "it has its time"
    assert two_poles.wrong(now + 10.7) == f"welded at /dev/gpiochip0/{COIL_2}"
    kernel.gpio.levels[FEEDBACK_2] = 0
    assert two_poles.wrong(now + 10.8) == ""


def test_a_contactor_welded_before_the_start_is_found(kernel, bench):
    kernel.gpio.levels[FEEDBACK] = 1
    contactor = make(bench, "K1", "gpio-contactor", PINS)
    assert "welded" in contactor.wrong(bench.clock.monotonic() + 1)


def test_a_contactor_that_falls_off_is_wrong(kernel, bench, contactor):
    contactor.close()
    kernel.gpio.levels[FEEDBACK] = 1
    now = bench.clock.monotonic()
    assert contactor.wrong(now) == ""
    kernel.gpio.levels[FEEDBACK] = 0
    assert "should be closed" in contactor.wrong(now + 1)


def test_a_feedback_that_cannot_be_read_is_an_error(kernel, contactor):
    kernel.gpio.broken.add(FEEDBACK)
    with pytest.raises(ContactorError, match="no feedback"):
        contactor.wrong(0.0)


def test_mains_voltage_is_missed_after_more_than_a_half_wave(kernel, bench):
    contactor = make(bench, "K1", "gpio-contactor", {**PINS, "mains": f"gpiochip0/{MAINS}"})
    now = bench.clock.monotonic()
    kernel.gpio.levels[MAINS] = 1
    assert contactor.unpowered(now) == ""
    kernel.gpio.levels[MAINS] = 0
    assert contactor.unpowered(now + 0.02) == ""
    assert contactor.unpowered(now + 0.2) == "no mains voltage"
    kernel.gpio.levels[MAINS] = 1
    assert contactor.unpowered(now + 0.3) == ""


def test_without_a_detector_mains_voltage_is_taken_for_granted(contactor):
    assert contactor.unpowered(1e9) == ""


# -- counters ---------------------------------------------------------------------------------------------------------


def operate(contactor, times) -> None:
    for _ in range(times):
        contactor.close()
        contactor.open()


def test_the_counters_go_on_after_a_restart(kernel, bench, tmp_path):
    options = {**PINS, "counters": str(tmp_path / "k1"), "poles": [{**SECOND, "phases": 3}]}
    first = make(bench, "K1", "gpio-contactor", options)
    operate(first, 3)
    first.use(1)
    operate(first, 1)
    bench.close()
    again = Bench(bench.board, bench.clock, lambda work: work())
    assert make(again, "K1", "gpio-contactor", options).values()["operations"] == "4, 3"
    again.close()


def test_a_file_of_counters_that_makes_no_sense_is_a_new_beginning(kernel, bench, tmp_path):
    (tmp_path / "k1").write_bytes(b"\xff" * 200)
    contactor = make(bench, "K1", "gpio-contactor", {**PINS, "counters": str(tmp_path / "k1")})
    operate(contactor, 1)
    assert contactor.values()["operations"] == "1"


def test_a_file_that_cannot_be_written_is_logged_and_nothing_more(kernel, bench, tmp_path, caplog):
    (tmp_path / "k1").mkdir()
    contactor = make(bench, "K1", "gpio-contactor", {**PINS, "counters": str(tmp_path / "k1")})
    operate(contactor, 2)
    assert len(caplog.records) == 1
