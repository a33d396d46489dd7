"""Logs (block N, use case N01)."""

import gzip
import json

import pytest
from support.file_server import file_server
from support.secure_csms import start_with_tls
from support.tls import Authority, server_context


@pytest.fixture
def server():
    with file_server() as server:
        yield server


def ask(csms, server, request_id: int = 7, kind: str = "DiagnosticsLog", **more) -> dict:
    log = {"remoteLocation": server.url}
    return csms.call("GetLog", {"logType": kind, "requestId": request_id, "log": log, **more})


@pytest.mark.tc("TC_N_25_CS", "TC_N_35_CS")
@pytest.mark.req("N01.FR.01", "N01.FR.02", "N01.FR.03", "N01.FR.04", "N01.FR.07", "N01.FR.08", "N01.FR.09", "N01.FR.13")
@pytest.mark.req("N01.FR.14")
@pytest.mark.parametrize("kind", ["DiagnosticsLog", "SecurityLog"])
def test_tc_n_25_and_35_a_log_is_uploaded(csms, station, server, kind):
    answer = ask(csms, server, kind=kind)
    assert answer["status"] == "Accepted"
    for status in ("Uploading", "Uploaded"):
        csms.expect("LogStatusNotification", status=status, requestId=7)
    lines = gzip.decompress(server.files["/logs/" + answer["filename"]]).decode().splitlines()
    assert all(json.loads(line) for line in lines)


@pytest.mark.tc("TC_N_26_CS")
@pytest.mark.req("N01.FR.10")
def test_tc_n_26_an_upload_that_fails_is_tried_again(csms, station, server):
    server.answers = [500] * 4
    assert ask(csms, server, retries=3, retryInterval=1)["status"] == "Accepted"
    csms.expect("LogStatusNotification", status="Uploading", requestId=7)
    failures = {"UploadFailure", "PermissionDenied", "BadMessage", "NotSupportedOperation"}
    csms.expect("LogStatusNotification", status=failures, requestId=7)
    csms.wait(lambda: len(server.requests) == 4, "four attempts")


@pytest.mark.tc("TC_N_34_CS")
@pytest.mark.req("N01.FR.05")
def test_tc_n_34_without_a_log_nothing_is_uploaded(setup, csms, server):
    setup.start(station="message_log = false")
    assert ask(csms, server)["status"] == "Rejected"
    csms.nothing("LogStatusNotification")


@pytest.mark.tc("TC_N_36_CS")
@pytest.mark.req("N01.FR.12")
def test_tc_n_36_a_second_request_replaces_the_first(csms, station, server):
    server.gate.clear()
    assert ask(csms, server, 7)["status"] == "Accepted"
    csms.expect("LogStatusNotification", status="Uploading", requestId=7)
    assert ask(csms, server, 8)["status"] == "AcceptedCanceled"
    csms.expect("LogStatusNotification", status="AcceptedCanceled", requestId=7)
    server.gate.set()
    csms.expect("LogStatusNotification", status="Uploaded", requestId=8)


@pytest.mark.req("N01.FR.14", "N01.FR.15", "N01.FR.16")
@pytest.mark.parametrize(("trusted", "uploaded"), [("csms", True), ("system", True), ("stranger", False)])
def test_a_log_goes_to_servers_that_the_csms_or_the_system_trusts(setup, monkeypatch, trusted, uploaded):
    authorities = {name: Authority(name) for name in ("csms", "system", "stranger")}
    (setup.folder / "system.pem").write_bytes(authorities["system"].pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(setup.folder / "system.pem"))
    start_with_tls(setup, authorities["csms"])
    with file_server(server_context(setup.folder, authorities[trusted])) as server:
        assert ask(setup.csms, server, retries=0)["status"] == "Accepted"
        setup.csms.expect("LogStatusNotification", status="Uploading")
        setup.csms.expect("LogStatusNotification", status="Uploaded" if uploaded else "UploadFailure")
        assert bool(server.files) is uploaded
