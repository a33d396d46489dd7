"""Meters by IEC 62056-21 on a serial port: asked and pushing, speeds, and every fault."""

import logging

import pytest
from support.d0_meter import D0Head
from support.serial_line import SerialLine, wait_until
from support.workbench import workbench

from hal.drivers import d0_meter, make
from hal.errors import MeterError

DATA = b"F.F(00000000)\r\n1.8.0(0012345.678*kWh)\r\n1.7.0(011.250*kW)\r\n"
PUSHED = b"/ESY5Q3DA1004 V3.04\r\n\r\n1-0:1.8.0*255(0000034.5*kWh)\r\n!\r\n"
IMPORT, POWER = "Energy.Active.Import.Register", "Power.Active.Import"


class Site:
    def __init__(self, path) -> None:
        self.line = SerialLine(path)
        self.bench, self.clock = workbench()
        self.head: D0Head | None = None
        self.part = None

    def ask(self, **head) -> None:
        """A meter that is asked."""
        self.head = D0Head(self.line, DATA, **head)
        self.part = make(self.bench, "M1", "d0-meter", {"port": self.line.near})

    def push(self) -> None:
        """A meter that sends by itself."""
        self.part = make(self.bench, "M1", "d0-meter", {"port": self.line.near, "mode": "push"})

    def told(self) -> dict:
        return {each.measurand: each.value for each in self.part.read().quantities}

    def close(self) -> None:
        self.bench.close()
        if self.head is not None:
            self.head.close()
        self.line.close()


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(d0_meter, "QUIET_READS", 2)  # a test need not wait as long as the standard has it
    made = Site(tmp_path)
    yield made
    made.close()


def test_a_meter_is_asked_at_300_baud_and_read_at_the_speed_it_proposes(site):
    site.ask()
    site.part.poll()
    assert site.told() == {IMPORT: 12_345_678, POWER: 11_250}
    assert site.head.acknowledged == [b"\x06050\r\n"]
    assert site.line.baud == 9600


def test_it_is_asked_again_at_300_baud(site):
    site.ask()
    site.part.poll()
    site.part.poll()
    assert site.part.error == ""
    assert len(site.head.acknowledged) == 2


def test_a_meter_that_proposes_more_than_the_head_can_do_stays_at_its_speed(site):
    site.ask(speed="6")
    site.part.poll()
    assert site.told()[IMPORT] == 12_345_678
    assert site.head.acknowledged == [b"\x06000\r\n"]


def test_a_meter_of_mode_a_answers_at_once(site):
    site.ask(mode="A", speed="x")
    site.part.poll()
    assert site.told()[IMPORT] == 12_345_678
    assert site.head.acknowledged == []


def test_the_echo_of_a_head_is_no_answer(site):
    site.ask(echo=True, mode="A", speed="x")
    site.part.poll()
    assert site.told()[IMPORT] == 12_345_678


def test_a_meter_that_sends_by_itself_is_listened_to(site):
    site.push()
    site.line.send(PUSHED)
    site.part.poll()
    assert site.told() == {IMPORT: 34_500}


def test_the_bench_asks_again_and_again(site):
    site.ask()
    site.part.start()
    site.bench.start()
    wait_until(lambda: site.part.read().quantities)


def failed(site, caplog, complaint: str) -> None:
    """It is an error when the last reading has got too old, and was said once."""
    site.clock.tick(26.0)
    site.part.poll()
    with pytest.raises(MeterError, match=complaint):
        site.part.read()
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 1
    caplog.set_level(logging.INFO)


def test_a_meter_that_does_not_answer(site, caplog):
    site.ask()
    site.part.poll()
    site.head.answers = False
    site.part.poll()
    failed(site, caplog, "no answer on")
    site.head.answers = True
    site.part.poll()
    assert "M1 answers again" in caplog.text


def test_a_wrong_checksum(site, caplog):
    site.ask()
    site.part.poll()
    site.head.damages = True
    site.part.poll()
    failed(site, caplog, "damaged telegram on")
    site.head.damages = False
    site.part.poll()
    assert "M1 answers again" in caplog.text


def test_noise_instead_of_an_identification(site, caplog):
    site.ask()
    site.line.to_driver = lambda data: b"\x55" * 40
    site.part.poll()
    failed(site, caplog, "no identification on")


def test_a_readout_that_breaks_off(site, caplog):
    site.ask()
    site.line.to_driver = lambda data: data[:30]
    site.part.poll()
    failed(site, caplog, "no complete telegram on")


def test_silence_of_a_meter_that_sends_by_itself(site, caplog):
    site.push()
    site.line.send(PUSHED)
    site.part.poll()
    failed(site, caplog, "0 damaged telegrams and no sound one in 26 s")
    site.line.send(PUSHED)
    site.part.poll()
    assert "M1 answers again" in caplog.text


@pytest.mark.parametrize("mode", ["request", "push"])
def test_an_adapter_that_is_pulled_and_put_in_again(site, caplog, mode):
    site.ask() if mode == "request" else site.push()
    site.line.unplug()
    site.part.poll()
    failed(site, caplog, "ttyUSB0")
    site.line.plug()
    if mode == "push":
        site.part.poll()
        site.line.send(PUSHED)
    site.part.poll()
    assert "M1 answers again" in caplog.text
