"""SML meters on a serial port: telegrams of an emulated head, and every fault of it."""

import logging
from decimal import Decimal

import pytest
from support.serial_line import SerialLine, wait_until
from support.sml_meter import content, entry, telegram
from support.workbench import workbench

from hal.drivers import make
from hal.errors import BusError, ClaimError, MeterError

IMPORT, EXPORT, POWER = "Energy.Active.Import.Register", "Energy.Active.Export.Register", "Power.Active.Import"


class Site:
    def __init__(self, path) -> None:
        self.line = SerialLine(path)
        self.bench, self.clock = workbench()
        self.part = self.make("M1")

    def make(self, name):
        return make(self.bench, name, "sml-meter", {"port": self.line.near})

    def say(self, energy: int = 50_000, power: int = 1200, *more: list) -> bytes:
        return telegram(content(entry("1.8.0", energy), entry("16.7.0", power, unit=27, scaler=0), *more))

    def hear(self, data: bytes) -> None:
        self.line.send(data)
        self.part.poll()

    def close(self) -> None:
        self.bench.close()
        self.line.close()


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()


def told(site) -> dict:
    return {(each.measurand, each.phase): each.value for each in site.part.read().quantities}


def test_a_telegram_is_a_reading(site):
    more = [
        entry("2.8.0", 7),
        entry("32.7.0", 2305, unit=35),
        entry("51.7.0", 1625, unit=33, scaler=-2),
        entry("14.7.0", 500, unit=44),
        entry("96.1.0", b"serial", unit=None),
    ]
    site.hear(site.say(50_000, 1200, *more))
    assert told(site) == {
        (IMPORT, None): Decimal("5000.0"),
        (EXPORT, None): Decimal("0.7"),
        (POWER, None): 1200,
        ("Power.Active.Export", None): 0,
        ("Voltage", "L1-N"): Decimal("230.5"),
        ("Current.Import", "L2"): Decimal("16.25"),
        ("Frequency", None): 50,
    }


def test_negative_power_is_export(site):
    site.hear(site.say(50_000, -800))
    assert told(site)[POWER, None] == 0
    assert told(site)["Power.Active.Export", None] == 800


def test_the_bench_listens_all_the_time(site):
    site.part.start()
    site.bench.start()
    site.line.send(site.say())
    wait_until(lambda: site.part.read().quantities)


def test_the_port_has_one_owner(site):
    with pytest.raises(ClaimError, match="by M1 and by M2"):
        site.make("M2")


def test_a_port_that_is_not_there_is_named(site, tmp_path):
    with pytest.raises(BusError, match="ttyNONE cannot be opened"):
        make(site.bench, "M3", "sml-meter", {"port": str(tmp_path / "ttyNONE")})


def failing(site, caplog, complaint: str, data: bytes = b"") -> None:
    for _ in range(4):
        site.clock.tick(3.0)
        site.hear(data)
    with pytest.raises(MeterError, match=complaint):
        site.part.read()
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 1
    caplog.set_level(logging.INFO)
    site.hear(site.say())
    assert told(site)[IMPORT, None] == 5000
    assert "M1 answers again" in caplog.text


def test_silence(site, caplog):
    site.hear(site.say())
    failing(site, caplog, "nothing comes on .*ttyUSB0")


def test_noise(site, caplog):
    site.hear(site.say())
    failing(site, caplog, "bytes on .*, and no telegram in them", bytes(range(200)))


def test_wrong_checksums(site, caplog):
    site.hear(site.say())
    damaged = site.say()[:-1] + b"\x00"
    failing(site, caplog, "damaged telegrams and no sound one", damaged)


def test_telegrams_without_the_register(site, caplog):
    site.hear(site.say())
    failing(site, caplog, "no energy register", telegram(content(entry("16.7.0", 5, unit=27))))


def test_telegrams_that_make_no_sense(site, caplog):
    site.hear(site.say())
    failing(site, caplog, "no message", telegram(b"\x62\x01\x00"))


def test_energy_that_goes_back(site, caplog):
    site.hear(site.say())
    failing(site, caplog, "went back", site.say(40_000))


def test_an_adapter_that_is_pulled_and_put_in_again(site, caplog):
    site.hear(site.say())
    site.line.unplug()
    for _ in range(4):
        site.clock.tick(3.0)
        site.part.poll()
    with pytest.raises(MeterError, match="ttyUSB0"):
        site.part.read()
    assert len(caplog.records) == 1
    site.line.plug()
    site.part.poll()
    site.hear(site.say())
    assert told(site)[IMPORT, None] == 5000
