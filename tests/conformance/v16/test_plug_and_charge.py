"""Plug and charge over DataTransfer (the extension org.openchargealliance.iso15118pnc)."""

import base64
import json

import pytest
from support.tls import Authority, pem

VENDOR = "org.openchargealliance.iso15118pnc"
EMAID = "DEPWRC0000001X"
OCSP = "http://ocsp.example/"
EXI = base64.b64encode(b"request of the EV").decode()


@pytest.fixture(scope="module")
def root():
    return Authority("V2G and MO root")


@pytest.fixture
def station(setup):
    return setup.start(evse="iso15118 = true")


def ask(csms, message: str, data: dict) -> dict:
    answer = csms.call("DataTransfer", {"vendorId": VENDOR, "messageId": message, "data": json.dumps(data)})
    assert answer["status"] == "Accepted", answer
    return json.loads(answer["data"])


def expect(csms, message: str) -> dict:
    return json.loads(csms.expect("DataTransfer", vendorId=VENDOR, messageId=message)["data"])


def answer(csms, **answers: dict) -> None:
    """What the CSMS answers to the extension's messages from now on."""

    def choose(request):
        data = answers.get(request.get("messageId"))
        return {"status": "Accepted", "data": json.dumps(data)} if data is not None else {"status": "UnknownMessageId"}

    csms.answer("DataTransfer", *[choose] * 20)


def say(station, **what) -> None:
    station.post("/api/sim/evses/1/iso15118", what)


def heard(station) -> dict:
    return station.status()["evses"][0]["iso15118"]


def install(csms, root, kind: str = "MORootCertificate") -> None:
    wish = {"certificateType": kind, "certificate": pem(root.certificate).decode()}
    assert ask(csms, "InstallCertificate", wish) == {"status": "Accepted"}


@pytest.mark.parametrize("status", ["Accepted", "Invalid"])
def test_a_contract_is_authorized(csms, station, root, status):
    install(csms, root)
    answer(csms, Authorize={"idTokenInfo": {"status": status}, "certificateStatus": "Accepted"})
    station.plug()
    say(station, contract={"emaid": EMAID, "chain": pem(root.issue(EMAID, ocsp=OCSP)).decode()})
    request = expect(csms, "Authorize")
    assert request["idToken"] == EMAID
    assert [each["responderURL"] for each in request["iso15118CertificateHashData"]] == [OCSP]
    station.wait(lambda: heard(station)["authorized"] is (status == "Accepted"), "what the EV hears")
    if status == "Accepted":
        csms.expect("StartTransaction", idTag=EMAID)
        csms.nothing("Authorize")
    else:
        csms.nothing("StartTransaction")


def test_a_csms_without_the_extension_authorizes_nobody(csms, station, root):
    install(csms, root)
    csms.answer("DataTransfer", {"status": "UnknownVendorId"})
    station.plug()
    say(station, contract={"emaid": EMAID, "chain": pem(root.issue(EMAID)).decode()})
    expect(csms, "Authorize")
    station.wait(lambda: heard(station)["authorized"] is False, "the refusal")


def test_the_certificate_towards_evs(csms, station, root):
    install(csms, root, "V2GRootCertificate")
    answer(csms, SignCertificate={"status": "Accepted"}, GetCertificateStatus={"status": "Accepted", "ocspResult": "x"})
    assert ask(csms, "TriggerMessage", {"requestedMessage": "SignV2GCertificate"}) == {"status": "Accepted"}
    request = expect(csms, "SignCertificate")
    assert request["certificateType"] == "V2GCertificate"
    leaf = root.answer(request["csr"], ocsp=OCSP)
    signed = {"certificateChain": pem(leaf).decode(), "certificateType": "V2GCertificate"}
    assert ask(csms, "CertificateSigned", signed) == {"status": "Accepted"}
    assert int(expect(csms, "GetCertificateStatus")["ocspRequestData"]["serialNumber"], 16) == leaf.serial_number
    listed = ask(csms, "GetInstalledCertificateIds", {})["certificateHashDataChain"]
    assert [each["certificateType"] for each in listed] == ["V2GRootCertificate", "V2GCertificateChain"]
    wish = {"certificateHashData": listed[1]["certificateHashData"]}
    assert ask(csms, "DeleteCertificate", wish) == {"status": "Accepted"}
    assert ask(csms, "DeleteCertificate", wish) == {"status": "NotFound"}


@pytest.mark.parametrize("accepted", [True, False])
def test_an_ev_asks_for_a_certificate(csms, station, accepted):
    status = "Accepted" if accepted else "Failed"
    answer(csms, Get15118EVCertificate={"status": status, "exiResponse": "YW5zd2Vy"})
    say(station, certificate={"action": "Install", "exi": EXI})
    assert expect(csms, "Get15118EVCertificate")["exiRequest"] == EXI
    station.wait(lambda: heard(station)["certificate"]["accepted"] is accepted, "the answer to the EV")


@pytest.mark.parametrize(
    ("message", "data", "status"),
    [
        ("Nonsense", "{}", "UnknownMessageId"),
        ("InstallCertificate", "{", "Rejected"),
        ("DeleteCertificate", "{}", "Rejected"),
    ],
)
def test_bad_messages_are_refused(csms, station, message, data, status):
    wish = {"vendorId": VENDOR, "messageId": message, "data": data}
    assert csms.call("DataTransfer", wish) == {"status": status}


HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "0a", "issuerKeyHash": "0b", "serialNumber": "01"}


@pytest.mark.parametrize(
    ("message", "data"),
    [
        ("DeleteCertificate", {"certificateHashData": HASH | {"hashAlgorithm": "MD5"}}),
        ("DeleteCertificate", {"certificateHashData": HASH | {"hashAlgorithm": "sha256"}}),
        ("DeleteCertificate", {"certificateHashData": HASH | {"hashAlgorithm": None}}),
        ("DeleteCertificate", {"certificateHashData": HASH | {"serialNumber": "1" * 41}}),
        ("DeleteCertificate", {"certificateHashData": HASH | {"issuerKeyHash": "1" * 129}}),
        ("DeleteCertificate", {"certificateHashData": [HASH]}),
        ("GetInstalledCertificateIds", {"certificateType": "V2GRootCertificate"}),
        ("GetInstalledCertificateIds", {"certificateType": ["V2GRootCertificate"] * 17}),
        ("InstallCertificate", {"certificateType": "V2GRootCertificate", "certificate": "x" * 5501}),
        ("InstallCertificate", {"certificateType": "V2GRootCertificate", "certificate": 1}),
        ("CertificateSigned", {"certificateChain": "x" * 10_001}),
        ("TriggerMessage", {"requestedMessage": 7}),
        ("TriggerMessage", "not JSON"),
        ("TriggerMessage", None),
    ],
)
def test_content_that_breaks_the_rules_of_its_message_is_rejected(csms, station, message, data):
    text = {} if data is None else {"data": data if isinstance(data, str) else json.dumps(data)}
    answer = csms.call("DataTransfer", {"vendorId": VENDOR, "messageId": message, **text})
    assert answer == {"status": "Rejected"}
    assert ask(csms, "GetInstalledCertificateIds", {"certificateType": None})["status"] in ("Accepted", "NotFound")


@pytest.mark.parametrize("message", ["SignCertificate", "SignV2GCertificate"])
def test_the_certificate_towards_evs_is_asked_for_by_either_name(csms, station, message):
    answer(csms, SignCertificate={"status": "Accepted"})
    assert ask(csms, "TriggerMessage", {"requestedMessage": message})["status"] == "Accepted"
    assert expect(csms, "SignCertificate")["certificateType"] == "V2GCertificate"


def test_without_iso15118_there_is_no_such_vendor(setup, csms):
    setup.start()
    wish = {"vendorId": VENDOR, "messageId": "InstallCertificate", "data": "{}"}
    assert csms.call("DataTransfer", wish) == {"status": "UnknownVendorId"}
    found = csms.call("GetConfiguration", {"key": ["ISO15118PnCEnabled"]})
    assert found["unknownKey"] == ["ISO15118PnCEnabled"]
