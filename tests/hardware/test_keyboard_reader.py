import logging

import pytest
from support.keyboard import InputDevice
from support.readers import ReaderRig
from support.waiting import until

from hal.drivers import make
from hal.errors import BusError, ClaimError


@pytest.fixture
def device(kernel):
    return InputDevice(kernel)


@pytest.fixture
def rig(device):
    rig = ReaderRig("keyboard-reader", device=device.path, format="decimal", removed_after_s=0.5)
    yield rig
    rig.bench.close()


def test_what_is_typed_is_presented_once_and_goes_to_nobody_else(device, rig):
    assert device.grabbed
    device.type("3735928559\n")
    rig.turn_until(lambda: rig.presented)
    assert rig.presented == ["DEADBEEF"]


def test_a_card_presented_again_counts_again(device, rig):
    device.type("3735928559\n")
    rig.turn_until(lambda: rig.presented)
    rig.turns(5)
    device.type("3735928559\n")
    rig.turn_until(lambda: len(rig.presented) == 2)


def test_half_a_number_from_before_a_pause_does_not_count(device, rig):
    device.type("12")
    rig.turns(5)
    device.type("3735928559\n")
    rig.turn_until(lambda: rig.presented)
    assert rig.presented == ["DEADBEEF"]


def test_hex_is_typed_without_a_format(device):
    rig = ReaderRig("keyboard-reader", device=device.path)
    device.type("04A1B2C3D4E5F6\n")
    rig.turn_until(lambda: rig.presented)
    rig.bench.close()
    assert rig.presented == ["04A1B2C3D4E5F6"]


def test_a_reader_that_was_unplugged_is_used_again_when_it_comes_back(device, rig, caplog):
    rig.turns()
    with caplog.at_level(logging.INFO):
        device.unplug()
        rig.turn_until(lambda: "cannot be opened" in rig.reader.wrong(0.0))
        device.plug()
        rig.turn_until(lambda: not rig.reader.wrong(0.0))
    device.type("3735928559\n")
    rig.turn_until(lambda: rig.presented)
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"]


def test_a_device_that_others_have_grabbed_or_that_is_not_there_is_an_error(device, bench):
    device.busy = True
    with pytest.raises(BusError, match="event0 cannot be opened for us alone"):
        make(bench, "reader", "keyboard-reader", {"device": device.path})
    with pytest.raises(BusError, match="event7"):
        make(bench, "reader", "keyboard-reader", {"device": "/dev/input/event7"})


def test_a_device_has_one_owner(device, bench):
    make(bench, "left", "keyboard-reader", {"device": device.path})
    with pytest.raises(ClaimError, match="left and by right"):
        make(bench, "right", "keyboard-reader", {"device": device.path})


def test_it_works_in_a_thread_of_its_own(device, bench):
    presented = []
    reader = make(bench, "reader", "keyboard-reader", {"device": device.path})
    reader.presented = lambda value, token_type: presented.append(value)
    reader.start()
    bench.start()
    device.type("DEADBEEF\n")
    until(lambda: presented)
