"""The whole program and a home-made CSMS: careless answers, no subprotocol, a token in the URL, a broker that hangs up."""

import json
import threading
from typing import Any

import pytest
from support.processes import StationProcess, station_file
from support.requests import ask
from websockets.sync.server import ServerConnection, serve

TIME = "2026-11-30T20:26:54.262064"
"""What datetime.utcnow().isoformat() gives."""


class CarelessCsms:
    """Answers as home-made CSMSs do; `kills` is an action at which it drops the connection."""

    def __init__(self, *, subprotocol: str | None = None, kills: str = "") -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.paths: list[str] = []
        self.offers: list[str] = []
        self._kills = kills
        subprotocols = [subprotocol] if subprotocol else None
        self._server = serve(self._serve, "127.0.0.1", 0, subprotocols=subprotocols)
        self.port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _serve(self, connection: ServerConnection) -> None:
        self.paths.append(connection.request.path)
        self.offers.append(connection.request.headers.get("Sec-WebSocket-Protocol", ""))
        for frame in connection:
            message = json.loads(frame)
            if message[0] == 2:
                self.calls.append((message[2], message[3]))
                if message[2] == self._kills:
                    connection.socket.close()
                    return
                connection.send(self._answer(message[1], message[2], message[3]))

    @staticmethod
    def _answer(message_id: str, action: str, payload: dict[str, Any]) -> str:
        info = {"status": "accepted", "expiryDate": None, "parentIdTag": None, "more": 1}
        payloads: dict[str, Any] = {
            "BootNotification": {"status": "Accepted", "currentTime": TIME, "interval": "60"},
            "Heartbeat": {"currentTime": TIME, "serverName": "home-made"},
            "Authorize": {"idTagInfo": info, "idTokenInfo": {"status": "ACCEPTED", "cacheExpiryDateTime": None}},
            "StartTransaction": {"transactionId": "4711", "idTagInfo": info},
            "StopTransaction": {"idTagInfo": None},
            "TransactionEvent": {"totalCost": None, "idTokenInfo": None},
        }
        return json.dumps([3, message_id, payloads.get(action)])

    def of(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.calls if name == action]

    def stop(self) -> None:
        self._server.shutdown()


@pytest.fixture
def careless():
    made: list[CarelessCsms] = []

    def make(**options) -> CarelessCsms:
        made.append(CarelessCsms(**options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def station_on(tmp_path):
    made: list[StationProcess] = []

    def make(port: int, version: str, *, url: str = "", variables=None) -> StationProcess:
        text = station_file(port, version, variables)
        if url:
            before = next(line for line in text.splitlines() if line.startswith("url"))
            text = text.replace(before, f'url = "{url}"')
        made.append(StationProcess(tmp_path, text).start())
        return made[-1]

    yield make
    for station in made:
        station.kill()


@pytest.mark.parametrize(("version", "subprotocol"), [("1.6", "ocpp1.6"), ("2.0.1", "ocpp2.0.1"), ("2.1", "ocpp2.1")])
def test_a_session_with_careless_answers_is_billed_once(careless, station_on, version, subprotocol):
    csms = careless(subprotocol=subprotocol)
    station = station_on(csms.port, version)
    station.wait_accepted()
    station.plug()
    station.card()
    station.wait_state("Charging")
    station.unplug()
    station.wait(lambda: station.status()["queues"]["transaction_messages"] == 0, "everything is delivered")
    if version == "1.6":
        assert len(csms.of("StartTransaction")) == 1
        assert [stop["transactionId"] for stop in csms.of("StopTransaction")] == [4711]
    else:
        numbers = [event["seqNo"] for event in csms.of("TransactionEvent")]
        assert numbers == list(range(len(numbers)))
    bent = station.status()["tolerated"]
    assert any("currentTime" in kind for kind in bent)
    assert all(count >= 1 for count in bent.values())


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_csms_that_names_no_version_is_spoken_to_in_the_only_one_offered(careless, station_on, version):
    csms = careless()
    station = station_on(csms.port, version)
    station.wait_accepted()
    assert csms.offers[-1] == f"ocpp{version}"
    assert station.status()["protocol_version"] == version


def test_a_token_in_the_url_stays_behind_the_identity(careless, station_on):
    csms = careless(subprotocol="ocpp2.0.1")
    station = station_on(csms.port, "2.0.1", url=f"ws://127.0.0.1:{csms.port}/ocpp?token=very-secret")
    station.wait_accepted()
    assert csms.paths[-1] == "/ocpp/CS001?token=very-secret"
    assert "very-secret" not in json.dumps(station.status())


def test_a_broker_that_hangs_up_at_one_message_does_not_keep_the_others(careless, station_on):
    csms = careless(subprotocol="ocpp2.0.1", kills="SecurityEventNotification")
    station = station_on(csms.port, "2.0.1")
    station.wait_for_log("died with SecurityEventNotification in flight")
    station.wait(lambda: len(csms.offers) == 3, "the next connection")
    station.wait(lambda: station.status()["connection"]["state"] == "connected", "it is open")
    station.plug()
    station.card()
    station.wait_state("Charging")
    station.wait(lambda: station.status()["queues"]["transaction_messages"] == 0, "everything is delivered")
    assert len(csms.of("SecurityEventNotification")) == 2


def test_the_local_api_answers_while_a_peer_floods(station_on):
    stop = threading.Event()

    def flood(connection: ServerConnection) -> None:
        while not stop.is_set():
            try:
                connection.socket.sendall(b"\x81\x03[2," * 4000)
            except OSError:
                return

    server = serve(flood, "127.0.0.1", 0, subprotocols=["ocpp2.0.1"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    station = station_on(server.socket.getsockname()[1], "2.0.1")
    station.wait_for_log("frames refused within a minute; the connection is closed")
    for _ in range(20):
        assert ask(station.port, "GET", "/api/status")[0] == 200
    assert station.status()["connection"]["closed_for_refused_frames"] >= 1
    stop.set()
    server.shutdown()
