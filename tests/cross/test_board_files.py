"""What a bundle puts on a board fits the program that it is for."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cross.running import PROJECT
from cross.update import request
from hal.priority import PRIORITY
from ocpp.station import firmware
from ocpp.station.cli import EXIT_USAGE
from ocpp.station.configuration import load
from ocpp.station.program import EXIT_RESTART

UNITS = PROJECT / "cross" / "systemd"
SERVICE = (UNITS / "pilotwire.service").read_text().splitlines()


def test_the_example_station_file_is_right_and_names_the_updater_of_the_bundle() -> None:
    example = load(PROJECT / "cross" / "board" / "station.toml")
    assert example.firmware["install_command"][1:] == ["/opt/pilotwire/pilotwire-update.pyz", "request", "{file}"]
    assert example.firmware["confirm_command"][1:] == ["/opt/pilotwire/pilotwire-update.pyz", "confirm"]
    assert example.station["state_dir"] == "/var/lib/pilotwire"


def test_updater_and_station_agree_about_exit_statuses() -> None:
    assert request.EXIT_RESTART == firmware.EXIT_RESTART
    assert request.EXIT_UNFIT == firmware.EXIT_VERIFICATION_FAILED
    assert firmware.INSTALL_TIMEOUT_S > request.ANSWER_TIMEOUT_S


def test_the_service_knows_the_programs_exit_statuses() -> None:
    assert f"SuccessExitStatus={EXIT_RESTART}" in SERVICE
    assert f"RestartPreventExitStatus={EXIT_USAGE}" in SERVICE


def test_the_service_allows_the_priority_that_the_safety_threads_ask_for() -> None:
    assert f"LimitRTPRIO={PRIORITY}" in SERVICE
    assert "RestrictRealtime=yes" not in SERVICE


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not there")
@pytest.mark.parametrize("unit", sorted(UNITS.iterdir()), ids=lambda unit: unit.name)
def test_systemd_understands_every_line_of_a_unit(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "is not executable" not in line and unit.name in line]
    assert complaints == []
