"""The local API of a running station, over real HTTP: everything the interface promises, and every way to misuse it."""

import http.client
import json
import socket

import pytest
from support.processes import StationProcess, station_file
from support.requests import ask

TOKEN = "a-token-of-some-length"

TWO_EVSES = """
[[evse]]
bay_sensor = true
[[evse.connector]]
[[evse.connector]]
"""


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    text = station_file(9, "2.0.1").replace("[local_api]", TWO_EVSES + "[local_api]")
    station = StationProcess(tmp_path_factory.mktemp("station"), text).start()
    yield station
    assert station.stop() == 0


@pytest.fixture
def call(station):
    def call(method, path, body=None):
        return ask(station.port, method, path, body)

    yield call
    for evse in (1, 2):
        ask(station.port, "POST", f"/api/sim/evses/{evse}/connectors/1/unplug")


def test_the_status_shows_everything_the_interface_promises(call):
    code, status = call("GET", "/api/status")
    assert code == 200
    assert set(status) >= {"station", "protocol_version", "connection", "boot_status", "evses", "queues", "clock"}
    assert set(status["connection"]) >= {"state", "url", "slot", "since", "last_error"}
    assert [len(evse["connectors"]) for evse in status["evses"]] == [1, 2]
    connector = status["evses"][0]["connectors"][0]
    assert (connector["id"], connector["plugged"], connector["locked"], connector["pilot"]) == (1, False, False, "A")
    assert status["evses"][0]["transaction"] is None
    assert status["evses"][0]["limit"]["current_a"] == 32
    assert status["evses"][0]["limit"]["reason"]


def test_the_document_describes_every_call(call):
    code, document = call("GET", "/api/openapi.json")
    assert code == 200
    for path, methods in document["paths"].items():
        for method in methods:
            concrete = path.replace("{e}", "1").replace("{c}", "1")
            if concrete not in ("/api/events", "/api/sim/power_cut"):
                code, _ = call(method.upper(), concrete, {} if method == "post" else None)
                assert code in (200, 400), concrete


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "told"),
    [
        ("GET", "/api/nothing", None, 404, "there is no /api/nothing"),
        ("DELETE", "/api/status", None, 405, "takes GET"),
        ("POST", "/api/sim/evses/9/connectors/1/plug", {}, 404, "EVSE 9"),
        ("POST", "/api/sim/evses/1/connectors/2/plug", {}, 404, "connector 2"),
        ("POST", "/api/sim/evses/1/connectors/1/plug", {"soc": 101}, 400, "soc"),
        ("POST", "/api/sim/evses/1/connectors/1/plug", {"wheels": 4}, 400, "wheels"),
        ("POST", "/api/sim/evses/1/connectors/1/plug", b"[", 400, "not valid JSON"),
        ("POST", "/api/sim/evses/1/connectors/1/plug", b"[]", 400, "must be a JSON object"),
        ("POST", "/api/sim/evses/1/ev", {"state": "B"}, 400, "no EV is plugged in"),
        ("POST", "/api/sim/evses/1/parking_bay", {"occupied": True}, 400, "sensor"),
        ("POST", "/api/sim/evses/2/parking_bay", {"occupied": 1}, 400, "true or false"),
        ("POST", "/api/sim/tokens", {}, 400, "id is missing"),
        ("POST", "/api/sim/tokens", {"id": ""}, 400, "1 to 255"),
        ("POST", "/api/sim/tokens", {"id": "x", "evses": [7]}, 404, "EVSE 7"),
        ("POST", "/api/sim/tokens", {"id": "x", "evses": "1"}, 400, "list of EVSE numbers"),
        ("POST", "/api/sim/evses/1/connectors/1/fault", {"kind": "Rust"}, 400, "allowed are"),
        ("POST", "/api/sim/evses/1/connectors/1/fault", {"kind": "GroundFailure", "active": 1}, 400, "true or false"),
        ("POST", "/api/sim/evses/1/meter", {"energy_wh": -1}, 400, "energy_wh"),
        ("POST", "/api/sim/evses/1/meter", {"volts": 1}, 400, "volts"),
        ("POST", "/api/sim/network", {"up": "yes"}, 400, "true or false"),
        ("POST", "/api/sim/clock", {"offset_s": "1"}, 400, "must be a number"),
        ("POST", "/api/sim/clock", b'{"offset_s": 1e400}', 400, "JSON"),
        ("POST", "/api/variables", {"Nope/Nope": 1}, 404, "Nope"),
        ("POST", "/api/variables", {"TxCtrlr/EVConnectionTimeOut": "soon"}, 400, "EVConnectionTimeOut"),
        ("POST", "/api/variables", {"keys/Nope": "1"}, 404, "Nope"),
        ("POST", "/api/variables", {"keys/HeartbeatInterval": "often"}, 400, "HeartbeatInterval"),
        ("POST", "/api/variables", {"keys/MeterValuesSampledDataMaxLength": None}, 400, "is what it is"),
        ("GET", "/api/explain?evse=one", None, 400, "number of an EVSE"),
        ("GET", "/api/explain?evse=9", None, 404, "9"),
        ("GET", "/api/explain?evse=1&at=soon", None, 400, "at"),
    ],
)
def test_every_mistake_gets_a_clear_error(call, method, path, body, code, told):
    found, answer = call(method, path, body)
    assert (found, list(answer)) == (code, ["error"])
    assert told in answer["error"]


def test_plug_replace_and_unplug(call):
    path = "/api/sim/evses/1/connectors/1"
    assert call("POST", f"{path}/plug", {"soc": 20})[1]["soc"] == 20
    assert call("POST", f"{path}/plug")[1]["soc"] == 20
    assert call("POST", f"{path}/plug", {"soc": 30})[1]["soc"] == 30
    status = call("GET", "/api/status")[1]["evses"][0]["connectors"][0]
    assert (status["plugged"], status["pilot"], status["status"]) == (True, "B", "Occupied")
    assert call("POST", f"{path}/unplug")[0] == 200
    assert call("POST", f"{path}/unplug")[0] == 200
    assert call("GET", "/api/status")[1]["evses"][0]["connectors"][0]["pilot"] == "A"


def test_a_fault_shows_and_goes(call):
    path = "/api/sim/evses/1/connectors/1/fault"
    call("POST", path, {"kind": "GroundFailure", "info": "12 mA"})
    connector = call("GET", "/api/status")[1]["evses"][0]["connectors"][0]
    assert (connector["status"], connector["faults"]) == ("Faulted", [{"kind": "GroundFailure", "info": "12 mA"}])
    call("POST", path, {"kind": "GroundFailure", "active": False})
    assert call("GET", "/api/status")[1]["evses"][0]["connectors"][0]["status"] == "Available"


def test_the_meter_says_what_it_was_told(call):
    call("POST", "/api/sim/evses/1/meter", {"energy_wh": 5000000.5})
    assert call("GET", "/api/status")[1]["evses"][0]["meter"]["energy_wh"] >= 5000000.5


def test_variables_and_keys_are_set_together_or_not_at_all(call):
    before = call("GET", "/api/variables")[1]
    wishes = {"TxCtrlr/EVConnectionTimeOut": 77, "keys/HeartbeatInterval": 55}
    assert call("POST", "/api/variables", {**wishes, "Nope/Nope": 1})[0] == 404
    assert call("GET", "/api/variables")[1] == before | {
        name: value for name, value in call("GET", "/api/variables")[1].items() if "DateTime" in name
    }
    assert call("POST", "/api/variables", wishes) == (200, {"set": sorted(wishes)})
    after = call("GET", "/api/variables")[1]
    assert (after["TxCtrlr/EVConnectionTimeOut"], after["keys/ConnectionTimeOut"]) == ("77", "77")
    assert after["OCPPCommCtrlr/HeartbeatInterval"] == "55"
    call("POST", "/api/variables", dict.fromkeys(wishes))
    assert call("GET", "/api/variables")[1]["TxCtrlr/EVConnectionTimeOut"] == before["TxCtrlr/EVConnectionTimeOut"]


def test_limits_of_other_systems(call):
    path = "/api/external_limits"
    assert call("POST", path, {"source": "SO", "evse": 1, "unit": "W", "periods": [[0, 6900], [60, 11000]]})[0] == 200
    (told,) = call("GET", path)[1]["external_limits"]
    assert (told["source"], told["evse"], told["unit"], told["periods"]) == ("SO", 1, "W", [[0, 6900], [60, 11000]])
    limit = call("GET", "/api/status")[1]["evses"][0]["limit"]
    assert (limit["current_a"], limit["reason"]) == (10, "ChargingStationExternalConstraints -6")
    assert call("POST", path, {"source": "SO", "evse": 1, "limit": None}) == (200, {"released": True})
    assert call("POST", path, {"source": "SO", "evse": 1, "limit": None}) == (200, {"released": False})
    assert call("GET", path)[1] == {"external_limits": []}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, 400),
        ({"limit": 10, "periods": [[0, 10]]}, 400),
        ({"limit": "10"}, 400),
        ({"limit": -1}, 400),
        ({"limit": 10, "source": "CSO"}, 400),
        ({"limit": 10, "unit": "kW"}, 400),
        ({"limit": 10, "evse": "1"}, 400),
        ({"limit": 10, "evse": 9}, 404),
        ({"limit": 10, "start": "tomorrow"}, 400),
        ({"limit": 10, "duration_s": 1.5}, 400),
        ({"limit": 10, "grid_critical": 1}, 400),
        ({"periods": [[0]]}, 400),
        ({"periods": [[5, 10]]}, 400),
    ],
)
def test_limits_that_make_no_sense(call, wish, code):
    answer = call("POST", "/api/external_limits", wish)
    assert (answer[0], list(answer[1])) == (code, ["error"])


def test_secrets_are_not_shown(call):
    assert not [name for name in call("GET", "/api/variables")[1] if "Password" in name or "AuthorizationKey" in name]


def test_the_events_stream_tells_of_changes(station, call):
    connection = http.client.HTTPConnection("127.0.0.1", station.port, timeout=10)
    connection.request("GET", "/api/events")
    answer = connection.getresponse()
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.readline() == b"event: status\n"
    first = json.loads(answer.readline().removeprefix(b"data: "))
    assert not first["evses"][0]["connectors"][0]["plugged"]
    call("POST", "/api/sim/evses/1/connectors/1/plug", {})
    while True:
        line = answer.readline()
        if line.startswith(b"data: ") and json.loads(line[6:])["evses"][0]["connectors"][0]["plugged"]:
            break
    connection.close()


def test_a_body_that_is_too_long_is_refused(call):
    code, answer = call("POST", "/api/variables", b" " * 300_000)
    assert (code, "at most 262144 bytes" in answer["error"]) == (413, True)


def test_garbage_closes_only_its_own_connection(station, call):
    with socket.create_connection(("127.0.0.1", station.port), timeout=10) as raw:
        raw.sendall(b"\x00\x01\x02 garbage\r\n\r\n")
        raw.settimeout(10)
        assert b"200" not in raw.recv(1000)
    assert call("GET", "/api/status")[0] == 200


def test_a_token_is_needed_where_one_is_configured(tmp_path):
    text = station_file(9, "2.0.1").replace('"127.0.0.1:0"', f'"127.0.0.1:0"\ntoken = "{TOKEN}"')
    station = StationProcess(tmp_path, text).start()
    try:
        for token, code in ((None, 401), ("wrong", 401), (TOKEN, 200)):
            assert ask(station.port, "GET", "/api/status", token=token)[0] == code
        assert TOKEN not in station.log.read_text()
    finally:
        station.stop()
