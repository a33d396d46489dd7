"""Meters that sign: OCMF texts from their registers, byte for byte, at the begin, at the end and in between."""

import logging

import msgspec
import pytest
from support.modbus_meter import EmulatedMeter, ModbusServer
from support.serial_line import SerialLine, wait_until
from support.workbench import workbench

from hal.drivers import make
from hal.errors import DriverError
from hal.meters import ocmf, register_map

SIGNING = """
command_address = 900
command = {}
ready_address = 901
ready_value = 1
length_address = 902
address = 1000
registers = 300
"""
MAP = f"""
title = "Signing meter"
document = "its manual"
function = 3
limit = 60
[[entries]]
measurand = "Energy.Active.Import.Register"
address = 0
type = "uint32"
[ocmf]
method = "ECDSA-secp256r1-SHA256"
[ocmf.start]{SIGNING.format(1)}
[ocmf.end]{SIGNING.format(2)}
[ocmf.now]{SIGNING.format(3)}
"""
COMMAND, READY, LENGTH, TEXT = 900, 901, 902, 1000
PAYLOAD = '{"FV":"1.0","GI":"ACME","RD":[{"TX":"%s","RV":%s,"RU":"Wh","ST":"G"}]}|{"SD":"3045022100\\u00e4Ä"}'


class SigningMeter(EmulatedMeter):
    """Signs its energy register when it is told to; says that it is ready when it has been asked `slow` times."""

    def __init__(self) -> None:
        super().__init__([(0, 2), (900, 3), (1000, 300)], function=3)
        self.put(0, "I", 5000)
        self.on_write = self.command
        self.slow = 0
        self.restless = False
        """It begins to sign something else while its text is read."""
        self.texts: list[bytes] = []
        self.says = PAYLOAD

    def command(self, address: int, value: int) -> None:
        if address == COMMAND:
            text = ("OCMF|" + self.says % ("XBEC"[value], self.registers[1])).encode()
            self.put_text(TEXT, text)
            self.registers[LENGTH] = len(text)
            self.registers[READY] = 0 if self.slow else 1
            self.texts.append(text)

    async def _access(self, function, start, address, count, current, values):
        if values is None and address == READY and self.slow:
            self.slow -= 1
            self.registers[READY] = 0 if self.slow else 1
        if values is None and address >= TEXT and self.restless:
            self.registers[READY] = 0
        return await super()._access(function, start, address, count, current, values)


class Site:
    def __init__(self, path, text: str = MAP) -> None:
        self.line = SerialLine(path)
        self.meter = SigningMeter()
        self.server = ModbusServer(self.line.far, self.meter)
        self.bench, self.clock = workbench()
        own = path / "signing.toml"
        own.write_text(text)
        options = {"port": self.line.near, "map": str(own), "public_key": "3059A1", "timeout_s": 0.2}
        self.part = make(self.bench, "M1", "modbus-meter", options)
        self.done: list[str] = []
        self.part.start()
        self.bench.start()
        wait_until(lambda: self.part.read().quantities)

    def do(self, what: str) -> None:
        before = len(self.done)
        getattr(self.part, what)(lambda: self.done.append(what))
        wait_until(lambda: len(self.done) > before, f"the end of {what}")

    def close(self) -> None:
        self.bench.close()
        self.server.close()
        self.line.close()


@pytest.fixture
def site(tmp_path, request):
    """Its map may be given by the test."""
    made = Site(tmp_path, getattr(request, "param", MAP))
    yield made
    made.close()


def test_the_begin_and_the_end_are_signed_and_passed_on_byte_for_byte(site):
    assert site.part.signs
    site.do("begin_session")
    site.meter.put(0, "I", 5400)
    site.do("end_energy")
    reading = site.part.read()
    assert reading.signed_start.data.encode() == site.meter.texts[0]
    assert reading.signed_end.data.encode() == site.meter.texts[1]
    assert '"TX":"B","RV":5000' in reading.signed_start.data
    assert '"TX":"E","RV":5400' in reading.signed_end.data
    assert reading.signed_start.encoding == "OCMF"
    assert reading.signed_start.method == "ECDSA-secp256r1-SHA256"
    assert reading.signed_start.public_key == "3059A1"


def test_in_a_session_readings_are_signed_now_and_then(site):
    site.part._sign_interval_s = 0.0
    assert site.part.read().signed_now is None
    site.do("begin_session")
    wait_until(lambda: site.part.read().signed_now)
    assert '"TX":"C"' in site.part.read().signed_now.data


def test_without_a_cable_nothing_is_signed(site):
    site.do("begin_session")
    site.part.end_session()
    site.part._sign_interval_s = 0.0
    site.part.poll()
    assert site.part.read().signed_now is None
    assert site.part.read().signed_start is not None


def test_a_new_session_forgets_the_signatures_of_the_old_one(site):
    site.do("begin_session")
    site.do("end_energy")
    site.do("begin_session")
    assert site.part.read().signed_end is None


def test_a_meter_may_take_its_time_to_sign(site):
    site.meter.slow = 3
    site.do("begin_session")
    assert site.part.read().signed_start is not None


@pytest.mark.parametrize("site", [MAP.replace("length_address = 902\n", "")], indirect=True)
def test_a_text_without_a_length_ends_at_the_first_nul(site):
    site.do("begin_session")
    assert site.part.read().signed_start.data.encode() == site.meter.texts[0]


class Bsm(EmulatedMeter):
    """A BAUER BSM-WS36A: its snapshots for now, start and end, each with a text of its own."""

    STATUS = {40524: 41795, 41286: 43295, 41540: 43795}

    def __init__(self) -> None:
        texts = [(first, 496) for first in self.STATUS.values()]
        super().__init__([(40090, 107), (40260, 3), *((each, 1) for each in self.STATUS), *texts], function=3, unit=42)
        self.put(40136, "I", 5244)
        self.put(40144, "h", 1)
        self.looks = 0

    async def _access(self, function, start, address, count, current, values):
        if address in self.STATUS and values is not None:
            self.looks = 2
        elif address in self.STATUS and self.looks:
            self.looks -= 1
            self.registers[address] = 2 if self.looks else 0
            self.put_text(self.STATUS[address], f"OCMF|{address}|{self.registers[40137]}".encode())
        return await super()._access(function, start, address, count, current, values)


def test_a_bauer_bsm_signs_begin_and_end_in_snapshots_of_their_own(tmp_path):
    line, (bench, _) = SerialLine(tmp_path), workbench()
    server = ModbusServer(line.far, meter := Bsm())
    try:
        part = make(bench, "M1", "modbus-meter", {"port": line.near, "model": "bauer-bsm-ws36a", "unit": 42})
        part.poll()
        part._sign_begin(lambda: None)
        meter.put(40136, "I", 5300)
        part._sign_end(lambda: None)
        reading = part.read()
        assert reading.quantities[-1].value == 52_440
        assert (reading.signed_start.data, reading.signed_end.data) == ("OCMF|41286|5244", "OCMF|41540|5300")
        assert meter.registers[40260] << 16 | meter.registers[40261] > 1_735_689_600
    finally:
        bench.close()
        server.close()
        line.close()


def not_signed(site, caplog, complaint: str) -> None:
    caplog.set_level(logging.ERROR)
    site.do("begin_session")
    assert site.part.read().signed_start is None
    assert complaint in caplog.text


def test_a_meter_that_never_gets_ready(site, caplog, monkeypatch):
    monkeypatch.setattr(ocmf, "READY_S", 0.2)
    site.meter.slow = 1000
    not_signed(site, caplog, "M1: the meter did not sign (start): it was not ready")


def test_a_meter_that_does_not_answer(site, caplog):
    site.line.to_driver = lambda data: b""
    not_signed(site, caplog, "did not sign (start): unit 1 on")


def test_registers_without_a_text(site, caplog):
    site.meter.on_write = lambda address, value: site.meter.registers.update({READY: 1, LENGTH: 20})
    not_signed(site, caplog, "no OCMF text")


def test_a_length_that_does_not_fit(site, caplog):
    site.meter.on_write = lambda address, value: site.meter.registers.update({READY: 1, LENGTH: 601})
    not_signed(site, caplog, "a signed text of 601 bytes does not fit")


def test_a_text_that_changes_while_it_is_read(site, caplog):
    site.meter.restless = True
    not_signed(site, caplog, "changed while it was read")


def test_a_meter_that_cannot_sign_says_so_and_is_not_waited_for(site, caplog, monkeypatch):
    monkeypatch.setattr(ocmf, "READY_S", 0.2)
    site.meter.on_write = lambda address, value: site.meter.registers.update({READY: 5})
    not_signed(site, caplog, "not ready within")
    site.part._signer._ocmf = msgspec.structs.replace(
        site.part.map.ocmf, start=msgspec.structs.replace(site.part.map.ocmf.start, busy_value=2)
    )
    not_signed(site, caplog, "it says 5")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("[ocmf.end]", "[ocmf.ende]"), "unknown field"),
        (("registers = 300", "registers = 3000"), "<= 2048"),
        (("address = 1000", "address = 65500"), "does not fit"),
    ],
)
def test_a_map_whose_text_makes_no_sense_is_refused(change, complaint):
    with pytest.raises(DriverError, match=complaint):
        register_map.parse(MAP.replace(*change), "mine")


def test_a_meter_that_does_not_sign_says_so():
    assert register_map.by_name("eastron-sdm630").ocmf is None
