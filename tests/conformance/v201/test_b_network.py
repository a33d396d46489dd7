"""Provisioning (block B): network connection profiles, and moving to another CSMS with them."""

import time

import pytest
from support.conformance import ConformanceCsms
from support.secure_csms import PASSWORD, start_with_tls
from support.tls import Authority, pem, server_context
from support.v201 import change

from ocpp.versions import OcppVersion

PRIORITY = "OCPPCommCtrlr/NetworkConfigurationPriority"
ATTEMPTS = "OCPPCommCtrlr/NetworkProfileConnectionAttempts"


@pytest.fixture
def second(setup):
    """The other CSMS."""
    csms = ConformanceCsms(OcppVersion.V201)
    yield csms
    csms.stop()
    assert not csms.violations


def set_profile(csms, other, *, slot=2, security_profile=0, scheme="ws", host="127.0.0.1", **more):
    data = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": f"{scheme}://{host}:{other.port}/ocpp",
        "messageTimeout": 30,
        "securityProfile": security_profile,
        "ocppInterface": "Wired0",
        **more,
    }
    return csms.call("SetNetworkProfile", {"configurationSlot": slot, "connectionData": data})["status"]


def move(csms, other, **more):
    """The other CSMS comes first from the next start on."""
    assert set_profile(csms, other, **more) == "Accepted"
    assert change(csms, PRIORITY, "2,1") in ("Accepted", "RebootRequired")
    assert csms.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"


def booted_at(csms, evses=1):
    csms.expect("BootNotification")
    csms.expect_all(*[("StatusNotification", {"connectorStatus": "Available"})] * evses)
    csms.expect("SecurityEventNotification", type={"StartupOfTheDevice", "ResetOrReboot"})


@pytest.mark.tc("TC_B_43_CS")
@pytest.mark.req("B09.FR.02", "B09.FR.05")
def test_tc_b_43_invalid_network_profiles_are_rejected(csms, station):
    assert set_profile(csms, csms, slot=999) == "Rejected"
    assert set_profile(csms, csms, ocppCsmsUrl="gopher://nowhere") == "Rejected"


@pytest.mark.tc("TC_B_45_CS")
@pytest.mark.req("B09.FR.01", "B10.FR.01", "B10.FR.04", "B10.FR.06")
def test_tc_b_45_another_profile_comes_first(setup, csms, second):
    setup.start()
    move(csms, second)
    setup.restart(wait=False)
    booted_at(second)
    assert csms.connections == 1


@pytest.mark.tc("TC_B_46_CS")
@pytest.mark.req("B10.FR.03", "B10.FR.04")
def test_tc_b_46_the_next_profile_is_tried_after_the_attempts(setup, csms, second):
    setup.start(variables={ATTEMPTS: 2})
    second.refuse_with = 503
    move(csms, second)
    setup.restart(wait=False)
    csms.wait_connection(2)
    booted_at(csms)
    assert len(second.attempts) == 2
    assert len(csms.attempts) == 2


@pytest.mark.tc("TC_B_49_CS")
@pytest.mark.req("B10.FR.07")
def test_tc_b_49_back_to_the_profile_that_worked_last(setup, csms, second):
    setup.start(variables={ATTEMPTS: 1})
    second.refuse_with = csms.refuse_with = 503
    move(csms, second)
    setup.restart(wait=False)
    second.wait_attempt(1)
    csms.wait_attempt(2)
    refused = time.monotonic()
    csms.refuse_with = None
    csms.wait_connection(2)
    assert time.monotonic() - refused > 0.9
    booted_at(csms)
    assert len(second.attempts) == 1


@pytest.fixture(scope="module")
def root():
    return Authority("CSMS root")


def secure_csms(setup, issuer, name):
    folder = setup.folder / name
    folder.mkdir()
    return ConformanceCsms(OcppVersion.V201, context=server_context(folder, issuer))


def install(csms, root):
    wish = {"certificateType": "CSMSRootCertificate", "certificate": pem(root.certificate).decode()}
    assert csms.call("InstallCertificate", wish)["status"] == "Accepted"


SECURE = {"security_profile": 2, "scheme": "wss", "host": "localhost"}


@pytest.mark.tc("TC_B_47_CS")
@pytest.mark.req("B10.FR.07", "M05.FR.15", "M05.FR.16")
def test_tc_b_47_back_to_the_former_root_and_profile(setup, root):
    """The other CSMS still shows a certificate of the former root, which counts for the CSMS before only."""
    checked = {"SecurityCtrlr/AdditionalRootCertificateCheck": True, ATTEMPTS: 1}
    start_with_tls(setup, root, variables=checked)
    second = secure_csms(setup, root, "second")
    install(setup.csms, Authority("successor", under=root))
    move(setup.csms, second, **SECURE)
    setup.restart(wait=False)
    booted_at(setup.csms)
    assert second.connections == 0
    answer = setup.csms.call("GetInstalledCertificateIds", {"certificateType": ["CSMSRootCertificate"]})
    assert answer["status"] == "Accepted"
    serials = {int(each["certificateHashData"]["serialNumber"], 16) for each in answer["certificateHashDataChain"]}
    assert root.certificate.serial_number in serials
    second.stop()


@pytest.mark.tc("TC_B_50_CS")
@pytest.mark.req("M05.FR.13", "B09.FR.01", "B10.FR.01", "B10.FR.04")
def test_tc_b_50_a_csms_of_another_root(setup, root):
    start_with_tls(setup, root)
    new_root = Authority("new CSMS root")
    second = secure_csms(setup, new_root, "second")
    install(setup.csms, new_root)
    move(setup.csms, second, **SECURE)
    setup.restart(wait=False)
    booted_at(second)
    assert second.credentials == [("CS001", PASSWORD)]
    second.stop()
