import subprocess
import sys

from support.dev_csms import DevelopmentCsms
from support.processes import ROOT, StationProcess, station_file


def pilotwire(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ocpp.station.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)


def profile(number: int, limit: float, stack_level: int) -> dict:
    periods = [{"startPeriod": 0, "limit": limit}]
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "startSchedule": "2026-01-01T00:00:00Z",
        "chargingSchedulePeriod": periods,
    }
    return {
        "id": number,
        "stackLevel": stack_level,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }


def test_a_technician_is_told_which_profile_sets_the_limit_and_the_car_obeys(tmp_path):
    csms = DevelopmentCsms()
    station = StationProcess(tmp_path, station_file(csms.port, "2.0.1")).start()
    try:
        station.wait_accepted()
        api = f"127.0.0.1:{station.port}"
        assert "no charging profile says anything" in pilotwire("explain", "--api", api).stdout
        for number, limit, level in ((1, 20, 0), (2, 8, 1)):
            wish = {"evseId": 1, "chargingProfile": profile(number, limit, level)}
            assert csms.call("SetChargingProfile", wish)["status"] == "Accepted"
        told = pilotwire("explain", "--api", api)
        assert told.returncode == 0
        assert "EVSE 1" in told.stdout
        assert "8 A on 3 phase(s)" in told.stdout
        assert "TxDefaultProfile 2 (stack level 1, Absolute, for EVSE 1): period 1, 8 A from 0 s on" in told.stdout
        assert "not in force: TxDefaultProfile 1" in told.stdout
        before = pilotwire("explain", "--api", api, "--at", "2025-01-01T00:00:00Z").stdout
        assert "no charging profile says anything" in before
        station.plug(max_current_a=32)
        station.card()
        station.wait_state("Charging")
        station.wait(lambda: station.status()["evses"][0]["ev"]["offered_a"] == 8, "the pilot offers 8 A")
        assert station.status()["evses"][0]["limit"]["reason"] == "TxDefaultProfile 2"
        assert pilotwire("explain", "--api", api, "--evse", "9").returncode == 1
    finally:
        station.stop()
        csms.stop()
    assert "no station answers" in pilotwire("explain", "--api", "127.0.0.1:9").stderr
