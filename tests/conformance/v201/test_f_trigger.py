"""Remote control (block F): the CSMS asks for messages."""

import base64

import pytest
from support.file_server import file_server
from support.tls import Authority, pem
from support.v201 import charging, connect

OTHER = "04FFEEDDCCBBAA"
PLACE = {"id": 1, "connectorId": 1}

pytestmark = pytest.mark.req("F06.FR.04", "F06.FR.05", "F06.FR.10")


def trigger(csms, message: str, **evse: int) -> str:
    where = {"evse": evse} if evse else {}
    return csms.call("TriggerMessage", {"requestedMessage": message, **where})["status"]


def answered_first(csms, action: str) -> bool:
    """Whether the last answer of the station went out before the last call of that action."""
    frames = csms.frames
    answer = max(n for n, frame in enumerate(frames) if frame[0] == 3)
    call = max(n for n, frame in enumerate(frames) if frame[0] == 2 and frame[2] == action)
    return answer < call


@pytest.fixture
def server():
    with file_server() as server:
        yield server


# -- meter values and transactions ------------------------------------------------------------------------------------


@pytest.mark.tc("TC_F_11_CS")
@pytest.mark.req("F06.FR.02", "F06.FR.06", "F06.FR.09")
@pytest.mark.usefixtures("station")
def test_tc_f_11_meter_values_of_an_evse(csms):
    assert trigger(csms, "MeterValues", id=2) == "Accepted"
    values = csms.expect("MeterValues")
    assert values["evseId"] == 2
    assert values["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"
    assert answered_first(csms, "MeterValues")
    csms.nothing("MeterValues")


@pytest.mark.tc("TC_F_12_CS")
@pytest.mark.req("F06.FR.06", "F06.FR.11")
@pytest.mark.usefixtures("station")
def test_tc_f_12_meter_values_of_every_evse(csms):
    assert trigger(csms, "MeterValues") == "Accepted"
    told = csms.expect_all(("MeterValues", {"evseId": 1}), ("MeterValues", {"evseId": 2}))
    assert all(values["meterValue"][0]["sampledValue"][0]["context"] == "Trigger" for values in told)


def is_triggered(event: dict, evse: int, transaction: str) -> None:
    """A transaction event that was asked for, of somebody who charges."""
    assert event.get("evse", {}).get("id", evse) == evse
    assert event["triggerReason"] == "Trigger"
    assert event["transactionInfo"]["transactionId"] == transaction
    assert event["transactionInfo"]["chargingState"] == "Charging"
    assert event["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"


@pytest.mark.tc("TC_F_13_CS")
@pytest.mark.req("F06.FR.02", "F06.FR.07", "F06.FR.09")
def test_tc_f_13_the_transaction_of_an_evse(csms, station):
    transaction = charging(csms, station)
    charging(csms, station, 2, OTHER)
    assert trigger(csms, "TransactionEvent", id=1) == "Accepted"
    is_triggered(csms.expect("TransactionEvent"), 1, transaction)
    csms.nothing("TransactionEvent")


@pytest.mark.tc("TC_F_14_CS")
@pytest.mark.req("F06.FR.07", "F06.FR.11")
def test_tc_f_14_the_transactions_of_every_evse(csms, station):
    transactions = {1: charging(csms, station), 2: charging(csms, station, 2, OTHER)}
    assert trigger(csms, "TransactionEvent") == "Accepted"
    of = [("TransactionEvent", {"transactionInfo": {"transactionId": each}}) for each in transactions.values()]
    for evse, event in zip(transactions, csms.expect_all(*of), strict=True):
        is_triggered(event, evse, transactions[evse])
        assert "evse" not in event or event["evse"]["id"] == evse


# -- logs and firmware ------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_F_15_CS")
@pytest.mark.req("F06.FR.15")
@pytest.mark.usefixtures("station")
def test_tc_f_15_no_log_is_uploaded(csms):
    assert trigger(csms, "LogStatusNotification") == "Accepted"
    csms.expect("LogStatusNotification", status="Idle")


@pytest.mark.tc("TC_F_16_CS")
@pytest.mark.req("F06.FR.14")
@pytest.mark.usefixtures("station")
def test_tc_f_16_a_log_is_uploaded(csms, server):
    server.gate.clear()
    wish = {"logType": "DiagnosticsLog", "requestId": 7, "log": {"remoteLocation": server.url}}
    assert csms.call("GetLog", wish)["status"] == "Accepted"
    csms.expect("LogStatusNotification", status="Uploading")
    assert trigger(csms, "LogStatusNotification") == "Accepted"
    csms.expect("LogStatusNotification", status="Uploading", requestId=7)
    server.gate.set()


@pytest.mark.tc("TC_F_17_CS")
@pytest.mark.req("F06.FR.03", "F06.FR.16")
@pytest.mark.usefixtures("station")
def test_tc_f_17_an_evse_that_means_nothing_to_the_message(csms):
    assert trigger(csms, "FirmwareStatusNotification", id=1) == "Accepted"
    csms.expect("FirmwareStatusNotification", status="Idle")


@pytest.mark.tc("TC_F_18_CS")
@pytest.mark.req("F06.FR.16", "L01.FR.25")
@pytest.mark.usefixtures("station")
def test_tc_f_18_no_firmware_is_updated(csms):
    assert trigger(csms, "FirmwareStatusNotification") == "Accepted"
    csms.expect("FirmwareStatusNotification", status="Idle")


@pytest.mark.tc("TC_F_19_CS")
@pytest.mark.req("L01.FR.26")
def test_tc_f_19_firmware_is_downloaded(setup, csms, tmp_path, server):
    manufacturer = Authority("manufacturer")
    root = tmp_path / "manufacturer.pem"
    root.write_bytes(manufacturer.pem)
    setup.start(sections=f'[certificates]\nmanufacturer_root = ["{root}"]')
    signed_badly = {
        "location": server.offer("/new.bin", b"new firmware"),
        "retrieveDateTime": "2026-01-01T00:00:00Z",
        "signingCertificate": pem(manufacturer.issue("firmware")).decode(),
        "signature": base64.b64encode(b"not a signature").decode(),
    }
    server.gate.clear()
    assert csms.call("UpdateFirmware", {"requestId": 5, "firmware": signed_badly})["status"] == "Accepted"
    csms.expect("FirmwareStatusNotification", status="Downloading")
    assert trigger(csms, "FirmwareStatusNotification") == "Accepted"
    csms.expect("FirmwareStatusNotification", status="Downloading", requestId=5)
    server.gate.set()
    csms.expect("FirmwareStatusNotification", status="Downloaded")
    csms.expect("FirmwareStatusNotification", status="InvalidSignature")


# -- the station ------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_F_20_CS")
@pytest.mark.usefixtures("station")
def test_tc_f_20_a_heartbeat(csms):
    assert trigger(csms, "Heartbeat") == "Accepted"
    csms.expect("Heartbeat")
    assert answered_first(csms, "Heartbeat")


@pytest.mark.req("F06.FR.02", "F06.FR.09")
@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Available", marks=pytest.mark.tc("TC_F_23_CS")),
        pytest.param("Occupied", marks=pytest.mark.tc("TC_F_24_CS")),
    ],
)
def test_tc_f_23_24_the_status_of_a_connector(csms, station, status):
    if status == "Occupied":
        connect(csms, station)
    csms.mark()
    assert trigger(csms, "StatusNotification", **PLACE) == "Accepted"
    csms.expect("StatusNotification", connectorStatus=status, evseId=1, connectorId=1)
    assert answered_first(csms, "StatusNotification")


@pytest.mark.tc("TC_F_26_CS")
@pytest.mark.req("F06.FR.17")
@pytest.mark.usefixtures("station")
def test_tc_f_26_no_boot_once_accepted(csms):
    assert trigger(csms, "BootNotification") == "Rejected"
    csms.nothing("BootNotification")


@pytest.mark.tc("TC_F_27_CS")
@pytest.mark.req("F06.FR.08")
@pytest.mark.usefixtures("station")
def test_tc_f_27_what_the_station_does_not_know(csms):
    assert trigger(csms, "SignCombinedCertificate") == "NotImplemented"
