"""Logs for the CSMS, in every version, sent to a real HTTP server."""

import asyncio
import gzip
import json
from datetime import UTC, datetime

import pytest
from support.file_server import file_server
from support.station import StationUnderTest

from ocpp.versions import OcppVersion

LINES = [(datetime(2026, 1, 1, hour, tzinfo=UTC), f'{{"hour": {hour}}}') for hour in range(4)]


@pytest.fixture
def server():
    with file_server() as server:
        yield server


@pytest.fixture(params=[OcppVersion.V16, OcppVersion.V201, OcppVersion.V21], ids=str)
async def station(request, tmp_path):
    station = StationUnderTest(tmp_path, request.param)
    station.charge_point.strategy.context.logs._sources["diagnostics"] = lambda: iter(LINES)
    yield await station.start()
    await station.stop()


async def ask(station, action: str, payload: dict):
    answer = await station.csms.call(station.clock, action, payload)
    assert answer[0] == 3, answer
    return answer[2]


async def until(station, condition) -> None:
    """The transfer runs in a thread: let it, and the loop, go on."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
        await station.settle()
    raise AssertionError("did not come about")


def told(station) -> list[str]:
    return [each["status"] for each in station.csms.of("LogStatusNotification")]


def wish(server, kind: str = "DiagnosticsLog", number: int = 7, **more) -> dict:
    log = {"remoteLocation": more.pop("location", server.url)} | more.pop("log", {})
    return {"log": log, "logType": kind, "requestId": number, "retries": 0} | more


def content(server, name: str) -> list[str]:
    return gzip.decompress(server.files[f"/logs/{name}"]).decode().splitlines()


@pytest.mark.req("N01.FR.01", "N01.FR.02", "N01.FR.04", "N01.FR.07", "N01.FR.08", "N01.FR.09", "N01.FR.18")
async def test_the_diagnostics_are_uploaded(station, server):
    answer = await ask(station, "GetLog", wish(server))
    assert answer["status"] == "Accepted"
    await until(station, lambda: len(told(station)) == 2)
    assert told(station) == ["Uploading", "Uploaded"]
    assert {each["requestId"] for each in station.csms.of("LogStatusNotification")} == {7}
    assert content(server, answer["filename"]) == [line for _, line in LINES]
    assert server.requests[0][0] == "PUT"


@pytest.mark.req("N01.FR.03")
async def test_the_security_log_is_uploaded(station, server):
    answer = await ask(station, "GetLog", wish(server, "SecurityLog"))
    await until(station, lambda: told(station)[-1:] == ["Uploaded"])
    assert [json.loads(line)["type"] for line in content(server, answer["filename"])] == ["StartupOfTheDevice"]


async def test_only_the_window_that_was_asked_for(station, server):
    window = {"oldestTimestamp": "2026-01-01T01:00:00Z", "latestTimestamp": "2026-01-01T02:00:00Z"}
    answer = await ask(station, "GetLog", wish(server, log=window))
    await until(station, lambda: told(station)[-1:] == ["Uploaded"])
    assert content(server, answer["filename"]) == [line for _, line in LINES[1:3]]


@pytest.mark.req("N01.FR.10")
@pytest.mark.parametrize(
    ("status", "outcome"), [(403, "PermissionDenied"), (404, "BadMessage"), (500, "UploadFailure")]
)
async def test_a_failure_is_told_honestly(station, server, status, outcome):
    server.answers = [status]
    await ask(station, "GetLog", wish(server))
    await until(station, lambda: len(told(station)) == 2)
    assert told(station) == ["Uploading", outcome]


@pytest.mark.req("N01.FR.10")
@pytest.mark.parametrize(
    ("location", "outcome"),
    [
        ("gopher://x/y", "NotSupportedOperation"),
        ("http:///nowhere", "BadMessage"),
        ("http://[::1", "BadMessage"),
        ("http://127.0.0.1:9/x", "UploadFailure"),
        ("ftp://127.0.0.1:9/x", "UploadFailure"),
    ],
)
async def test_a_location_that_leads_nowhere_is_told(station, server, location, outcome):
    await ask(station, "GetLog", wish(server, location=location))
    await until(station, lambda: len(told(station)) == 2)
    assert told(station)[-1] == outcome


async def test_it_is_tried_again_as_often_as_asked(station, server):
    server.answers = [500, 500]
    await ask(station, "GetLog", wish(server, retries=2, retryInterval=30))
    await until(station, lambda: len(server.requests) == 1)
    for attempt in (2, 3):
        before = station.clock.monotonic()
        while len(server.requests) < attempt and station.clock.monotonic() < before + 1000:
            await asyncio.sleep(0.005)
            await station.clock.advance(1)
        # The thread may have begun to wait some ticks before this loop noticed the request.
        assert station.clock.monotonic() - before >= 25
    await until(station, lambda: told(station)[-1] == "Uploaded")
    assert (told(station), len(server.requests)) == (["Uploading", "Uploaded"], 3)


@pytest.mark.req("N01.FR.19")
async def test_a_server_that_only_takes_posts_gets_one(station, server):
    server.answers = [405]
    answer = await ask(station, "GetLog", wish(server))
    await until(station, lambda: told(station)[-1:] == ["Uploaded"])
    method, _, headers = server.requests[1]
    assert method == "POST"
    assert headers["Content-Type"] == "application/octet-stream"
    assert answer["filename"] in headers["Content-Disposition"]


async def test_user_and_password_of_the_location_are_used_and_not_logged(station, server, caplog):
    location = server.url.replace("http://", "http://joe:s3cret-word@")
    server.answers = [500]
    await ask(station, "GetLog", wish(server, location=location))
    await until(station, lambda: len(told(station)) == 2)
    assert server.requests[0][2]["Authorization"] == "Basic am9lOnMzY3JldC13b3Jk"
    assert "s3cret" not in caplog.text


@pytest.mark.req("N01.FR.12", "N01.FR.20")
async def test_a_new_wish_cancels_the_upload_going_on(station, server):
    server.gate.clear()
    await ask(station, "GetLog", wish(server, number=1))
    await until(station, lambda: told(station) == ["Uploading"])
    answer = await ask(station, "GetLog", wish(server, number=2))
    assert answer["status"] == "AcceptedCanceled"
    server.gate.set()
    await until(station, lambda: told(station)[-1] == "Uploaded")
    last = station.csms.of("LogStatusNotification")[-1]
    assert last["requestId"] == 2


@pytest.mark.req("N01.FR.05")
async def test_a_log_that_is_not_kept_is_rejected(station, server):
    del station.charge_point.strategy.context.logs._sources["diagnostics"]
    assert (await ask(station, "GetLog", wish(server)))["status"] == "Rejected"


@pytest.mark.req("1.6-5.9", "1.6-4.4")
async def test_diagnostics_the_way_of_1_6(tmp_path, server):
    station = StationUnderTest(tmp_path, OcppVersion.V16)
    assert (await ask(await station.start(), "GetDiagnostics", {"location": server.url})) == {}
    station.charge_point.strategy.context.logs._sources["diagnostics"] = lambda: iter(LINES)
    answer = await ask(station, "GetDiagnostics", {"location": server.url, "startTime": "2026-01-01T03:00:00Z"})

    def statuses() -> list[str]:
        return [each["status"] for each in station.csms.of("DiagnosticsStatusNotification")]

    await until(station, lambda: statuses() == ["Uploading", "Uploaded"])
    assert content(server, answer["fileName"]) == [LINES[3][1]]
    server.answers = [403]
    await ask(station, "GetDiagnostics", {"location": server.url, "retries": 0})
    await until(station, lambda: statuses()[-1] == "UploadFailed")
    trigger = await ask(station, "TriggerMessage", {"requestedMessage": "DiagnosticsStatusNotification"})
    assert trigger["status"] == "Accepted"
    await station.settle()
    assert statuses()[-1] == "Idle"
    await station.stop()


@pytest.mark.req("N01.FR.13")
async def test_a_triggered_status_without_an_upload_names_no_request(tmp_path):
    station = await StationUnderTest(tmp_path).start()
    await ask(station, "TriggerMessage", {"requestedMessage": "LogStatusNotification"})
    await station.settle()
    assert station.csms.of("LogStatusNotification") == [{"status": "Idle"}]
    await station.stop()


def words(station) -> list[str]:
    action = "DiagnosticsStatusNotification" if station.version is OcppVersion.V16 else "LogStatusNotification"
    return [each["status"] for each in station.csms.of(action)]


async def begin(station, server) -> None:
    if station.version is OcppVersion.V16:
        await ask(station, "GetDiagnostics", {"location": server.url, "retries": 0})
    else:
        await ask(station, "GetLog", wish(server))


async def test_the_last_status_is_told_until_it_is_known(station, server):
    action = "DiagnosticsStatusNotification" if station.version is OcppVersion.V16 else "LogStatusNotification"
    station.csms.script(action, {}, None)
    await begin(station, server)
    await until(station, lambda: len(words(station)) == 2)
    await station.disconnect()
    await station.reconnect()
    assert words(station) == ["Uploading", "Uploaded", "Uploaded"]
    await station.disconnect()
    await station.reconnect()
    assert len(words(station)) == 3, "what is known is told no more"


async def test_the_outcome_of_an_upload_without_a_connection_is_told_afterwards(station, server):
    server.gate.clear()
    await begin(station, server)
    await station.disconnect()
    server.gate.set()
    uploads = station.charge_point.strategy.context.logs
    await until(station, lambda: uploads.status == "Idle")
    assert words(station) == ["Uploading"]
    await station.reconnect()
    assert words(station) == ["Uploading", "Uploaded"]


@pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201], ids=str)
async def test_an_upload_that_a_restart_cut_off_is_told_as_failed(tmp_path, server, version):
    first = StationUnderTest(tmp_path, version)
    first.charge_point.strategy.context.logs._sources["diagnostics"] = lambda: iter(LINES)
    await first.start()
    answered = [each for each in ("GetDiagnostics", "GetLog") if (each == "GetLog") is (version is not OcppVersion.V16)]
    location = "http://127.0.0.1:9/nobody"
    payload = {"location": location} if version is OcppVersion.V16 else wish(server, location=location, retries=1)
    await ask(first, answered[0], payload)
    await until(first, lambda: words(first) == ["Uploading"])
    await first.stop()
    second = StationUnderTest(tmp_path, version, seed=2)
    await second.start()
    try:
        assert words(second) == ["UploadFailed" if version is OcppVersion.V16 else "UploadFailure"]
    finally:
        await second.stop()
    third = StationUnderTest(tmp_path, version, seed=3)
    await third.start()
    try:
        assert words(third) == []
    finally:
        await third.stop()


@pytest.mark.req("N01.FR.01", "1.6-5.9")
@pytest.mark.parametrize("form", ["/logs", "/logs/", "/logs/named.log", "", "/x?signature=1"])
async def test_the_name_that_is_told_is_that_of_the_file_stored(station, server, form):
    location = server.url.removesuffix("/logs/") + form
    answer = await ask(station, "GetLog", wish(server, location=location))
    await until(station, lambda: told(station)[-1:] == ["Uploaded"])
    (stored,) = server.files
    assert stored.partition("?")[0].rpartition("/")[2] == answer["filename"]


@pytest.mark.req("N01.FR.12", "N01.FR.20")
async def test_a_server_that_says_nothing_does_not_hold_up_the_next_upload(station, server):
    server.gate.clear()
    for number in range(1, 21):
        await ask(station, "GetLog", wish(server, number=number))
        await until(station, lambda n=number: station.csms.of("LogStatusNotification")[-1]["requestId"] == n)
    server.gate.set()
    await until(station, lambda: told(station)[-1] == "Uploaded")
    assert station.csms.of("LogStatusNotification")[-1]["requestId"] == 20


async def test_an_upload_that_waits_for_another_attempt_gives_way_at_once(station, server):
    server.answers = [500]
    await ask(station, "GetLog", wish(server, number=1, retries=1, retryInterval=80000))
    await until(station, lambda: len(server.requests) == 1)
    before = station.clock.monotonic()
    assert (await ask(station, "GetLog", wish(server, number=2)))["status"] == "AcceptedCanceled"
    await until(station, lambda: told(station)[-1] == "Uploaded")
    assert station.clock.monotonic() - before < 60
