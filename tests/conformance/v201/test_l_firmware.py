"""Firmware updates: signed (use case L01) and unsigned (L02)."""

import base64
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support.file_server import file_server
from support.tls import DAY, NOW, Authority, pem, server_context
from support.v201 import change, charging, stop, unplug

CONTENT = b"new firmware" * 1000


@pytest.fixture(scope="module")
def manufacturer():
    return Authority("manufacturer")


@pytest.fixture
def server():
    with file_server() as server:
        yield server


@dataclass
class Firmware:
    """What the CSMS offers, with or without a signature."""

    authority: Authority | None

    @property
    def verified(self) -> list[str]:
        """The statuses from the download to the verification."""
        told = ["Downloading", "Downloaded"]
        return told if self.authority is None else [*told, "SignatureVerified"]

    def of(self, location: str, content: bytes = CONTENT, **validity) -> dict[str, str]:
        if self.authority is None:
            return {"location": location}
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.authority.issue("firmware", key, **validity)
        signature = key.sign(content, ec.ECDSA(hashes.SHA256()))
        return {
            "location": location,
            "signingCertificate": pem(certificate).decode(),
            "signature": base64.b64encode(signature).decode(),
        }


def marked(*cases: str):
    """Both kinds of firmware; the cases of the document are about signed one."""
    return pytest.mark.parametrize(
        "signed", [pytest.param(True, marks=pytest.mark.tc(*cases), id="signed"), pytest.param(False, id="unsigned")]
    )


only_signed = pytest.mark.parametrize("signed", [True], ids=["signed"])


@pytest.fixture
def firmware(signed, manufacturer):
    return Firmware(manufacturer if signed else None)


@pytest.fixture
def start(setup, tmp_path, firmware):
    """Starts the station, with what it needs to check signatures."""

    def make(activation: str = "exit", install_s: float = 0, **options):
        sections = ""
        if firmware.authority is not None:
            (tmp_path / "manufacturer.pem").write_bytes(firmware.authority.pem)
            sections = f'[certificates]\nmanufacturer_root = ["{tmp_path / "manufacturer.pem"}"]'
        simulation = f'firmware_install_s = {install_s}\nfirmware_activation = "{activation}"'
        return setup.start(evses=2, sections=sections, simulation=simulation, **options)

    return make


def moment(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def update(
    csms, wanted: dict[str, str], number: int = 5, *, retrieve: float = -7200, install: float | None = -7200
) -> str:
    """The status of UpdateFirmware; times in seconds from now."""
    times = {"retrieveDateTime": moment(retrieve)}
    if install is not None:
        times["installDateTime"] = moment(install)
    return csms.call("UpdateFirmware", {"requestId": number, "retries": 0, "firmware": wanted | times})["status"]


def told(csms, *statuses: str, number: int = 5) -> None:
    for status in statuses:
        csms.expect("FirmwareStatusNotification", status=status, requestId=number)


def activated(setup, csms, number: int = 5) -> None:
    """RebootBeforeFirmwareActivation, and what the new firmware says."""
    told(csms, "InstallRebooting", number=number)
    setup.restart(wait=False)
    csms.expect("BootNotification", reason="FirmwareUpdate")
    csms.expect_all(
        ("StatusNotification", {"evseId": 1, "connectorStatus": "Available"}),
        ("StatusNotification", {"evseId": 2, "connectorStatus": "Available"}),
        ("FirmwareStatusNotification", {"status": "Installed", "requestId": number}),
        ("SecurityEventNotification", {"type": "FirmwareUpdated"}),
    )


def unavailable(csms, *evses: int) -> None:
    csms.expect_all(*[("StatusNotification", {"evseId": evse, "connectorStatus": "Unavailable"}) for evse in evses])


@marked("TC_L_01_CS")
@pytest.mark.req("L01.FR.01", "L01.FR.10", "L01.FR.20", "L02.FR.01", "L02.FR.06", "L02.FR.14")
@pytest.mark.req("L01.FR.04", "L01.FR.05", "L01.FR.12", "L01.FR.15", "L01.FR.21", "L01.FR.28", "L01.FR.31", "L01.FR.32")
@pytest.mark.req("L02.FR.02", "L02.FR.20", "L02.FR.21")
def test_tc_l_01_firmware_is_installed(setup, csms, start, firmware, server):
    start()
    assert update(csms, firmware.of(server.offer("/new.bin", CONTENT))) == "Accepted"
    told(csms, *firmware.verified)
    csms.expect_all(
        ("FirmwareStatusNotification", {"status": "Installing", "requestId": 5}),
        ("StatusNotification", {"evseId": 1, "connectorStatus": "Unavailable"}),
        ("StatusNotification", {"evseId": 2, "connectorStatus": "Unavailable"}),
    )
    activated(setup, csms)


@marked("TC_L_02_CS")
@pytest.mark.req("L01.FR.16", "L02.FR.10")
def test_tc_l_02_the_installation_is_scheduled(setup, csms, start, firmware, server):
    start()
    due = time.monotonic() + 2
    assert update(csms, firmware.of(server.offer("/new.bin", CONTENT)), install=2) == "Accepted"
    told(csms, *firmware.verified, "InstallScheduled", "Installing")
    assert time.monotonic() >= due - 0.1
    activated(setup, csms)


@marked("TC_L_03_CS")
@pytest.mark.req("L01.FR.13", "L02.FR.07")
def test_tc_l_03_the_download_is_scheduled(setup, csms, start, firmware, server):
    start()
    due = time.monotonic() + 2
    assert update(csms, firmware.of(server.offer("/new.bin", CONTENT)), retrieve=2) == "Accepted"
    told(csms, "DownloadScheduled", "Downloading")
    assert time.monotonic() >= due - 0.1
    told(csms, *firmware.verified[1:], "Installing")
    activated(setup, csms)


@marked()
def test_firmware_comes_over_https_from_a_server_that_the_system_trusts(csms, start, firmware, tmp_path, monkeypatch):
    authority = Authority("system")
    (tmp_path / "system.pem").write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    start(activation="in-process")
    with file_server(server_context(tmp_path, authority)) as server:
        assert update(csms, firmware.of(server.offer("/new.bin", CONTENT))) == "Accepted"
        told(csms, *firmware.verified, "Installing", "Installed")


@only_signed
@pytest.mark.tc("TC_L_05_CS")
@pytest.mark.req("L01.FR.02", "L01.FR.21", "L01.FR.22")
@pytest.mark.parametrize("fault", ["stranger", "expired"])
def test_tc_l_05_an_invalid_signing_certificate(csms, start, firmware, server, fault):
    start()
    location = server.offer("/new.bin", CONTENT)
    wanted = firmware.of(location, start=NOW - 9 * DAY, end=NOW - DAY)
    if fault == "stranger":
        wanted = Firmware(Authority("stranger")).of(location)
    assert update(csms, wanted) == "InvalidCertificate"
    csms.expect("SecurityEventNotification", type="InvalidFirmwareSigningCertificate")


@only_signed
@pytest.mark.tc("TC_L_06_CS")
@pytest.mark.req("L01.FR.03", "L01.FR.04")
def test_tc_l_06_an_invalid_signature(csms, start, firmware, server):
    start()
    assert update(csms, firmware.of(server.offer("/new.bin", b"tampered"), content=CONTENT)) == "Accepted"
    told(csms, "Downloading", "Downloaded")
    csms.expect_all(
        ("FirmwareStatusNotification", {"status": "InvalidSignature", "requestId": 5}),
        ("SecurityEventNotification", {"type": "InvalidFirmwareSignature"}),
    )


@marked("TC_L_07_CS")
@pytest.mark.req("L01.FR.30", "L02.FR.19")
def test_tc_l_07_the_download_fails(csms, start, firmware, server):
    start()
    assert update(csms, firmware.of(server.offer("/new.bin", CONTENT) + "_doesnotExist")) == "Accepted"
    told(csms, "Downloading", "DownloadFailed")


@marked("TC_L_08_CS")
@pytest.mark.req("L01.FR.29")
@pytest.mark.parametrize(
    ("content", "status"), [(b"CORRUPT", "InstallVerificationFailed"), (b"BROKEN", "InstallationFailed")]
)
def test_tc_l_08_the_installation_fails(csms, start, firmware, server, content, status):
    start()
    assert update(csms, firmware.of(server.offer("/new.bin", content), content)) == "Accepted"
    told(csms, *firmware.verified, "Installing")
    csms.expect_all(
        ("FirmwareStatusNotification", {"status": status, "requestId": 5}),
        ("StatusNotification", {"evseId": 1, "connectorStatus": "Available"}),
        ("StatusNotification", {"evseId": 2, "connectorStatus": "Available"}),
    )


@marked("TC_L_10_CS")
@pytest.mark.req("L01.FR.24", "L02.FR.15")
def test_tc_l_10_an_update_gives_way_to_another_one(setup, csms, start, firmware, server):
    start()
    location = server.offer("/new.bin", CONTENT)
    server.gate.clear()
    assert update(csms, firmware.of(location), 1) == "Accepted"
    told(csms, "Downloading", number=1)
    assert update(csms, firmware.of(location), 2) == "AcceptedCanceled"
    server.gate.set()
    told(csms, *firmware.verified, "Installing", number=2)
    activated(setup, csms, number=2)


@marked()
@pytest.mark.req("L01.FR.27", "L02.FR.18")
def test_an_installation_does_not_give_way(csms, start, firmware, server):
    start(install_s=3)
    location = server.offer("/new.bin", CONTENT)
    assert update(csms, firmware.of(location)) == "Accepted"
    told(csms, *firmware.verified, "Installing")
    assert update(csms, firmware.of(location), 6) == "Rejected"


@marked("TC_L_14_CS")
@pytest.mark.req("L01.FR.06", "L01.FR.34", "L02.FR.03", "L02.FR.23")
def test_tc_l_14_new_transactions_begin_while_the_installation_waits(setup, csms, start, firmware, server):
    station = start(variables={"ChargingStation/AllowNewSessionsPendingFirmwareUpdate": True})
    first = charging(csms, station)
    given = -7200 if firmware.authority is not None else None
    assert update(csms, firmware.of(server.offer("/new.bin", CONTENT)), install=given) == "Accepted"
    told(csms, *firmware.verified, "InstallScheduled")
    second = charging(csms, station, 2, "04BB")
    stop(csms, station, first)
    unplug(csms, station)
    csms.nothing("FirmwareStatusNotification", within=0.2)
    stop(csms, station, second, 2, "04BB")
    told(csms, "Installing")
    station.unplug(2)
    activated(setup, csms)


@marked("TC_L_15_CS")
@pytest.mark.req("L01.FR.06", "L01.FR.07", "L01.FR.34", "L02.FR.03", "L02.FR.04", "L02.FR.23")
def test_tc_l_15_no_transaction_begins_while_the_installation_waits(setup, csms, start, firmware, server):
    station = start()
    assert change(csms, "ChargingStation/AllowNewSessionsPendingFirmwareUpdate", False) == "Accepted"
    transaction = charging(csms, station)
    given = -7200 if firmware.authority is not None else None
    assert update(csms, firmware.of(server.offer("/new.bin", CONTENT)), install=given) == "Accepted"
    told(csms, *firmware.verified, "InstallScheduled")
    unavailable(csms, 2)
    stop(csms, station, transaction)
    told(csms, "Installing")
    station.unplug(1)
    activated(setup, csms)


@marked("TC_L_16_CS")
@pytest.mark.req("L01.FR.05", "L02.FR.02")
def test_tc_l_16_firmware_is_installed_while_somebody_charges(csms, start, firmware, server):
    station = start(activation="none")
    transaction = charging(csms, station)
    connections = csms.connections
    assert update(csms, firmware.of(server.offer("/new.bin", CONTENT))) == "Accepted"
    told(csms, *firmware.verified, "Installing")
    csms.wait_connection(connections + 1)
    csms.expect_all(
        ("FirmwareStatusNotification", {"status": "Installed", "requestId": 5}),
        ("SecurityEventNotification", {"type": "FirmwareUpdated"}),
    )
    assert station.transaction()["id"] == transaction


@only_signed
@pytest.mark.tc("TC_L_18_CS")
def test_tc_l_18_unsigned_firmware_is_refused_where_signatures_are_checked(csms, start, server):
    start()
    assert update(csms, {"location": server.offer("/new.bin", CONTENT)}) in ("Rejected", "InvalidCertificate")


@marked()
@pytest.mark.req("L01.FR.25", "L01.FR.26", "L02.FR.16", "L02.FR.17")
@pytest.mark.parametrize(
    ("missing", "expected"), [("", {"status": "Idle"}), ("_not", {"status": "DownloadFailed", "requestId": 5})]
)
def test_a_triggered_status(csms, start, firmware, server, missing, expected):
    start(activation="in-process")
    assert update(csms, firmware.of(server.offer("/new.bin", CONTENT) + missing)) == "Accepted"
    told(csms, "DownloadFailed" if missing else "Installed")
    assert csms.call("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})["status"] == "Accepted"
    assert csms.expect("FirmwareStatusNotification") == expected


# -- local controller -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("PublishFirmware", {"requestId": 1, "location": "http://127.0.0.1/x", "checksum": "0" * 32}),
        ("UnpublishFirmware", {"checksum": "0" * 32}),
    ],
)
@pytest.mark.usefixtures("station")
def test_a_station_that_is_no_local_controller_publishes_nothing(csms, action, payload):
    assert csms.call(action, payload) == "NotSupported"
    trigger = {"requestedMessage": "PublishFirmwareStatusNotification"}
    assert csms.call("TriggerMessage", trigger)["status"] == "NotImplemented"
