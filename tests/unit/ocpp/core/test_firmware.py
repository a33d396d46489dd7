"""Firmware updates from request to activation, in every version, from a real HTTP server."""

import asyncio
import base64
import contextlib
import datetime
import hashlib
import stat
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from support.file_server import file_server
from support.ocsp import responder
from support.station import StationUnderTest
from support.tls import DAY, NOW, Authority, pem

from ocpp.charge_point import InstallOutcome
from ocpp.clock import ManualClock
from ocpp.core import file_transfer
from ocpp.security.certificate_folder import Kind
from ocpp.storage.security_events import SecurityEventRepository
from ocpp.storage.state import StateRepository
from ocpp.versions import OcppVersion

V16, V201 = OcppVersion.V16, OcppVersion.V201
CONTENT = b"new firmware" * 1000

SIGNED = ["Downloading", "Downloaded", "SignatureVerified", "Installing"]


class Installer:
    """Installs as the test wishes."""

    def __init__(self, outcome=InstallOutcome.INSTALLED, *, interrupts=True, confirmed=True) -> None:
        self.outcome = outcome
        self.interrupts = interrupts
        self.reconnects = False
        self.confirmed = confirmed
        self.images: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def install(self, image):
        self.images.append(image.read_bytes())
        await self.gate.wait()
        return self.outcome

    async def confirm(self):
        return self.confirmed


@pytest.fixture
def server():
    with file_server() as server:
        yield server


@pytest.fixture(params=[V16, V201], ids=str)
def version(request):
    return request.param


@pytest.fixture(scope="module")
def manufacturer():
    return Authority("manufacturer")


@pytest.fixture
async def make_station(tmp_path, version):
    made: list[StationUnderTest] = []

    async def make(installer=None, *, secure=None, start=True, **options) -> StationUnderTest:
        options.setdefault("clock", ManualClock(start=NOW))
        station = StationUnderTest(tmp_path, version, installer=installer or Installer(), evses=2, **options)
        made.append(station)
        if secure is not None:
            store = station.charge_point.strategy.context.certificates.store
            store.put(Kind.MANUFACTURER_ROOT, [secure.certificate])
        return await station.start() if start else station

    yield make
    for station in made:
        await station.stop()


async def ask(station, action, payload):
    if await station.csms.call(station.clock, action, payload) is None:
        await until(station, lambda: station.csms.answer_to_last_call)
    answer = station.csms.answer_to_last_call
    assert answer[0] == 3, answer
    return answer[2]


def iso(moment):
    return moment.isoformat().replace("+00:00", "Z")


def signed(authority, content=CONTENT, *, chain=False, **validity):
    key = ec.generate_private_key(ec.SECP256R1())
    certificates = [authority.issue("firmware", key, **validity), *([authority.certificate] if chain else [])]
    signature = key.sign(content, ec.ECDSA(hashes.SHA256()))
    return {"signingCertificate": pem(*certificates).decode(), "signature": base64.b64encode(signature).decode()}


async def update(station, location, *, firmware=None, request_id=7, after=-2, install_after=None, **more):
    """UpdateFirmware of 2.x, SignedUpdateFirmware of 1.6; times in hours from now."""
    at = station.clock.now() + datetime.timedelta(hours=after)
    wanted = {"location": location, "retrieveDateTime": iso(at), **(firmware or {})}
    if install_after is not None:
        wanted["installDateTime"] = iso(station.clock.now() + datetime.timedelta(hours=install_after))
    action = "SignedUpdateFirmware" if station.version is V16 else "UpdateFirmware"
    return (await ask(station, action, {"requestId": request_id, "firmware": wanted, **more}))["status"]


def messages(station):
    return station.csms.of(
        "SignedFirmwareStatusNotification" if station.version is V16 else "FirmwareStatusNotification"
    )


def told(station):
    return [each["status"] for each in messages(station)]


async def until(station, condition):
    """Downloads run in a thread: let it, the loop and, a little, the clock go on."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.002)
        await station.clock.advance(0.06)
    raise AssertionError((told(station), station.csms.actions))


async def until_told(station, *statuses):
    await until(station, lambda: told(station) == list(statuses))


def events(station):
    return [event.type for event in SecurityEventRepository(station.database).all()]


def connector_statuses(station):
    key = "status" if station.version is V16 else "connectorStatus"
    return [each[key] for each in station.csms.of("StatusNotification") if each.get("connectorId") != 0]


@pytest.mark.req("L01.FR.01", "L01.FR.05", "L01.FR.10", "L01.FR.12", "L01.FR.20", "L01.FR.28", "L01.FR.31")
@pytest.mark.req("1.6-L01.FR.01", "1.6-L01.FR.05", "1.6-L01.FR.09", "1.6-L01.FR.10", "1.6-L01.FR.12", "1.6-L01.FR.21")
async def test_signed_firmware_is_installed(make_station, manufacturer, server):
    installer = Installer()
    station = await make_station(installer, secure=manufacturer)
    location = server.offer("/new.bin", CONTENT)
    assert await update(station, location, firmware=signed(manufacturer)) == "Accepted"
    await until_told(station, *SIGNED, "Installed")
    assert {each["requestId"] for each in messages(station)} == {7}
    assert installer.images == [CONTENT]
    await until(station, lambda: events(station)[-1] == "FirmwareUpdated")
    assert connector_statuses(station)[-4:] == ["Unavailable", "Unavailable", "Available", "Available"]


@pytest.mark.req("L01.FR.15", "L01.FR.32", "1.6-L01.FR.15", "1.6-L01.FR.22")
async def test_a_restart_is_announced_and_the_new_firmware_reports_itself(make_station, manufacturer, server):
    station = await make_station(Installer(InstallOutcome.NEEDS_RESTART), secure=manufacturer)
    await update(station, server.offer("/new.bin", CONTENT), firmware=signed(manufacturer))
    await until_told(station, *SIGNED, "InstallRebooting")
    await station.clock.advance(10)
    assert station.restarts == ["FirmwareUpdate"]
    await station.stop()
    again = await make_station(Installer(), firmware_version="2.0")
    await again.clock.advance(1)
    assert told(again) == ["Installed"]
    assert messages(again)[0]["requestId"] == 7
    assert "FirmwareUpdated" in events(again)
    if again.version is V201:
        assert again.csms.of("BootNotification")[0]["reason"] == "FirmwareUpdate"


async def test_a_new_firmware_that_does_not_run_is_told(make_station, manufacturer, server):
    station = await make_station(Installer(InstallOutcome.NEEDS_RESTART), secure=manufacturer)
    await update(station, server.offer("/new.bin", CONTENT), firmware=signed(manufacturer))
    await until_told(station, *SIGNED, "InstallRebooting")
    await station.clock.advance(10)
    await station.stop()
    again = await make_station(Installer(confirmed=False))
    assert told(again) == ["InstallationFailed"]
    assert "FirmwareUpdated" not in events(again)


@pytest.mark.req("L01.FR.13", "1.6-L01.FR.13")
async def test_a_download_in_the_future_is_scheduled(make_station, manufacturer, server):
    station = await make_station(secure=manufacturer)
    location = server.offer("/new.bin", CONTENT)
    await update(station, location, firmware=signed(manufacturer), after=2)
    await until_told(station, "DownloadScheduled")
    await station.clock.advance(7000)
    assert server.requests == []
    await station.clock.advance(300)
    await until_told(station, "DownloadScheduled", *SIGNED, "Installed")


@pytest.mark.req("L01.FR.16", "1.6-L01.FR.16", "1.6-L01.FR.17")
async def test_an_installation_in_the_future_is_scheduled_and_survives_a_power_cut(make_station, manufacturer, server):
    station = await make_station(secure=manufacturer)
    location = server.offer("/new.bin", CONTENT)
    await update(station, location, firmware=signed(manufacturer), install_after=2)
    await until_told(station, *SIGNED[:3], "InstallScheduled")
    await station.stop()
    installer = Installer()
    again = await make_station(installer, clock=ManualClock(start=NOW + datetime.timedelta(hours=1)))
    await again.settle()
    assert installer.images == []
    again.csms.calls.clear()
    await again.clock.advance(3700)
    await until_told(again, "Installing", "Installed")
    assert installer.images == [CONTENT]


@pytest.mark.req(
    "L01.FR.06", "L01.FR.07", "L01.FR.34", "1.6-L01.FR.06", "1.6-L01.FR.07", "1.6-L01.FR.18", "1.6-L01.FR.19"
)
async def test_it_waits_for_transactions_and_nobody_begins_meanwhile(make_station, manufacturer, server):
    variables = {"ChargingStation/AllowNewSessionsPendingFirmwareUpdate": "false"}
    station = await make_station(secure=manufacturer, variables=variables)
    await station.charge(1)
    location = server.offer("/new.bin", CONTENT)
    await update(station, location, firmware=signed(manufacturer))
    await until_told(station, *SIGNED[:3], "InstallScheduled")
    assert station.charge_point.evses[2].held
    assert not station.charge_point.evses[1].held
    await station.charge(2)
    assert not station.charge_point.evses[2].in_use
    await station.unplug(1)
    await until_told(station, *SIGNED[:3], "InstallScheduled", "Installing", "Installed")
    assert not station.charge_point.evses[1].held


@pytest.mark.req("L01.FR.07")
async def test_others_may_begin_where_that_is_allowed(make_station, manufacturer, server, version):
    station = await make_station(secure=manufacturer)
    await station.charge(1)
    await update(station, server.offer("/new.bin", CONTENT), firmware=signed(manufacturer))
    await until_told(station, *SIGNED[:3], "InstallScheduled")
    await station.charge(2)
    assert station.charge_point.evses[2].in_use is (version is V201)


async def test_an_installer_that_needs_no_standstill_does_not_wait(make_station, manufacturer, server):
    station = await make_station(Installer(interrupts=False), secure=manufacturer)
    await station.charge(1)
    await update(station, server.offer("/new.bin", CONTENT), firmware=signed(manufacturer))
    await until_told(station, *SIGNED, "Installed")
    assert station.charge_point.evses[1].in_use
    assert "Unavailable" not in connector_statuses(station)


@pytest.mark.req("L01.FR.33", "L02.FR.22")
@pytest.mark.parametrize("kind", ["signed", "unsigned"])
async def test_the_restart_waits_for_transactions(make_station, manufacturer, server, kind):
    installer = Installer(InstallOutcome.NEEDS_RESTART, interrupts=False)
    station = await make_station(installer, secure=manufacturer if kind == "signed" else None)
    await station.charge(1)
    location = server.offer("/new.bin", CONTENT)
    if kind == "signed":
        await update(station, location, firmware=signed(manufacturer))
    else:
        await plain_update(station, location)
    await until(station, lambda: "Installing" in (*told(station), *plain_told(station)))
    await station.clock.advance(60)
    assert station.restarts == []
    await station.unplug(1)
    await station.clock.advance(10)
    assert station.restarts == ["FirmwareUpdate"]


def nothing_signed(manufacturer):
    return {}


def by_a_stranger(manufacturer):
    return signed(Authority("stranger"))


def run_out(manufacturer):
    return signed(manufacturer, start=NOW - 9 * DAY, end=NOW - DAY)


def for_something_else(manufacturer):
    return signed(manufacturer, purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))


def by_one_that_may_not_sign_others(manufacturer):
    return signed(Authority("intermediate", under=manufacturer, usage=("digital_signature",)), chain=True)


def no_certificate(manufacturer):
    return {"signingCertificate": "no certificate", "signature": "AAAA"}


@pytest.mark.req("L01.FR.02", "L01.FR.21", "L01.FR.22", "1.6-L01.FR.02", "1.6-L01.FR.23", "1.6-L01.FR.24")
@pytest.mark.parametrize(
    "make",
    [nothing_signed, by_a_stranger, run_out, for_something_else, by_one_that_may_not_sign_others, no_certificate],
)
async def test_a_signer_that_is_not_good_is_refused(make_station, manufacturer, server, make, version):
    if version is V16 and make is nothing_signed:
        return  # the schema of SignedUpdateFirmware demands both
    station = await make_station(secure=manufacturer)
    assert await update(station, server.url, firmware=make(manufacturer)) == "InvalidCertificate"
    await station.settle()
    assert [each["type"] for each in station.csms.of("SecurityEventNotification")][-1] == (
        "InvalidFirmwareSigningCertificate"
    )
    assert told(station) == []


@pytest.mark.req("1.6-L01.FR.25", "1.6-A00.FR.504")
@pytest.mark.parametrize("status", ["revoked", "good", "unreachable"])
async def test_a_signer_that_was_revoked_is_refused(make_station, manufacturer, server, status):
    station = await make_station(secure=manufacturer)
    with responder(manufacturer, status, NOW) as url:
        firmware = signed(manufacturer, ocsp=url)
        answer = await update(station, server.offer("/n", CONTENT), firmware=firmware)
    assert answer == ("RevokedCertificate" if status == "revoked" else "Accepted")
    await station.settle()
    assert (events(station)[-1] == "InvalidFirmwareSigningCertificate") == (status == "revoked")


@pytest.mark.req("L01.FR.03", "L01.FR.04", "1.6-L01.FR.03", "1.6-L01.FR.04")
@pytest.mark.parametrize("broken", ["content", "not base64"])
async def test_a_signature_that_does_not_hold_ends_the_update(make_station, manufacturer, server, broken):
    installer = Installer()
    station = await make_station(installer, secure=manufacturer)
    firmware = signed(manufacturer, b"another content")
    if broken == "not base64":
        firmware["signature"] = "***"
    await update(station, server.offer("/new.bin", CONTENT), firmware=firmware)
    await until_told(station, "Downloading", "Downloaded", "InvalidSignature")
    await until(station, lambda: "InvalidFirmwareSignature" in events(station))
    assert installer.images == []


@pytest.mark.req("L01.FR.30", "L02.FR.19")
async def test_a_file_that_is_not_there_fails_the_download(make_station, manufacturer, server):
    station = await make_station(secure=manufacturer)
    location = server.offer("/new.bin", CONTENT) + "_does_not_exist"
    await update(station, location, firmware=signed(manufacturer))
    await until_told(station, "Downloading", "DownloadFailed")


async def test_a_download_is_tried_again_as_often_as_asked(make_station, manufacturer, server):
    station = await make_station(secure=manufacturer)
    server.answers = [500, 500]
    location = server.offer("/new.bin", CONTENT)
    await update(station, location, firmware=signed(manufacturer), retries=2, retryInterval=10)
    for attempt in (1, 2):
        await until(station, lambda attempt=attempt: len(server.requests) == attempt)
        await asyncio.sleep(0.05)
        await station.clock.advance(11)
    await until_told(station, *SIGNED, "Installed")


async def test_after_the_last_attempt_the_download_has_failed(make_station, manufacturer, server):
    station = await make_station(secure=manufacturer)
    server.answers = [500]
    await update(station, server.offer("/n", CONTENT), firmware=signed(manufacturer), retries=0)
    await until_told(station, "Downloading", "DownloadFailed")


async def test_a_download_cut_short_has_failed(make_station, manufacturer, server):
    station = await make_station(secure=manufacturer)
    server.missing_bytes = 10
    await update(station, server.offer("/n", CONTENT), firmware=signed(manufacturer), retries=0)
    await until_told(station, "Downloading", "DownloadFailed")


async def test_a_file_without_end_or_a_full_disk_fails_the_download(make_station, manufacturer, server, monkeypatch):
    monkeypatch.setattr(file_transfer, "MAX_DOWNLOAD_BYTES", 100)
    station = await make_station(secure=manufacturer)
    await update(station, server.offer("/n", CONTENT), firmware=signed(manufacturer), retries=0)
    await until_told(station, "Downloading", "DownloadFailed")


@pytest.mark.req("L01.FR.29")
@pytest.mark.parametrize("outcome", [InstallOutcome.VERIFICATION_FAILED, InstallOutcome.FAILED])
async def test_an_installation_that_fails_is_told_and_service_goes_on(make_station, manufacturer, server, outcome):
    station = await make_station(Installer(outcome), secure=manufacturer)
    await update(station, server.offer("/n", CONTENT), firmware=signed(manufacturer))
    await until_told(station, *SIGNED, outcome.value)
    await station.charge(1)
    assert station.charge_point.evses[1].in_use


@pytest.mark.req("L01.FR.24", "1.6-L01.FR.26")
async def test_a_download_gives_way_to_another_update(make_station, manufacturer, server):
    station = await make_station(secure=manufacturer)
    location = server.offer("/n", CONTENT)
    server.gate.clear()
    await update(station, location, firmware=signed(manufacturer))
    await until_told(station, "Downloading")
    assert await update(station, location, firmware=signed(manufacturer), request_id=8) == "AcceptedCanceled"
    server.gate.set()
    await until_told(station, "Downloading", *SIGNED, "Installed")
    assert [each["requestId"] for each in messages(station)] == [7, 8, 8, 8, 8, 8]


@pytest.mark.req("L01.FR.27", "1.6-L01.FR.27", "B11.FR.06", "B12.FR.10")
async def test_an_installation_does_not_give_way(make_station, manufacturer, server):
    installer = Installer()
    installer.gate.clear()
    station = await make_station(installer, secure=manufacturer)
    location = server.offer("/n", CONTENT)
    await update(station, location, firmware=signed(manufacturer))
    await until_told(station, *SIGNED)
    assert await update(station, location, firmware=signed(manufacturer), request_id=8) == "Rejected"
    kind = {"type": "Soft"} if station.version is V16 else {"type": "Immediate"}
    assert (await ask(station, "Reset", kind))["status"] == "Rejected"
    installer.gate.set()
    await until_told(station, *SIGNED, "Installed")


async def test_a_power_cut_during_the_installation_repeats_it_once(make_station, manufacturer, server):
    installer = Installer()
    installer.gate.clear()
    station = await make_station(installer, secure=manufacturer)
    await update(station, server.offer("/n", CONTENT), firmware=signed(manufacturer))
    await until(station, lambda: installer.images)
    await station.stop()
    second = Installer()
    second.gate.clear()
    station = await make_station(second)
    await until(station, lambda: second.images)
    assert second.images == [CONTENT]
    await station.stop()
    station = await make_station(Installer())
    await until_told(station, "InstallationFailed")


async def test_a_tool_that_restarts_the_machine_itself_is_believed_by_the_version(make_station, manufacturer, server):
    installer = Installer()
    installer.gate.clear()
    station = await make_station(installer, secure=manufacturer)
    await update(station, server.offer("/n", CONTENT), firmware=signed(manufacturer))
    await until(station, lambda: installer.images)
    await station.stop()
    station = await make_station(Installer(), firmware_version="2.0")
    await until_told(station, "Installed")


async def test_what_happened_offline_is_told_in_order_later(make_station, manufacturer, server):
    station = await make_station(secure=manufacturer)
    location = server.offer("/n", CONTENT)
    await update(station, location, firmware=signed(manufacturer), after=1)
    await until_told(station, "DownloadScheduled")
    await station.disconnect()
    await station.clock.advance(3700)
    await until(station, lambda: "FirmwareUpdated" in events(station))
    await station.reconnect()
    await until_told(station, "DownloadScheduled", *SIGNED, "Installed")


@pytest.mark.req("L01.FR.25", "L01.FR.26", "1.6-L01.FR.28", "1.6-L01.FR.29")
@pytest.mark.parametrize("there", [True, False], ids=["after success", "after a failure"])
async def test_a_triggered_status(make_station, manufacturer, server, there):
    station = await make_station(secure=manufacturer)
    location = server.offer("/n", CONTENT) + ("" if there else "_not")
    await update(station, location, firmware=signed(manufacturer))
    await until(station, lambda: told(station)[-1:] == ["Installed" if there else "DownloadFailed"])
    action = "ExtendedTriggerMessage" if station.version is V16 else "TriggerMessage"
    await ask(station, action, {"requestedMessage": "FirmwareStatusNotification"})
    await station.settle()
    expected = {"status": "Idle"} if there else {"status": "DownloadFailed", "requestId": 7}
    assert messages(station)[-1] == expected


# -- unsigned ---------------------------------------------------------------------------------------------------------


async def plain_update(station, location):
    if station.version is V201:
        return await update(station, location)
    return await ask(station, "UpdateFirmware", {"location": location, "retrieveDate": iso(station.clock.now())})


def plain_told(station):
    return [each["status"] for each in station.csms.of("FirmwareStatusNotification")]


@pytest.mark.req("L02.FR.01", "L02.FR.02", "L02.FR.06", "L02.FR.14", "L02.FR.20", "1.6-4.5", "1.6-5.19")
async def test_without_a_manufacturer_root_unsigned_firmware_is_installed(make_station, server):
    station = await make_station()
    assert await plain_update(station, server.offer("/n", CONTENT)) in ("Accepted", {})
    await until(station, lambda: plain_told(station)[-1:] == ["Installed"])
    assert plain_told(station) == ["Downloading", "Downloaded", "Installing", "Installed"]


@pytest.mark.req("1.6-L01.FR.20")
async def test_with_one_unsigned_firmware_is_refused(make_station, manufacturer, server, version):
    station = await make_station(secure=manufacturer)
    location = server.offer("/n", CONTENT)
    if version is V201:
        assert await plain_update(station, location) == "InvalidCertificate"
        return
    answer = await station.csms.call(
        station.clock, "UpdateFirmware", {"location": location, "retrieveDate": iso(station.clock.now())}
    )
    assert answer[:1] + answer[2:3] == [4, "NotSupported"]


async def test_without_an_installer_no_update_is_possible(tmp_path, version):
    station = await StationUnderTest(tmp_path, version).start()
    try:
        if version is V201:
            assert await update(station, "http://127.0.0.1/x") == "Rejected"
        else:
            payload = {"location": "http://127.0.0.1/x", "retrieveDate": iso(station.clock.now())}
            answer = await station.csms.call(station.clock, "UpdateFirmware", payload)
            assert answer[0] == 4
    finally:
        await station.stop()


# -- what was verified is what is installed -----------------------------------------------------------------------------


class Stalling:
    """A server whose first download stops in the middle, with bytes on the way, until it is told to go on."""

    def __init__(self, first, second):
        self.contents = [first, second]
        self.go_on, self.half = threading.Event(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                content = outer.contents.pop(0) if len(outer.contents) > 1 else outer.contents[0]
                stalls = len(outer.contents) == 1 and not outer.half.is_set()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    if not stalls:
                        self.wfile.write(content)
                        return
                    self.wfile.write(content[:5000])
                    self.wfile.flush()
                    outer.half.set()
                    outer.go_on.wait(20)
                    self.wfile.write(content[5000:])

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/new.bin"

    def close(self):
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()


async def test_a_download_that_was_replaced_cannot_write_into_what_was_verified(make_station, manufacturer, tmp_path):
    stalling = Stalling(b"evil" * 10_000, CONTENT)
    installer = Installer()
    installer.gate.clear()
    station = await make_station(installer, secure=manufacturer)
    try:
        await update(station, stalling.url, firmware=signed(manufacturer))
        await until(station, stalling.half.is_set)
        answer = await update(station, stalling.url, firmware=signed(manufacturer), request_id=8, install_after=1)
        assert answer == "AcceptedCanceled"
        await until(station, lambda: told(station)[-1:] == ["InstallScheduled"])
        stalling.go_on.set()
        await asyncio.sleep(0.1)
        await station.clock.advance(3700)
        await until(station, lambda: installer.images)
        assert installer.images == [CONTENT]
        (image,) = (tmp_path / "firmware").iterdir()
        assert image.read_bytes() == CONTENT
    finally:
        installer.gate.set()
        stalling.close()


@pytest.mark.parametrize("kind", ["signed", "unsigned"])
async def test_an_image_that_is_altered_after_it_was_verified_is_not_installed(
    make_station, manufacturer, server, tmp_path, kind
):
    installer = Installer()
    station = await make_station(installer, secure=manufacturer if kind == "signed" else None)
    location = server.offer("/new.bin", CONTENT)
    if kind == "unsigned" and station.version is V16:
        return  # UpdateFirmware of 1.6 has no time of its own for the installation
    firmware = signed(manufacturer) if kind == "signed" else {}
    await update(station, location, firmware=firmware, install_after=2)
    await until(station, lambda: told(station)[-1:] == ["InstallScheduled"])
    (image,) = (tmp_path / "firmware").iterdir()
    assert image.name == hashlib.sha256(CONTENT).hexdigest() + ".bin"
    assert stat.S_IMODE(image.stat().st_mode) == 0o400
    image.chmod(0o600)
    image.write_bytes(b"evil" * 3000)
    await station.clock.advance(7300)
    await until(station, lambda: told(station)[-1:] == ["InstallVerificationFailed"])
    await until(station, lambda: events(station)[-1] == "InvalidFirmwareSignature")
    assert installer.images == []


async def test_an_image_that_is_altered_while_the_station_is_off_is_not_installed(
    make_station, manufacturer, server, tmp_path
):
    station = await make_station(secure=manufacturer)
    await update(station, server.offer("/n", CONTENT), firmware=signed(manufacturer), install_after=2)
    await until(station, lambda: told(station)[-1:] == ["InstallScheduled"])
    await station.stop()
    (image,) = (tmp_path / "firmware").iterdir()
    image.unlink()
    image.write_bytes(b"evil" * 3000)
    installer = Installer()
    again = await make_station(installer, clock=ManualClock(start=NOW + datetime.timedelta(hours=3)))
    await until(again, lambda: told(again)[-1:] == ["InstallVerificationFailed"])
    assert installer.images == []


async def test_an_update_of_a_release_that_did_not_name_its_image_is_downloaded_again(
    make_station, manufacturer, server, tmp_path
):
    station = await make_station(secure=manufacturer)
    await update(station, server.offer("/n", CONTENT), firmware=signed(manufacturer), install_after=2)
    await until(station, lambda: told(station)[-1:] == ["InstallScheduled"])
    await station.stop()
    state = StateRepository((await make_station(start=False)).database)
    stored = state.get("firmware_update")
    del stored["image"]
    state.put("firmware_update", stored)
    (tmp_path / "firmware" / "firmware.bin").write_bytes(b"evil")
    installer = Installer()
    again = await make_station(installer, clock=ManualClock(start=NOW + datetime.timedelta(hours=3)))
    await until(again, lambda: installer.images)
    assert installer.images == [CONTENT]


async def test_a_stop_does_not_wait_for_a_download(make_station, manufacturer, server):
    station = await make_station(secure=manufacturer)
    server.gate.clear()
    await update(station, server.offer("/n", CONTENT), firmware=signed(manufacturer))
    await until_told(station, "Downloading")
    began = time.monotonic()
    await station.stop()
    assert time.monotonic() - began < 2


async def test_firmware_is_not_fetched_from_where_it_must_not(make_station, manufacturer, server):
    station = await make_station(secure=manufacturer, barred=lambda address, port: "the station's own API")
    await update(station, server.offer("/n", CONTENT), firmware=signed(manufacturer))
    await until_told(station, "Downloading", "DownloadFailed")
    assert server.requests == []
