"""Certificates that the CSMS installs, lists, deletes and signs, in 1.6 and 2.x alike."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from support.station import StationUnderTest
from support.tls import DAY, NOW, Authority, pem

from ocpp.clock import ManualClock
from ocpp.connectivity import NetworkProfile
from ocpp.security import certificates
from ocpp.security.certificate_folder import Kind
from ocpp.security.certificate_store import CertificateStore
from ocpp.storage.security_events import SecurityEventRepository
from ocpp.versions import OcppVersion

V16, V201 = OcppVersion.V16, OcppVersion.V201
CSMS_ROOT = {V16: "CentralSystemRootCertificate", V201: "CSMSRootCertificate"}
INVALID_OWN = {V16: "InvalidChargePointCertificate", V201: "InvalidChargingStationCertificate"}


@pytest.fixture(params=[V16, V201], ids=str)
def version(request):
    return request.param


@pytest.fixture
async def make_station(tmp_path, version):
    made: list[StationUnderTest] = []

    async def make(*, security_profile=0, folder="station", start=True, **options) -> StationUnderTest:
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        scheme = "wss" if security_profile >= 2 else "ws"
        profile = NetworkProfile(slot=1, url=f"{scheme}://csms", version=version, security_profile=security_profile)
        options.setdefault("variables", {})
        options.setdefault("clock", ManualClock(start=NOW))
        station = StationUnderTest(path, version, profiles=[profile], **options)
        made.append(station)
        return await station.start() if start else station

    yield make
    for station in made:
        await station.stop()


@pytest.fixture
async def station(make_station):
    return await make_station()


@pytest.fixture(scope="module")
def root():
    return Authority("CSMS root")


async def ask(station, action, payload):
    answer = await station.csms.call(station.clock, action, payload)
    assert answer[0] == 3, answer
    return answer[2]


async def install(station, certificate, kind=None):
    payload = {"certificateType": kind or CSMS_ROOT[station.version], "certificate": pem(certificate).decode()}
    return (await ask(station, "InstallCertificate", payload))["status"]


async def installed(station, *kinds):
    if station.version is V16:
        found = []
        for kind in kinds or ("CentralSystemRootCertificate", "ManufacturerRootCertificate"):
            answer = await ask(station, "GetInstalledCertificateIds", {"certificateType": kind})
            found += answer.get("certificateHashData", [])
        return found
    payload = {"certificateType": list(kinds)} if kinds else {}
    answer = await ask(station, "GetInstalledCertificateIds", payload)
    return [each["certificateHashData"] for each in answer.get("certificateHashDataChain", [])]


async def delete(station, data):
    return (await ask(station, "DeleteCertificate", {"certificateHashData": data}))["status"]


def hash_of(certificate, issuer=None, algorithm="SHA256"):
    data = certificates.hash_data(certificate, issuer, algorithm)
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": data.issuer_name_hash,
        "issuerKeyHash": data.issuer_key_hash,
        "serialNumber": data.serial_number,
    }


async def trigger(station):
    if station.version is V16:
        answer = await ask(station, "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})
    else:
        answer = await ask(station, "TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})
    await station.settle()
    return answer["status"]


async def give(station, *chain):
    payload = {"certificateChain": pem(*chain).decode()}
    return (await ask(station, "CertificateSigned", payload))["status"]


def store(station) -> CertificateStore:
    return station.charge_point.strategy.context.certificates.store


def entries(station) -> int:
    return station.model.integer("SecurityCtrlr/CertificateEntries").value


def security_events(station):
    return [event.type for event in SecurityEventRepository(station.database).all()]


def told(station):
    return [each["type"] for each in station.csms.of("SecurityEventNotification")]


# -- root certificates ------------------------------------------------------------------------------------------------


@pytest.mark.req("M05.FR.01", "M05.FR.02", "M03.FR.01", "M03.FR.03", "M03.FR.04")
@pytest.mark.req("1.6-M05.FR.01", "1.6-M05.FR.02", "1.6-M03.FR.01", "1.6-M03.FR.03", "1.6-M03.FR.04")
async def test_an_installed_root_is_listed_and_survives_a_restart(make_station, root):
    station = await make_station()
    assert await install(station, root.certificate) == "Accepted"
    assert await installed(station, CSMS_ROOT[station.version]) == [hash_of(root.certificate)]
    assert entries(station) == 1
    await station.stop()
    again = await make_station()
    assert await installed(again) == [hash_of(root.certificate)]
    assert entries(again) == 1


@pytest.mark.req("M03.FR.02", "1.6-M03.FR.02")
async def test_nothing_installed_is_not_found(station):
    assert await installed(station) == []
    answer = await ask(
        station,
        "GetInstalledCertificateIds",
        {"certificateType": "ManufacturerRootCertificate"} if station.version is V16 else {},
    )
    assert answer == {"status": "NotFound"}


@pytest.mark.req("M03.FR.02", "1.6-M03.FR.02")
async def test_each_type_is_listed_alone(station, root):
    other = Authority("manufacturer")
    await install(station, root.certificate)
    await install(station, other.certificate, "ManufacturerRootCertificate")
    assert await installed(station, "ManufacturerRootCertificate") == [hash_of(other.certificate)]
    assert len(await installed(station)) == 2


@pytest.mark.req("M05.FR.07", "1.6-M05.FR.06")
@pytest.mark.parametrize(
    "text",
    ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"],
    ids=["words", "broken"],
)
async def test_what_is_no_certificate_is_rejected(station, text):
    payload = {"certificateType": CSMS_ROOT[station.version], "certificate": text}
    answer = await ask(station, "InstallCertificate", payload)
    assert answer["status"] == "Rejected"
    if station.version is V201:
        assert answer["statusInfo"]["reasonCode"] == "InvalidCertificate"
    assert entries(station) == 0


@pytest.mark.req("M05.FR.07", "1.6-M05.FR.06")
async def test_an_expired_root_is_rejected(make_station, root):
    station = await make_station(clock=ManualClock(start=NOW + 9999 * DAY))
    assert await install(station, root.certificate) == "Rejected"


@pytest.mark.req("M05.FR.07", "1.6-M05.FR.06")
async def test_a_certificate_of_a_station_is_no_root(station, root):
    assert await install(station, root.issue("0001")) == "Rejected"


@pytest.mark.req("M05.FR.06", "1.6-M05.FR.03")
async def test_more_than_the_store_holds_is_rejected(station, root, monkeypatch):
    domain = station.charge_point.strategy.context.certificates
    monkeypatch.setattr(domain, "_limit", 1)
    assert await install(station, root.certificate) == "Accepted"
    assert await install(station, Authority("other").certificate) == "Rejected"
    assert await installed(station) == [hash_of(root.certificate)]


@pytest.mark.req("M05.FR.17")
async def test_the_same_root_again_is_accepted_even_when_the_store_is_full(station, root, monkeypatch):
    monkeypatch.setattr(station.charge_point.strategy.context.certificates, "_limit", 1)
    assert await install(station, root.certificate) == "Accepted"
    assert await install(station, root.certificate) == "Accepted"
    assert entries(station) == 1


@pytest.mark.req("M05.FR.03", "1.6-M05.FR.04")
async def test_a_disk_that_does_not_take_it_is_a_failure(station, root, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CertificateStore, "_write", full)
    assert await install(station, root.certificate) == "Failed"
    assert entries(station) == 0


@pytest.mark.req("M04.FR.01", "M04.FR.02", "1.6-M04.FR.01", "1.6-M04.FR.02")
@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
async def test_a_root_is_deleted_by_its_hashes(station, root, algorithm):
    await install(station, root.certificate)
    assert await delete(station, hash_of(root.certificate, algorithm=algorithm)) == "Accepted"
    assert await installed(station) == []
    assert entries(station) == 0


@pytest.mark.req("M04.FR.04", "1.6-M04.FR.04")
async def test_deleting_what_is_not_there_is_not_found(station, root):
    assert await delete(station, hash_of(root.certificate)) == "NotFound"


@pytest.mark.req("M04.FR.03", "1.6-M04.FR.03")
async def test_a_deletion_that_the_disk_refuses_is_a_failure(station, root, monkeypatch):
    await install(station, root.certificate)

    def read_only(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(CertificateStore, "remove", read_only)
    assert await delete(station, hash_of(root.certificate)) == "Failed"


@pytest.mark.req("M04.FR.03", "1.6-M04.FR.06")
async def test_the_root_in_use_is_not_deleted(station, root):
    await install(station, root.certificate)
    domain = station.charge_point.strategy.context.certificates
    domain.root_in_use = lambda: certificates.fingerprint(root.certificate)
    assert await delete(station, hash_of(root.certificate)) == "Failed"
    assert await installed(station) == [hash_of(root.certificate)]


# -- the root that replaces the one before ----------------------------------------------------------------------------


@pytest.fixture
async def strict(make_station):
    return await make_station(variables={"SecurityCtrlr/AdditionalRootCertificateCheck": "true"})


@pytest.mark.req("M05.FR.09", "M05.FR.10", "M05.FR.12", "1.6-M05.FR.08", "1.6-M05.FR.09", "1.6-M05.FR.11")
async def test_a_root_signed_by_the_one_before_replaces_it(strict, root):
    successor = Authority("successor", root)
    assert await install(strict, root.certificate) == "Accepted"
    assert await install(strict, successor.certificate) == "Accepted"
    former = [hash_of(root.certificate)] if strict.version.major == 2 else []
    assert await installed(strict) == [hash_of(successor.certificate, root.certificate), *former]
    assert [each.certificate for each in store(strict).all(Kind.CSMS_FALLBACK)] == [root.certificate]


@pytest.mark.req("M05.FR.11", "1.6-M05.FR.10")
async def test_a_root_of_somebody_else_is_rejected(strict, root):
    await install(strict, root.certificate)
    assert await install(strict, Authority("stranger").certificate) == "Rejected"
    assert await installed(strict) == [hash_of(root.certificate)]


async def test_other_roots_need_no_predecessor(strict):
    assert await install(strict, Authority("one").certificate, "ManufacturerRootCertificate") == "Accepted"
    assert await install(strict, Authority("two").certificate, "ManufacturerRootCertificate") == "Accepted"


@pytest.mark.req("M05.FR.13", "1.6-M05.FR.12")
async def test_the_root_before_goes_once_the_new_one_has_worked(strict, root):
    await install(strict, root.certificate)
    await install(strict, Authority("successor", root).certificate)
    strict.charge_point.strategy.context.certificates.drop_fallback()
    assert store(strict).all(Kind.CSMS_FALLBACK) == []


# -- the station's own certificate ------------------------------------------------------------------------------------


@pytest.mark.req("A02.FR.02", "A02.FR.03", "A02.FR.13", "1.6-A02.FR.02", "1.6-A02.FR.03", "1.6-A02.FR.13")
async def test_a_triggered_request_names_station_and_operator(make_station):
    station = await make_station(variables={"SecurityCtrlr/OrganizationName": "Operator"})
    assert await trigger(station) == "Accepted"
    (payload,) = station.csms.of("SignCertificate")
    request = x509.load_pem_x509_csr(payload["csr"].encode())
    assert [(each.oid, each.value) for each in request.subject] == [
        (NameOID.COMMON_NAME, "CS001"),
        (NameOID.ORGANIZATION_NAME, "Operator"),
    ]
    assert payload.get("certificateType") == (None if station.version is V16 else "ChargingStationCertificate")


@pytest.mark.req("A02.FR.06", "A02.FR.08", "A03.FR.06", "A03.FR.08", "1.6-A02.FR.06", "1.6-A02.FR.08", "1.6-A00.FR.402")
async def test_a_signed_certificate_is_kept_with_its_key(station, root):
    await install(station, root.certificate)
    await trigger(station)
    certificate = root.answer(station.csms.of("SignCertificate")[0]["csr"])
    assert await give(station, certificate) == "Accepted"
    assert [each.certificate for each in store(station).newest(Kind.STATION, NOW)] == [certificate]


@pytest.mark.req("A02.FR.08", "A03.FR.08", "1.6-A02.FR.08", "1.6-A03.FR.08", "1.6-A00.FR.401")
async def test_a_connection_with_profile_3_is_made_again_with_the_new_certificate(make_station, root):
    station = await make_station(security_profile=3)
    await install(station, root.certificate)
    await trigger(station)
    attempts = len(station.attempts)
    await give(station, root.answer(station.csms.of("SignCertificate")[0]["csr"]))
    await station.clock.advance(2)
    assert len(station.attempts) == attempts + 1


@pytest.mark.req("A02.FR.06", "A03.FR.06", "1.6-A02.FR.08")
async def test_a_certificate_of_tomorrow_is_refused_in_2x_and_used_tomorrow_in_1_6(make_station, root):
    station = await make_station(security_profile=3)
    await install(station, root.certificate)
    await trigger(station)
    start = station.clock.now() + datetime.timedelta(hours=30)
    certificate = root.answer(station.csms.of("SignCertificate")[0]["csr"], start=start)
    if station.version is not V16:
        assert await give(station, certificate) == "Rejected"
        assert "InvalidChargingStationCertificate" in told(station)
        return
    assert await give(station, certificate) == "Accepted"
    await station.clock.advance(29 * 3600)
    attempts = len(station.attempts)
    assert store(station).newest(Kind.STATION, station.clock.now()) == []
    await station.clock.advance(1.1 * 3600)
    assert len(station.attempts) == attempts + 1
    assert len(store(station).newest(Kind.STATION, station.clock.now())) == 1


async def test_a_request_survives_a_power_cut(make_station, root):
    station = await make_station()
    await install(station, root.certificate)
    await trigger(station)
    certificate = root.answer(station.csms.of("SignCertificate")[0]["csr"])
    await station.stop()
    again = await make_station()
    assert await give(again, certificate) == "Accepted"


def foreign_key(root, csr):
    return root.issue("CS001")


def another_name(root, csr):
    return root.issue("CS002", x509.load_pem_x509_csr(csr.encode()).public_key())


def expired(root, csr):
    return root.answer(csr, start=NOW - 9 * DAY, end=NOW - DAY)


def stranger(root, csr):
    return Authority("stranger").answer(csr)


def authority(root, csr):
    return root.answer(csr, authority=True)


@pytest.mark.req("A02.FR.07", "A03.FR.07", "1.6-A02.FR.07", "1.6-A03.FR.07", "1.6-A00.FR.427")
@pytest.mark.parametrize("make", [foreign_key, another_name, expired, stranger, authority])
async def test_a_certificate_that_is_not_good_is_rejected_and_told(station, root, make):
    await install(station, root.certificate)
    await trigger(station)
    certificate = make(root, station.csms.of("SignCertificate")[0]["csr"])
    assert await give(station, certificate) == "Rejected"
    await station.settle()
    assert store(station).all(Kind.STATION) == []
    assert INVALID_OWN[station.version] in told(station)


@pytest.mark.req("A02.FR.16", "A03.FR.16")
async def test_a_chain_longer_than_configured_is_rejected(make_station, root):
    station = await make_station(variables={"SecurityCtrlr/MaxCertificateChainSize": "500"})
    await trigger(station)
    assert await give(station, root.answer(station.csms.of("SignCertificate")[0]["csr"])) == "Rejected"


@pytest.mark.req("M04.FR.06", "1.6-M04.FR.05")
async def test_the_own_certificate_is_not_deleted(station, root):
    await install(station, root.certificate)
    await trigger(station)
    certificate = root.answer(station.csms.of("SignCertificate")[0]["csr"])
    await give(station, certificate)
    assert await delete(station, hash_of(certificate, root.certificate)) == "Failed"


@pytest.mark.req("A02.FR.17", "A02.FR.18", "A02.FR.19", "A03.FR.17", "A03.FR.18", "A03.FR.19")
async def test_2x_asks_again_with_growing_waits_and_1_6_never(station):
    await trigger(station)
    counts = []
    for seconds in (29, 2, 58, 3, 86400):
        await station.clock.advance(seconds)
        counts.append(station.csms.counts["SignCertificate"])
    assert counts == ([1, 1, 1, 1, 1] if station.version is V16 else [1, 2, 2, 3, 3])


@pytest.mark.req("A02.FR.17", "A02.FR.20")
async def test_a_certificate_that_came_ends_the_repetition(make_station, root):
    station = await make_station()
    await trigger(station)
    await give(station, root.issue("CS001"))
    await station.clock.advance(600)
    assert station.csms.counts["SignCertificate"] == 1


async def own(station, root, **validity):
    await trigger(station)
    return await give(station, root.answer(station.csms.of("SignCertificate")[-1]["csr"], **validity))


@pytest.mark.req("A03.FR.01", "A03.FR.02", "A03.FR.03", "A03.FR.13", "1.6-A03.FR.01", "1.6-A03.FR.02", "1.6-A03.FR.03")
async def test_a_certificate_that_runs_out_is_renewed_once(make_station, root):
    station = await make_station()
    await install(station, root.certificate)
    await own(station, root, end=NOW + 31 * DAY)
    assert station.csms.counts["SignCertificate"] == 1
    await station.clock.advance(2 * 86400)
    assert station.csms.counts["SignCertificate"] > 1
    if station.version is not V16:
        assert station.csms.of("SignCertificate")[-1]["certificateType"] == "ChargingStationCertificate"
    station.csms.calls.clear()
    await station.clock.advance(5 * 86400)
    assert station.csms.counts["SignCertificate"] == 0
    await own(station, root)
    assert len(store(station).newest(Kind.STATION, station.clock.now())) == 2


@pytest.mark.req("1.6-A02.FR.10", "1.6-A03.FR.10")
async def test_the_certificate_before_is_kept_for_a_month_in_1_6(make_station, root):
    station = await make_station()
    await install(station, root.certificate)
    await own(station, root, start=NOW - 9 * DAY)
    await own(station, root, start=NOW - DAY)
    if station.version is not V16:
        return
    await station.clock.advance(28 * 86400)
    assert len(store(station).all(Kind.STATION)) == 2
    await station.clock.advance(3 * 86400)
    assert len(store(station).all(Kind.STATION)) == 1


@pytest.mark.req("A02.FR.10", "A03.FR.10", "A02.FR.29", "A03.FR.25")
@pytest.mark.parametrize("serves", ["before", "new"])
async def test_in_2x_the_certificate_that_does_not_serve_is_discarded_with_the_first_connection(
    make_station, root, serves
):
    station = await make_station()
    await install(station, root.certificate)
    await own(station, root, start=NOW - 9 * DAY)
    await own(station, root, start=NOW - DAY)
    new, before = store(station).newest(Kind.STATION, NOW)
    serving = {"before": before, "new": new}[serves]
    station.charge_point.strategy.context.signing.connected_with(serving.path.stem)
    await station.settle()
    if station.version is V16:
        assert len(store(station).all(Kind.STATION)) == 2
        return
    assert [each.path for each in store(station).all(Kind.STATION)] == [serving.path]
    assert ("DiscardedRenewedClientCertificate" in told(station)) == (serves == "before")


async def test_certificates_do_not_pile_up_where_no_connection_shows_one(make_station, root):
    station = await make_station()
    await install(station, root.certificate)
    for age in range(9, 3, -1):
        await own(station, root, start=NOW - age * DAY)
    assert len(store(station).all(Kind.STATION)) == (6 if station.version is V16 else 3)


async def test_what_ends_soon_is_warned_of_once_a_day(make_station, caplog):
    station = await make_station()
    soon = Authority("soon over", end=NOW + 20 * DAY)
    await install(station, soon.certificate)
    await install(station, Authority("long valid").certificate)

    def warnings():
        return [each.message for each in caplog.records if "ends on" in each.message or "ended on" in each.message]

    await station.clock.advance(3 * 86400 + 60)
    assert 3 <= len(warnings()) <= 4
    assert all("soon over" in each for each in warnings())
    caplog.clear()
    await station.clock.advance(20 * 86400)
    assert "ended on" in warnings()[-1]


async def test_a_rejected_request_is_not_repeated(station):
    station.csms.script("SignCertificate", {"status": "Rejected"})
    await trigger(station)
    await station.clock.advance(86400)
    assert station.csms.counts["SignCertificate"] == 1


async def test_without_a_place_for_the_key_nothing_is_requested(station, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CertificateStore, "_write", full)
    await trigger(station)
    assert station.csms.counts["SignCertificate"] == 0


async def test_a_key_of_another_curve_does_as_well(station, root):
    key = ec.generate_private_key(ec.SECP384R1())
    store(station).add_key(key)
    await install(station, root.certificate)
    assert await give(station, root.issue("CS001", key)) == "Accepted"


# -- chains that must not hold (`test_chains` has all kinds of them) ------------------------------------------------------


async def test_an_intermediate_authority_is_no_root(station, root):
    middle = Authority("intermediate", under=root)
    kinds = [CSMS_ROOT[station.version], "ManufacturerRootCertificate"]
    for kind in kinds:
        assert await install(station, middle.certificate, kind) == "Rejected"
        assert await install(station, root.certificate, kind) == "Accepted"
        assert await install(station, middle.certificate, kind) == "Rejected"
    assert len(await installed(station, *kinds)) == 2


@pytest.mark.req("A02.FR.06", "A02.FR.07")
@pytest.mark.parametrize("kind", ["path", "purpose", "signer"])
async def test_a_certificate_by_a_chain_that_does_not_hold_is_rejected(station, kind):
    top = Authority("CSMS root", path_length=0 if kind == "path" else None)
    await install(station, top.certificate)
    middle = Authority("intermediate", under=top, usage=("digital_signature",) if kind == "signer" else None)
    await trigger(station)
    purposes = (ExtendedKeyUsageOID.SERVER_AUTH,) if kind == "purpose" else ()
    sent = station.csms.of("SignCertificate")[-1]["csr"]
    assert await give(station, middle.answer(sent, purposes=purposes), middle.certificate) == "Rejected"
    assert INVALID_OWN[station.version] in (*security_events(station), *told(station))
