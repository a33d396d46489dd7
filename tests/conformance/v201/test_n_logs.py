"""Logs (block N, use case N01)."""

import gzip
import json

import pytest
from support.file_server import file_server


@pytest.fixture
def server():
    with file_server() as server:
        yield server


def ask(csms, server, request_id: int = 7, kind: str = "DiagnosticsLog", **more) -> dict:
    log = {"remoteLocation": server.url}
    return csms.call("GetLog", {"logType": kind, "requestId": request_id, "log": log, **more})


@pytest.mark.tc("TC_N_25_CS", "TC_N_35_CS")
@pytest.mark.req("N01.FR.01", "N01.FR.02", "N01.FR.03", "N01.FR.04", "N01.FR.07", "N01.FR.08", "N01.FR.09", "N01.FR.13")
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
