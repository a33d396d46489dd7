"""Modbus meters: every model against a server with its vendor's registers, and every fault of a line."""

import logging
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest
from support.modbus_meter import EmulatedMeter, ModbusServer
from support.serial_line import SerialLine, wait_until

from hal.bench import Bench
from hal.boards import board
from hal.drivers import make
from hal.errors import BusError, ClaimError, DriverError, MeterError
from ocpp.clock import ManualClock

IMPORT, EXPORT = "Energy.Active.Import.Register", "Energy.Active.Export.Register"
POWER, CURRENT, VOLTAGE = "Power.Active.Import", "Current.Import", "Voltage"

# What the vendors' documents say: kind of registers, which there are, and samples (address, struct format, raw value)
# with the quantity that they are.
EASTRON_SPANS = [(0x0000, 0x5A), (0x0156, 0x14)]
ABB_SPANS = [(0x5000, 0x20), (0x5460, 0x30), (0x5B00, 0x40)]
MODELS = {
    "eastron-sdm120": (
        4,
        EASTRON_SPANS,
        [
            (0x0000, "f", 230.5, VOLTAGE, "L1-N", "230.5"),
            (0x0006, "f", 16.25, CURRENT, "L1", "16.25"),
            (0x000C, "f", 3720.0, POWER, None, "3720"),
            (0x0046, "f", 50.01, "Frequency", None, "50.01"),
            (0x0048, "f", 1234.567, IMPORT, None, "1234567"),
            (0x004A, "f", 0.5, EXPORT, None, "500"),
        ],
    ),
    "eastron-sdm630": (
        4,
        EASTRON_SPANS,
        [
            (0x0002, "f", 231.25, VOLTAGE, "L2-N", "231.25"),
            (0x000A, "f", 15.5, CURRENT, "L3", "15.5"),
            (0x0010, "f", 3500.5, POWER, "L3", "3500.5"),
            (0x0034, "f", 11000.0, POWER, None, "11000"),
            (0x003E, "f", 0.98, "Power.Factor", None, "0.98"),
            (0x0048, "f", 12345.678, IMPORT, None, "12345678"),
            (0x015C, "f", 4000.25, IMPORT, "L2", "4000250"),
        ],
    ),
    "eastron-sdm72d": (
        4,
        EASTRON_SPANS,
        [
            (0x0034, "f", 22000.0, POWER, None, "22000"),
            (0x0048, "f", 99.01, IMPORT, None, "99010"),
            (0x004A, "f", 1.5, EXPORT, None, "1500"),
        ],
    ),
    "eastron-sdm72d-v2": (
        4,
        EASTRON_SPANS,
        [
            (0x0004, "f", 229.75, VOLTAGE, "L3-N", "229.75"),
            (0x0008, "f", 32.0, CURRENT, "L2", "32"),
            (0x0034, "f", 22000.0, POWER, None, "22000"),
            (0x0048, "f", 99.01, IMPORT, None, "99010"),
        ],
    ),
    "abb-b21": (
        3,
        ABB_SPANS,
        [
            (0x5000, "Q", 123456, IMPORT, None, "1234560"),
            (0x5B00, "I", 2305, VOLTAGE, "L1-N", "230.5"),
            (0x5B0C, "I", 1625, CURRENT, "L1", "16.25"),
            (0x5B14, "i", 372000, POWER, None, "3720"),
            (0x5B2C, "H", 5001, "Frequency", None, "50.01"),
            (0x5B3A, "h", 998, "Power.Factor", None, "0.998"),
        ],
    ),
    "abb-b23": (
        3,
        ABB_SPANS,
        [
            (0x5000, "Q", 123456, IMPORT, None, "1234560"),
            (0x5004, "Q", 7, EXPORT, None, "70"),
            (0x5464, "Q", 40000, IMPORT, "L2", "400000"),
            (0x5B02, "I", 2312, VOLTAGE, "L2-N", "231.2"),
            (0x5B10, "I", 1550, CURRENT, "L3", "15.5"),
            (0x5B1A, "i", 350050, POWER, "L3", "3500.5"),
        ],
    ),
    "bauer-bsm-ws36a": (
        3,
        [(40090, 107), (40260, 3)],
        [
            (40094, "h", 155, CURRENT, "L2", "15.5"),
            (40096, "h", -1, None, None, None),
            (40098, "h", 2305, VOLTAGE, "L1-N", "230.5"),
            (40105, "h", -1, None, None, None),
            (40106, "h", 5001, "Frequency", None, "50.01"),
            (40107, "h", -2, None, None, None),
            (40108, "h", 1100, POWER, None, "11000"),
            (40112, "h", 1, None, None, None),
            (40128, "I", 3, EXPORT, None, "30"),
            (40136, "I", 10000, IMPORT, None, "100000"),
            (40144, "h", 1, None, None, None),
        ],
    ),
    "carlo-gavazzi-em340": (
        4,
        [(0x0000, 0x52)],
        [
            (0x0002, "i", 2312, VOLTAGE, "L2-N", "231.2"),
            (0x0010, "i", 15500, CURRENT, "L3", "15.5"),
            (0x0012, "i", 35005, POWER, "L1", "3500.5"),
            (0x0028, "i", 110000, POWER, None, "11000"),
            (0x0033, "h", 500, "Frequency", None, "50"),
            (0x0034, "i", 123456, IMPORT, None, "12345600"),
            (0x0042, "i", 1000, IMPORT, "L2", "100000"),
            (0x004E, "i", 5, EXPORT, None, "500"),
        ],
    ),
    "orno-we516": (
        3,
        [(0x0000, 0x40), (0x0100, 0x30)],
        [
            (0x0010, "f", 231.25, VOLTAGE, "L2-N", "231.25"),
            (0x0014, "f", 50.0, "Frequency", None, "50"),
            (0x001A, "f", 15.5, CURRENT, "L3", "15.5"),
            (0x001C, "f", 11.0, POWER, None, "11000"),
            (0x0020, "f", 3.5, POWER, "L2", "3500"),
            (0x0108, "f", 4321.5, IMPORT, None, "4321500"),
            (0x0110, "f", 0.25, EXPORT, None, "250"),
        ],
    ),
}


class Site:
    """A bench with a line, and meters at its other end."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.line = SerialLine(path)
        self.bench = Bench(board("linux"), self.clock, lambda work: work())
        self.server: ModbusServer | None = None

    def emulate(self, *meters: EmulatedMeter) -> None:
        self.server = ModbusServer(self.line.far, *meters)

    def part(self, name: str = "M1", **options):
        return make(self.bench, name, "modbus-meter", {"port": self.line.near, "timeout_s": 0.25, **options})

    def close(self) -> None:
        self.bench.close()
        if self.server is not None:
            self.server.close()
        self.line.close()


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture
def emulated(site) -> EmulatedMeter:
    """A small Eastron at unit 1, which has counted 5 kWh."""
    meter = EmulatedMeter(EASTRON_SPANS, function=4)
    meter.put(0x48, "f", 5.0)
    site.emulate(meter)
    return meter


@pytest.fixture
def part(site, emulated):
    return site.part(model="eastron-sdm72d")


def energy(part) -> Decimal:
    return next(each.value for each in part.read().quantities if each.measurand == IMPORT and each.phase is None)


# -- models ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_read_as_its_vendor_documents_it(site, model):
    function, spans, samples = MODELS[model]
    meter = EmulatedMeter(spans, function=function, unit=7)
    for address, kind, raw, *_ in samples:
        meter.put(address, kind, raw, "low first" if model.startswith("carlo") else "high first")
    site.emulate(meter)
    part = site.part(model=model, unit=7)
    part.poll()
    told = {(each.measurand, each.phase): each.value for each in part.read().quantities}
    for _, _, _, measurand, phase, value in samples:
        if measurand is None:  # an exponent
            continue
        assert told[measurand, phase] == Decimal(value), (measurand, phase)
    assert meter.asked[: len(part.map.blocks())] == [(each.address, each.count) for each in part.map.blocks()]


def test_a_single_phase_abb_tells_nothing_of_what_it_does_not_measure(site):
    meter = EmulatedMeter(ABB_SPANS, function=3)
    meter.put(0x5004, "Q", 2**64 - 1)
    meter.put(0x5B14, "i", 2**31 - 1)
    site.emulate(meter)
    part = site.part(model="abb-b21")
    part.poll()
    told = {each.measurand for each in part.read().quantities}
    assert EXPORT not in told
    assert POWER not in told
    assert IMPORT in told


def test_a_map_file_is_enough_to_add_a_meter(site, tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text(
        'title = "Mine"\ndocument = "its manual"\nfunction = 3\n'
        f'[[entries]]\nmeasurand = "{IMPORT}"\naddress = 100\ntype = "uint16"\nscale = 100\n'
    )
    meter = EmulatedMeter([(100, 1)], function=3)
    meter.put(100, "H", 42)
    site.emulate(meter)
    part = site.part(map=str(own))
    part.poll()
    assert energy(part) == 4200


# -- life -----------------------------------------------------------------------------------------------------------------


def test_before_the_first_answer_there_is_nothing_and_no_error(part):
    assert part.read().quantities == ()


def test_the_bench_reads_it_again_and_again(site, emulated, part):
    part._interval_s = 0.1
    part.start()
    site.bench.start()
    wait_until(lambda: part.read().quantities)
    emulated.put(0x48, "f", 5.25)
    wait_until(lambda: energy(part) == 5250)


def test_what_it_says_is_shown_to_people(part):
    part.poll()
    assert part.values()[IMPORT] == "5000 Wh"


def test_two_meters_share_a_line(site):
    first, second = (EmulatedMeter(EASTRON_SPANS, function=4, unit=unit) for unit in (1, 2))
    first.put(0x48, "f", 1.0)
    second.put(0x48, "f", 2.0)
    site.emulate(first, second)
    parts = [site.part(f"M{unit}", model="eastron-sdm72d", unit=unit) for unit in (1, 2)]
    for each in parts:
        each.poll()
    assert [energy(each) for each in parts] == [1000, 2000]


def test_a_unit_belongs_to_one_part(site, part):
    with pytest.raises(ClaimError, match=r"Modbus unit 1 .* claimed twice: by M1 and by M2"):
        site.part("M2", model="eastron-sdm72d")


def test_meters_on_one_line_agree_on_its_settings(site, part):
    with pytest.raises(DriverError, match=r"M2: .* other settings"):
        site.part("M2", model="eastron-sdm72d", unit=2, parity="E")


def test_the_port_belongs_to_the_line(site, part):
    with pytest.raises(ClaimError, match="claimed twice: by M1 and by R1"):
        site.bench.for_part("R1").serial(site.line.near, baud=9600)


def test_a_port_that_is_not_there_is_named(site, tmp_path):
    with pytest.raises(BusError, match="ttyNONE cannot be opened"):
        site.part(model="eastron-sdm72d", port=str(tmp_path / "ttyNONE"))


@pytest.mark.parametrize("options", [{}, {"model": "eastron-sdm120", "map": "mine.toml"}])
def test_it_takes_a_model_or_a_map(site, options):
    with pytest.raises(DriverError, match=r"either a model or a map; models are .*eastron-sdm120"):
        site.part(**options)


# -- faults ---------------------------------------------------------------------------------------------------------------


def damaged(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 0x55])


def failing(site, part, complaint: str, caplog) -> None:
    """It fails again and again: said once, the old reading serves a while, and is then an error."""
    for _ in range(3):
        part.poll()
    assert energy(part) == 5000
    site.clock.tick(10.5)
    with pytest.raises(MeterError, match=complaint):
        part.read()
    said = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert len(said) == 1
    assert "M1" in said[0].message


def recovering(site, part, caplog) -> None:
    site.clock.tick(5.0)
    caplog.set_level(logging.INFO)
    part.poll()
    assert energy(part) == 5000
    assert "M1 answers again" in caplog.text


def test_a_meter_that_does_not_answer(site, part, caplog):
    part.poll()
    site.line.to_driver = lambda data: b""
    failing(site, part, "unit 1 on .* does not answer", caplog)
    site.line.to_driver = lambda data: data
    recovering(site, part, caplog)


def test_a_meter_that_never_answered_is_an_error_at_once(site, part):
    site.line.to_driver = lambda data: b""
    part.poll()
    with pytest.raises(MeterError, match="does not answer"):
        part.read()


def test_answers_with_a_wrong_checksum(site, part, caplog):
    part.poll()
    site.line.to_driver = damaged
    failing(site, part, "damaged answers", caplog)
    site.line.to_driver = lambda data: data
    recovering(site, part, caplog)


def test_noise_instead_of_answers(site, part, caplog):
    part.poll()
    site.line.to_driver = lambda data: bytes(range(1, 200))
    failing(site, part, "damaged answers", caplog)
    site.line.to_driver = lambda data: data
    recovering(site, part, caplog)


def test_a_meter_that_has_no_such_registers_says_which(site, emulated):
    part = site.part("M9", model="abb-b21")
    part.poll()
    assert "refuses register 20480: it has no such registers (exception 2)" in part.error


def test_before_a_request_the_line_is_silent_for_four_characters(site):
    meter = EmulatedMeter(EASTRON_SPANS, function=4)
    meter.put(0x48, "f", 5.0)
    site.emulate(meter)
    answered, asked = [], []

    def answers(data: bytes) -> bytes:
        answered.append(time.monotonic())
        return data

    def asks(data: bytes) -> bytes:
        asked.append((time.monotonic(), answered[-1] if answered else None))
        return data

    site.line.to_driver, site.line.to_part = answers, asks
    part = site.part(model="eastron-sdm630", baud=1200, timeout_s=2.0)
    part.poll()
    assert part.error == ""
    pauses = [at - before for at, before in asked if before is not None]
    assert len(pauses) >= 2
    assert min(pauses) > 4 * 11 / 1200 - 0.005


def test_an_adapter_that_hears_itself_is_told_so(site):
    meter = EmulatedMeter(EASTRON_SPANS, function=4)
    meter.put(0x48, "f", 5.0)
    site.emulate(meter)

    def echoing(data: bytes) -> bytes:
        site.line.send(data)
        return data

    site.line.to_part = echoing
    part = site.part(model="eastron-sdm72d", echo=True)
    part.poll()
    assert energy(part) == 5000


def test_a_port_that_cannot_switch_a_transmitter_says_so(site):
    with pytest.raises(BusError, match="cannot switch its transmitter by RTS"):
        site.part(model="eastron-sdm72d", rts=True)


def test_a_single_lost_answer_is_asked_for_again_and_nobody_hears_of_it(site, part, caplog):
    part.poll()
    lost = [True]
    site.line.to_driver = lambda data: b"" if lost and lost.pop() else data
    part.poll()
    assert part.error == ""
    assert not caplog.records


def test_an_answer_that_comes_late_is_not_taken_for_the_next_one(site, tmp_path):
    """The answer about power must not be billed as energy: answers do not say what they are about."""
    own = tmp_path / "mine.toml"
    own.write_text(
        'title = "Mine"\ndocument = "its manual"\nfunction = 3\n'
        f'[[entries]]\nmeasurand = "{POWER}"\naddress = 100\ntype = "uint16"\n'
        f'[[entries]]\nmeasurand = "{IMPORT}"\naddress = 900\ntype = "uint16"\n'
    )
    meter = EmulatedMeter([(100, 1), (900, 1)], function=3)
    meter.put(100, "H", 11_000)
    meter.put(900, "H", 5000)
    site.emulate(meter)
    part = site.part(map=str(own), timeout_s=0.2)
    late = [0.28, 0.18, 0.16]

    def delay(data: bytes) -> bytes:
        if not late:
            return data
        threading.Timer(late.pop(0), site.line.send, (data,)).start()
        return b""

    site.line.to_driver = delay
    part.poll()
    part.poll()
    assert not late
    assert energy(part) == 5000


def test_noise_before_an_answer_does_not_stay_in_the_way(site, part):
    site.line.send(b"\x00\xff\x00\x13")
    part.poll()
    part.poll()
    assert energy(part) == 5000


def test_a_meter_that_refuses(site, emulated, part, caplog):
    part.poll()
    emulated.refuses = True
    failing(site, part, r"refuses register 52: it has failed \(exception 4\)", caplog)
    emulated.refuses = False
    recovering(site, part, caplog)


def test_an_adapter_that_is_pulled_and_put_in_again(site, part, caplog):
    part.poll()
    site.line.unplug()
    failing(site, part, "ttyUSB0 (is gone|cannot be opened)", caplog)
    site.line.plug()
    recovering(site, part, caplog)


def test_the_answer_of_another_unit_is_none(site, part):
    site.line.to_driver = lambda data: b""
    part.poll()
    other = EmulatedMeter(EASTRON_SPANS, function=4, unit=2)
    assert other.unit != 1
    answer = bytes.fromhex("02040400000000")  # unit 2 says zero
    crc = 0xFFFF
    for byte in answer:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    site.line.to_driver = lambda data: answer + crc.to_bytes(2, "little")
    part.poll()
    assert part.error


def test_a_value_that_is_no_number(site, emulated, part, caplog):
    part.poll()
    emulated.put(0x34, "f", float("nan"))
    failing(site, part, "Power.Active.Import at 52 is nan", caplog)
    emulated.put(0x34, "f", 0.0)
    recovering(site, part, caplog)


def test_energy_that_goes_back_is_not_passed_on(site, emulated, part, caplog):
    part.poll()
    emulated.put(0x48, "f", 4.0)
    failing(site, part, "went back from 5000 to 4000 Wh", caplog)
    emulated.put(0x48, "f", 5.0)
    recovering(site, part, caplog)


def test_a_dead_meter_is_asked_less_often_so_that_the_others_on_its_line_get_their_turn(site, part):
    asked = []
    site.line.to_part = lambda data: asked.append(data) or b""
    for _ in range(3):
        part.poll()
    before = len(asked)
    part.poll()
    assert len(asked) == before
    site.clock.tick(3.5)
    part.poll()
    assert len(asked) > before
