"""Reports that cannot be made now, or are asked for too much at once (B07, B08)."""

import pytest

from ocpp.v2.provisioning import ITEMS_PER_MESSAGE, MAX_REPORTS

BASE = {"requestId": 1, "reportBase": "FullInventory"}
CUSTOM = {"requestId": 1, "componentCriteria": ["Enabled"]}


async def ask(station, action, payload):
    return await station.csms.call(station.clock, action, payload)


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        pytest.param("GetBaseReport", BASE, marks=pytest.mark.req("B07.FR.13")),
        pytest.param("GetReport", CUSTOM, marks=pytest.mark.req("B08.FR.16")),
    ],
)
async def test_while_enough_reports_are_on_their_way_another_one_is_rejected(station, action, payload):
    station.csms.script("NotifyReport", None)
    for _ in range(MAX_REPORTS):
        assert (await ask(station, action, payload))[2]["status"] == "Accepted"
    assert (await ask(station, action, payload))[2]["status"] == "Rejected"
    await station.clock.advance(3600)
    assert (await ask(station, action, payload))[2]["status"] == "Accepted"


@pytest.mark.req("B08.FR.17")
async def test_a_custom_report_on_too_many_variables_is_refused(station):
    wanted = [{"component": {"name": "ClockCtrlr"}, "variable": {"name": "DateTime"}}] * (ITEMS_PER_MESSAGE + 1)
    answer = await ask(station, "GetReport", {"requestId": 1, "componentVariable": wanted})
    assert answer[:3:2] == [4, "OccurrenceConstraintViolation"]
