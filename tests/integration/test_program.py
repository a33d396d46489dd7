"""The program as a supervisor and a technician meet it: signals, exit statuses, power cuts, dead CSMSs, clock jumps."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time

import pytest
from support.dev_csms import DevelopmentCsms
from support.processes import PATIENCE_S, ROOT, StationProcess, station_file
from support.requests import ask

EXIT_RESTART = 75


@pytest.fixture
def csms():
    server = DevelopmentCsms()
    yield server
    server.stop()


@pytest.fixture
def station_on(tmp_path):
    made: list[StationProcess] = []

    def make(port: int, version: str = "2.0.1", *, more: str = "", station: str = "", variables=None):
        path = tmp_path / "station"
        path.mkdir(exist_ok=True)
        text = station_file(port, version, variables).replace("[station]", f"[station]\n{station}") + more
        station = StationProcess(path, text).start()
        made.append(station)
        return station

    yield make
    for station in made:
        station.kill()


@pytest.fixture(params=["1.6", "2.0.1", "2.1"])
def version(request) -> str:
    return request.param


def charge(station: StationProcess) -> str:
    station.wait_accepted()
    station.plug()
    station.card()
    station.wait_state("Charging")
    return station.transaction()["id"]


def ended(csms: DevelopmentCsms, version: str) -> list[dict]:
    if version == "1.6":
        return csms.calls("StopTransaction")
    return [event for event in csms.calls("TransactionEvent") if event["eventType"] == "Ended"]


def test_sigterm_ends_with_status_0_and_the_transaction_goes_on_after_the_start(csms, station_on, version):
    station = station_on(csms.port, version, variables={"TxCtrlr/ResumptionTimeout": 600})
    transaction = charge(station)
    assert station.stop() == 0
    assert ended(csms, version) == []
    more = "[simulation]\nkeep_on_restart = true\n"
    again = station_on(csms.port, version, more=more, variables={"TxCtrlr/ResumptionTimeout": 600})
    again.wait_accepted()
    assert again.transaction()["id"] == transaction


@pytest.mark.parametrize("dead", ["refusing", "frozen"])
def test_sigterm_is_obeyed_within_five_seconds_whatever_the_csms_does(csms, station_on, dead):
    station = station_on(csms.port)
    if dead == "frozen":
        station.wait_accepted()
        csms.freeze()
    else:
        csms.stop()
    began = time.monotonic()
    assert station.stop() == 0
    assert time.monotonic() - began < 5


def test_systemd_hears_that_it_is_ready_when_it_is_at_work_and_when_it_stops(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE_S)
        station = StationProcess(
            tmp_path, station_file(9, "2.0.1"), environment={"NOTIFY_SOCKET": str(tmp_path / "notify")}
        )
        station.start()
        try:
            assert systemd.recv(100) == b"READY=1"
            assert station.status()["evses"]
            station.process.send_signal(signal.SIGTERM)
            assert systemd.recv(100) == b"STOPPING=1"
        finally:
            station.kill()


def test_a_station_whose_local_api_has_no_place_works_and_takes_the_port_once_it_is_free(csms, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = station_file(csms.port, "2.0.1").replace("127.0.0.1:0", f"127.0.0.1:{port}")
        station = StationProcess(tmp_path, text)
        station.launch()
        told = f'local_api.listen = "127.0.0.1:{port}": cannot be listened on: Address already in use'
        try:
            station.wait_for_log(told)
            station.wait(lambda: csms.calls("BootNotification"), "the CSMS hears of the station")
        except BaseException:
            station.kill()
            raise
    try:
        station.wait_for_log("local API at")
        station.port = port
        assert station.status()["boot_status"] == "Accepted"
        assert station.log.read_text().count("cannot be listened on") == 1
        assert "Traceback" not in station.log.read_text()
        assert station.stop() == 0
    finally:
        station.kill()


def test_the_local_api_answers_soon_although_the_csms_says_nothing(station_on):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        station = station_on(silent.getsockname()[1])
        status = station.status()
        took = time.monotonic() - began
    assert status["connection"]["state"] == "connecting"
    assert status["evses"][0]["connectors"][0]["status"] == "Available"
    assert took < 1.9  # what the imports take on a loaded machine; the wait for a CSMS takes two seconds alone


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.0.0.2", "0.0.0.0"])
def test_a_log_is_not_sent_to_the_stations_own_api(csms, station_on, host):
    station = station_on(csms.port)
    station.wait_accepted()
    location = f"http://{host}:{station.port}/api/sim/power_cut"
    payload = {"log": {"remoteLocation": location}, "logType": "SecurityLog", "requestId": 1, "retries": 0}
    ask(csms.api, "POST", "/api/stations/CS001/call", {"action": "GetLog", "payload": payload})
    station.wait(lambda: [each["status"] for each in csms.calls("LogStatusNotification")][1:], "it is over")
    assert csms.calls("LogStatusNotification")[-1]["status"] in ("BadMessage", "UploadFailure")
    assert station.stop() == 0


MISSING = """
[hardware]
board = "linux"
[[part]]
driver = "serial-front-end"
name = "the front end"
evse = 1
port = "/dev/serial/by-id/no-front-end"
[[part]]
driver = "modbus-meter"
name = "the meter"
evse = 1
model = "eastron-sdm630"
port = "/dev/serial/by-id/no-meter"
unit = 1
[[part]]
driver = "sml-meter"
name = "the reader"
port = "/dev/serial/by-id/no-reader"
"""


def test_parts_that_are_not_there_are_all_named_and_the_csms_is_told(csms, tmp_path):
    text = (
        station_file(csms.port, "1.6").replace("[[evse.connector]]", '[[evse.connector]]\nhardware = "wired"') + MISSING
    )
    station = StationProcess(tmp_path, text).start()
    try:
        station.wait(
            lambda: [each for each in csms.calls("StatusNotification") if each["status"] == "Faulted"], "Faulted"
        )
        told = next(each for each in csms.calls("StatusNotification") if each["status"] == "Faulted")
        assert told["errorCode"] == "InternalError"
        assert told["info"]
        log = station.log.read_text()
        for name in ("the front end", "the meter", "the reader"):
            assert name in log
        assert station.status()["evses"][0]["connectors"][0]["status"] == "Faulted"
        assert station.stop() == 0
    finally:
        station.kill()


def test_the_local_api_answers_while_the_csms_is_unreachable(station_on):
    station = station_on(9)
    status = station.status()
    assert status["connection"]["state"] in ("connecting", "waiting")
    station.wait(lambda: station.status()["connection"]["last_error"], "the error is shown")
    assert station.status()["evses"][0]["connectors"][0]["status"] == "Available"


@pytest.mark.req("B12.FR.01", "B12.FR.04")
def test_a_reset_ends_the_process_with_the_restart_status(csms, station_on, version):
    station = station_on(csms.port, version)
    charge(station)
    answer = csms.call("Reset", {"type": "Hard" if version == "1.6" else "Immediate"})
    assert answer["status"] == "Accepted"
    assert station.process.wait(PATIENCE_S) == EXIT_RESTART
    assert [event.get("reason") or event["transactionInfo"]["stoppedReason"] for event in ended(csms, version)] == [
        "HardReset" if version == "1.6" else "ImmediateReset"
    ]
    station.start()
    station.wait_accepted()
    if version != "1.6":
        assert [boot["reason"] for boot in csms.calls("BootNotification")] == ["PowerUp", "RemoteReset"]


def test_a_reset_may_restart_in_the_same_process(csms, station_on, version):
    station = station_on(csms.port, version, station='reset = "in-process"')
    station.wait_accepted()
    csms.call("Reset", {"type": "Soft" if version == "1.6" else "OnIdle"})
    station.wait(lambda: len(csms.calls("BootNotification")) == 2, "it boots again")
    assert station.process.poll() is None
    assert station.stop() == 0


def register(station: StationProcess) -> float:
    return float(station.status()["evses"][0]["meter"]["energy_wh"])


def test_a_power_cut_ends_the_transaction_with_the_register(csms, station_on, version):
    unsampled = {"SampledDataCtrlr/TxUpdatedInterval": 0, "SampledDataCtrlr/TxEndedInterval": 0}
    station = station_on(csms.port, version, variables={"TxCtrlr/ResumptionTimeout": 0, **unsampled})
    charge(station)
    station.wait(lambda: register(station) > 3, "something is drawn")
    told = register(station)
    assert station.post("/api/sim/power_cut") == {"power": "off"}
    assert station.process.wait(PATIENCE_S) == -signal.SIGKILL
    station.start()
    station.wait_accepted()
    station.wait(lambda: ended(csms, version), "the transaction is ended")
    event = ended(csms, version)[0]
    assert (event.get("reason") or event["transactionInfo"]["stoppedReason"]) == "PowerLoss"
    billed = event.get("meterStop")
    if billed is None:
        billed = event["meterValue"][-1]["sampledValue"][0]["value"]
    assert int(told) <= billed <= register(station)


def test_the_network_can_be_taken_away_and_comes_back_without_back_off(csms, station_on):
    station = station_on(csms.port)
    station.wait_accepted()
    station.post("/api/sim/network", {"up": False})
    station.wait(lambda: station.status()["connection"]["state"] == "offline", "offline")
    station.plug()
    station.card()
    station.wait(lambda: station.status()["queues"]["transaction_messages"] == 0, "an unknown card starts nothing")
    station.post("/api/sim/network", {"up": True})
    station.wait(lambda: station.status()["connection"]["state"] == "connected", "connected again")


@pytest.mark.parametrize("jump", [3600, -3600, 86400 * 400])
def test_a_clock_jump_loses_and_reorders_nothing(csms, station_on, jump):
    station = station_on(csms.port, variables={"SampledDataCtrlr/TxUpdatedInterval": 1})
    charge(station)
    station.post("/api/sim/clock", {"offset_s": jump})
    station.wait(lambda: len(csms.calls("TransactionEvent")) > 4, "it goes on metering")
    station.unplug()
    station.wait(lambda: ended(csms, "2.0.1"), "the transaction ends")
    numbers = [event["seqNo"] for event in csms.calls("TransactionEvent")]
    assert numbers == list(range(len(numbers)))


NEW_PASSWORD = "the-new-password-of-cs001"


@pytest.mark.req("A01.FR.01", "A01.FR.02", "A01.FR.11", "A01.FR.12")
def test_a_new_password_is_used_at_once_kept_and_never_shown(csms, station_on, version):
    station = station_on(csms.port, version)
    station.wait_accepted()
    if version == "1.6":
        wish = {"key": "AuthorizationKey", "value": NEW_PASSWORD}
        assert csms.call("ChangeConfiguration", wish)["status"] == "Accepted"
    else:
        names = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
        answer = csms.call("SetVariables", {"setVariableData": [{**names, "attributeValue": NEW_PASSWORD}]})
        assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"

    def connected_again() -> bool:
        (told,) = [each for each in ask(csms.api, "GET", "/api/stations")[1] if each["id"] == "CS001"]
        return told["connections"] == 2 and told["connected"]

    station.wait(connected_again, "it connects with the new password")
    station.wait_accepted()
    with sqlite3.connect(station.folder / "state/station.db") as database:
        (profile,) = database.execute("SELECT profile FROM network_slots").fetchone()
        events = [row[0] for row in database.execute("SELECT type FROM security_events")]
    assert json.loads(profile)["password"] == NEW_PASSWORD
    assert "ReconfigurationOfSecurityParameters" in events
    shown = station.log.read_text() + (station.folder / "state/messages.jsonl").read_text()
    assert NEW_PASSWORD not in shown
    assert station.stop() == 0


def test_garbage_from_the_csms_is_answered_and_the_session_goes_on(csms, station_on):
    station = station_on(csms.port)
    station.wait_accepted()
    status, answer = ask(csms.api, "POST", "/api/stations/CS001/call", {"action": "Reset", "payload": {"type": 1}})
    assert (status, "error" in answer) == (400, True)
    assert csms.call("Reset", {"type": "Immediate", "evseId": 9})["status"] == "Rejected"
    assert station.status()["connection"]["state"] == "connected"


def pilotwire(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ocpp.station.cli", *arguments], capture_output=True, text=True, cwd=ROOT, timeout=120
    )


def test_check_says_what_is_wrong_and_run_refuses_it_too(tmp_path):
    file = tmp_path / "station.toml"
    file.write_text("[station]\nid = 5\n")
    for command in ("check", "run"):
        outcome = pilotwire(command, str(file))
        assert outcome.returncode == 2
        assert "station.id = 5: must be a text" in outcome.stderr
        assert "Traceback" not in outcome.stderr


def test_check_praises_a_good_file(tmp_path):
    file = tmp_path / "station.toml"
    file.write_text(station_file(9000, "2.1"))
    outcome = pilotwire("check", str(file))
    assert outcome.returncode == 0
    assert "is fine: 1 EVSE(s), 1 connector(s)" in outcome.stdout
    assert "no authentication" in outcome.stdout


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run"], ["demo", "--version", "3"]])
def test_a_wrong_command_line_gets_the_usage(arguments):
    outcome = pilotwire(*arguments)
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("usage: pilotwire")


def test_a_taken_port_of_the_development_csms_is_said_plainly(csms):
    outcome = pilotwire("csms", "--listen", f"127.0.0.1:{csms.port}")
    assert (outcome.returncode, "Address already in use" in outcome.stderr) == (2, True)


def test_a_state_directory_that_cannot_be_made_is_said_plainly(tmp_path):
    (tmp_path / "state").write_text("a file")
    file = tmp_path / "station.toml"
    file.write_text(station_file(9, "2.1"))
    outcome = pilotwire("run", str(file))
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stderr
    assert "state" in outcome.stderr


def test_two_stations_do_not_share_a_state_directory(csms, station_on):
    first = station_on(csms.port)
    outcome = pilotwire("run", str(first.file))
    assert outcome.returncode == 1
    assert "already" in outcome.stderr


def test_the_demo_plays_a_session(version):
    outcome = pilotwire("demo", "--version", version)
    assert outcome.returncode == 0, outcome.stdout[-2000:] + outcome.stderr[-2000:]
    assert "every message has been delivered" in outcome.stdout
    assert "StopTransaction" in outcome.stdout or '"Ended"' in outcome.stdout


def test_the_example_firmware_charges_a_car(csms, tmp_path):
    url = f"ws://127.0.0.1:{csms.port}/ocpp"
    outcome = subprocess.run(
        [sys.executable, "docs/examples/firmware.py", url, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert outcome.returncode == 0, outcome.stderr
    kinds = [event["eventType"] for event in csms.calls("TransactionEvent", "ACME-1")]
    assert (kinds[0], kinds[-1]) == ("Started", "Ended")


def test_a_call_can_be_sent_from_the_command_line(csms, station_on):
    station = station_on(csms.port)
    station.wait_accepted()
    api = f"127.0.0.1:{csms.api}"
    outcome = pilotwire("csms", "--api", api, "--call", "CS001", "GetVariables", "{")
    assert (outcome.returncode, "not valid JSON" in outcome.stderr) == (2, True)
    payload = '{"getVariableData": [{"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStartPoint"}}]}'
    outcome = pilotwire("csms", "--api", api, "--call", "CS001", "GetVariables", payload)
    assert outcome.returncode == 0
    assert '"attributeStatus": "Accepted"' in outcome.stdout
    outcome = pilotwire("csms", "--api", api, "--call", "CS999", "Reset", "{}")
    assert (outcome.returncode, "was ever connected" in outcome.stderr) == (1, True)
