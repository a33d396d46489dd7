import logging

import pytest
from support.ports import PtyPort
from support.readers import ReaderRig

from hal.drivers import make
from hal.errors import BusError, DriverError


@pytest.fixture
def port(tmp_path):
    port = PtyPort(tmp_path / "reader")
    yield port
    port.unplug()


@pytest.fixture
def rig(port):
    rig = ReaderRig("serial-reader", port=str(port.path), removed_after_s=0.5)
    rig.turns()  # silence: whatever comes from now on is whole
    yield rig
    rig.bench.close()


def test_a_card_whose_number_is_sent_again_and_again_is_presented_once(port, rig):
    for _ in range(3):
        port.send(b"\x02deadbeef\r\n\x03")
        rig.turn_until(lambda: rig.reader.last)
    assert rig.presented == ["DEADBEEF"]


def test_a_card_presented_again_counts_again(port, rig):
    port.send(b"deadbeef\r")
    rig.turn_until(lambda: rig.presented)
    rig.turns(5)
    port.send(b"deadbeef\r")
    rig.turn_until(lambda: len(rig.presented) == 2)


def test_noise_is_told_once_and_is_no_fault(port, rig, caplog):
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            port.send(b"\x13\x00\xff\xfeq\r")
            rig.turns(1, 0.01)
        port.send(b"deadbeef\r")
        rig.turn_until(lambda: rig.presented)
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    assert rig.reader.wrong(0.0) == ""


def test_an_adapter_that_was_unplugged_is_used_again_when_it_comes_back(port, rig, caplog):
    with caplog.at_level(logging.INFO):
        port.unplug()
        rig.turn_until(lambda: "cannot be opened" in rig.reader.wrong(0.0))
        port.plug()
        rig.turn_until(lambda: not rig.reader.wrong(0.0))
    port.send(b"deadbeef\r")
    rig.turn_until(lambda: rig.presented)
    assert [each.levelname for each in caplog.records] == ["ERROR", "INFO"]


def test_the_type_of_the_tokens_is_an_option(port):
    rig = ReaderRig("serial-reader", port=str(port.path), token_type="KeyCode")
    told = []
    rig.reader.presented = lambda value, token_type: told.append(token_type)
    rig.turns()
    port.send(b"123456\r")
    rig.turn_until(lambda: told)
    rig.bench.close()
    assert told == ["KeyCode"]


def test_a_port_that_is_not_there_and_an_option_that_is_wrong_are_named(port, tmp_path, rig):
    with pytest.raises(BusError, match="nothing"):
        make(rig.bench, "other", "serial-reader", {"port": str(tmp_path / "nothing")})
    with pytest.raises(DriverError, match="format"):
        make(rig.bench, "other", "serial-reader", {"port": str(port.path), "format": "wiegand99"})
