import re

import pytest

from hal.boards import board, names
from hal.errors import DriverError

HEADERS = {
    "raspberry-pi-3": ("pinctrl-bcm2835", 28),
    "raspberry-pi-4": ("pinctrl-bcm2711", 28),
    "raspberry-pi-5": ("pinctrl-rp1", 28),
    "raspberry-pi-cm4": ("pinctrl-bcm2711", 28),
    "beaglebone-black": ("gpio-", 128),
    "beaglebone-green": ("gpio-", 128),
}


def test_every_board_can_be_read():
    assert {*HEADERS, "linux"} == set(names())
    for name in names():
        found = board(name)
        assert found.title
        assert found.notes
        assert {"i2c", "serial", "spi"} <= set(found.devices)


@pytest.mark.parametrize(("name", "chip", "lines"), [(name, *rest) for name, rest in HEADERS.items()])
def test_pins_are_lines_of_the_boards_chips(name, chip, lines):
    for place in board(name).pins.values():
        label, _, line = place.partition("/")
        assert label.startswith(chip)
        assert 0 <= int(line) < lines


@pytest.mark.parametrize(
    ("pin", "gpio"),  # kernel numbers, as the boards' manuals give them
    [("P8_07", 66), ("P8_19", 22), ("P8_46", 71), ("P9_12", 60), ("P9_22", 2), ("P9_25", 117), ("P9_42", 7)],
)
def test_pins_of_the_beaglebone_are_those_of_its_manual(pin, gpio):
    first, line = re.fullmatch(r"gpio-(\d+)-\d+/(\d+)", board("beaglebone-black").pins[pin]).groups()
    assert int(first) + int(line) == gpio


@pytest.mark.parametrize(("pin", "gpio"), [("pin3", 2), ("pin11", 17), ("pin12", 18), ("pin37", 26), ("pin40", 21)])
def test_pins_of_the_raspberry_pi_have_two_names(pin, gpio):
    pins = board("raspberry-pi-4").pins
    assert pins[pin] == pins[f"GPIO{gpio}"] == f"pinctrl-bcm2711/{gpio}"


def test_no_line_has_two_pins():
    for name in names():
        pins = {pin: place for pin, place in board(name).pins.items() if not pin.startswith("pin")}
        assert len(set(pins.values())) == len(pins)


def test_a_chip_that_the_machine_does_not_have_is_named():
    with pytest.raises(DriverError, match=r"GPIO17 is on the GPIO chip pinctrl-bcm2711.*it has"):
        board("raspberry-pi-4").line("GPIO17")


def test_any_line_can_be_named_by_its_device():
    assert board("raspberry-pi-4").line("gpiochip3/7") == ("/dev/gpiochip3", 7)


def test_an_unknown_pin_or_board_is_an_error_that_helps():
    with pytest.raises(DriverError, match="GPIO2, pin3"):
        board("raspberry-pi-4").line("P8_07")
    with pytest.raises(DriverError, match="beaglebone-black"):
        board("abacus")
