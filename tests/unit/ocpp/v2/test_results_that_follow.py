"""Requests whose result comes in messages of its own: the answer goes out first, the result bears the same request id."""

import asyncio

import pytest
from support.station import CARD

from ocpp.versions import OcppVersion

PROFILE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [
        {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 14.0}]}
    ],
}
MONITOR = {
    "value": 10.0,
    "type": "UpperThreshold",
    "severity": 5,
    "component": {"name": "EVSE", "evse": {"id": 1}},
    "variable": {"name": "Power"},
}
MESSAGE = {"id": 1, "priority": "NormalCycle", "message": {"format": "UTF8", "language": "en", "content": "Welcome"}}
CUSTOMER = {"idToken": {"idToken": CARD, "type": "ISO14443"}, "report": True, "clear": False}
FIRMWARE = {"firmware": {"location": "http://127.0.0.1:9/new.bin", "retrieveDateTime": "2030-01-01T00:00:00Z"}}
LOG = {"logType": "SecurityLog", "log": {"remoteLocation": "http://127.0.0.1:9/"}}


class Installer:
    """A station that can install firmware, and is never asked to here."""

    async def install(self, image):
        raise NotImplementedError

    async def confirm(self):
        raise NotImplementedError


@pytest.fixture(params=[OcppVersion.V201, OcppVersion.V21], ids=str)
async def station(request, make_station):
    return await make_station(request.param, installer=Installer())


async def ask(station, action: str, payload: dict) -> list:
    return await station.csms.call(station.clock, action, payload)


async def until(station, condition) -> None:
    """What a thread does takes its time."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
        await station.settle()
    raise AssertionError("did not come about")


@pytest.mark.req("FR.02", "FR.05")
@pytest.mark.parametrize(
    ("before", "action", "payload", "result"),
    [
        (None, "GetBaseReport", {"reportBase": "ConfigurationInventory"}, "NotifyReport"),
        (None, "GetReport", {"componentVariable": [{"component": {"name": "SecurityCtrlr"}}]}, "NotifyReport"),
        (
            ("SetVariableMonitoring", {"setMonitoringData": [MONITOR]}),
            "GetMonitoringReport",
            {},
            "NotifyMonitoringReport",
        ),
        (("SetDisplayMessage", {"message": MESSAGE}), "GetDisplayMessages", {}, "NotifyDisplayMessages"),
        (None, "CustomerInformation", CUSTOMER, "NotifyCustomerInformation"),
        (
            ("SetChargingProfile", {"evseId": 0, "chargingProfile": PROFILE}),
            "GetChargingProfiles",
            {"chargingProfile": {}},
            "ReportChargingProfiles",
        ),
        (None, "GetLog", LOG, "LogStatusNotification"),
        (None, "UpdateFirmware", FIRMWARE, "FirmwareStatusNotification"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_the_answer_comes_before_the_result(station, before, action, payload, result):
    if before is not None:
        assert (await ask(station, *before))[0] == 3
    answer = await ask(station, action, {"requestId": 4711, **payload})
    assert answer[0] == 3
    assert answer[2]["status"] == "Accepted"
    await until(station, lambda: station.csms.of(result))
    frames = station.csms.frames
    first = next(index for index, frame in enumerate(frames) if frame[0] == 2 and frame[2] == result)
    assert frames.index(answer) < first
    assert {payload["requestId"] for payload in station.csms.of(result)} == {4711}


@pytest.mark.req("FR.05")
async def test_a_triggered_message_comes_after_the_answer(station):
    before = len(station.csms.frames)
    answer = await ask(station, "TriggerMessage", {"requestedMessage": "Heartbeat"})
    await station.settle()
    assert answer[2]["status"] == "Accepted"
    order = [frame[2] if frame[0] == 2 else "answer" for frame in station.csms.frames[before:]]
    assert order == ["answer", "Heartbeat"]


@pytest.mark.req("FR.05")
async def test_nobody_waits_for_a_publication_that_no_station_here_can_make(station):
    wanted = {"requestId": 1, "location": "http://127.0.0.1:9/", "checksum": "0" * 32}
    answer = await ask(station, "PublishFirmware", wanted)
    assert answer[0] == 4
    assert answer[2] == "NotSupported"
