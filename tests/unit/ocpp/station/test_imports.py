"""What a station imports to start: nothing that it does not use yet. Each module here cost a start a millisecond or more."""

import subprocess
import sys

import pytest

STATION = """
[station]
id = "CS001"
[[network]]
url = "wss://localhost:1/ocpp"
version = "{version}"
security_profile = 2
password = "0123456789abcdef"
[[evse]]
[[evse.connector]]
[local_api]
listen = "off"
"""

PROGRAM = """
import sys
from pathlib import Path
from ocpp.station import cli
with cli.without(cli.LEFT_OUT):
    cli.put_off(cli.UNUSED)
    from ocpp.station import program
async def built(configuration):
    made = program.Program(configuration)
    made.charge_point.start(made.parts.plugged)
    await made.charge_point.stop()
    return 0
program.run_station = built
assert cli.main(["run", sys.argv[1]]) == 0
from types import ModuleType
print(*(name for name, each in sys.modules.items() if type(each) is ModuleType or name.startswith("ocpp._native")))
"""

INTRODUCTION = PROGRAM.replace("    made.charge_point.start(made.parts.plugged)\n", "")
"""As far as a start goes until its BootNotification is out."""

UNUSED = {
    "argparse",
    "asyncssh",
    "cryptography",
    "csv",
    "difflib",
    "email",
    "ftplib",
    "gzip",
    "h11",
    "http.client",
    "importlib.metadata",
    "logging.config",
    "logging.handlers",
    "msgspec._json_schema",
    "msgspec.inspect",
    "msgspec.msgpack",
    "msgspec.toml",
    "msgspec.yaml",
    "periphery",
    "pickle",
    "pymodbus",
    "serial",
    "shutil",
    "tempfile",
    "typing_extensions",
    "urllib.request",
    "zipfile",
    "hal.boards",
    "hal.drivers",
    "hal.keeper",
    "hal.meters",
    "hal.wired",
    "ocpp.core.file_transfer",
    "ocpp.core.sftp",
    "ocpp.csms",
    "ocpp.security.certificate_store",
    "ocpp.security.certificates",
    "ocpp.station.cert",
    "ocpp.station.demo",
    "ocpp.station.local_api",
    "ocpp.station.parts",
}


@pytest.mark.parametrize(
    ("version", "foreign"),
    [
        ("2.0.1", {"ocpp.v16", "ocpp.messages._generated.v16"}),
        ("2.1", {"ocpp.v16", "ocpp.messages._generated.v16", "ocpp.messages._generated.v201"}),
        ("1.6", {"ocpp.v2", "ocpp.messages._generated.v2", "ocpp.messages._generated.v201"}),
    ],
)
def test_a_station_that_starts_imports_nothing_it_does_not_use_yet(tmp_path, version, foreign):
    file = tmp_path / "station.toml"
    file.write_text(STATION.format(version=version))
    done = subprocess.run([sys.executable, "-c", PROGRAM, file], capture_output=True, text=True, check=True)
    there = set(done.stdout.split())
    assert {"ocpp.charge_point", "ocpp.connectivity.secure_links", "websockets.asyncio.client"} <= there
    assert sorted(there & (UNUSED | foreign)) == []


AT_WORK = {
    "ocpp.core.authorization",
    "ocpp.core.certificates",
    "ocpp.core.charging",
    "ocpp.core.display",
    "ocpp.core.events",
    "ocpp.core.firmware",
    "ocpp.core.monitoring",
    "ocpp.core.session",
    "ocpp.core.smart_charging",
    "ocpp.core.strategy",
    "ocpp.station.status",
    "ocpp.v16.strategy",
    "ocpp.v2.strategy",
}
"""What is imported while the CSMS thinks about its answer to the BootNotification."""


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_station_introduces_itself_without_what_it_works_with(tmp_path, version):
    file = tmp_path / "station.toml"
    file.write_text(STATION.format(version=version))
    command = [sys.executable, "-c", INTRODUCTION, file]
    subprocess.run(command, capture_output=True, check=True)  # the first start takes the network profiles over
    there = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert {"ocpp.core.boot", "ocpp.core.introduction", "websockets.asyncio.client"} <= there
    assert sorted(there & (UNUSED | AT_WORK)) == []
