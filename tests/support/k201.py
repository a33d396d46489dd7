"""Charging profiles of OCPP 2.0.1 as test cases set, ask for and clear them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

_request_ids = count(1)


def instant(seconds: float = 0, since: datetime | None = None) -> str:
    """So many seconds from now on (or `since`), as messages write it; whole seconds."""
    at = (since or datetime.now(UTC)).replace(microsecond=0) + timedelta(seconds=seconds)
    return at.isoformat().replace("+00:00", "Z")


def schedule(
    *limits: float,
    at: Sequence[int] = (),
    start: str | None = "2026-01-01T00:00:00Z",
    unit: str = "A",
    phases: int | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A schedule with these limits, from second 0 and the seconds `at` on."""
    periods = [
        {"startPeriod": second, "limit": limit, **({"numberPhases": phases} if phases is not None else {})}
        for second, limit in zip((0, *at), limits, strict=True)
    ]
    begin = {"startSchedule": start} if start is not None else {}
    return {"id": 1, "chargingRateUnit": unit, "chargingSchedulePeriod": periods, **begin, **more}


def profile(number: int, planned: dict[str, Any], purpose: str = "TxDefaultProfile", **more: Any) -> dict[str, Any]:
    """A profile, absolute and at stack level 0 unless told otherwise."""
    return {
        "id": number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [planned],
        **more,
    }


def install(csms, wanted: dict[str, Any], evse: int) -> str:
    """The status of SetChargingProfile."""
    return csms.call("SetChargingProfile", {"evseId": evse, "chargingProfile": wanted})["status"]


def cleared(csms, **criteria: Any) -> str:
    """The status of ClearChargingProfile."""
    return csms.call("ClearChargingProfile", criteria)["status"]


def reports(csms, *, evse: int | None = None, **criteria: Any) -> list[tuple[int, dict[str, Any]]]:
    """What the station reports of its profiles, with the EVSE of each; empty for NoProfiles."""
    number = next(_request_ids)
    place = {"evseId": evse} if evse is not None else {}
    answer = csms.call("GetChargingProfiles", {"requestId": number, "chargingProfile": criteria, **place})
    if answer["status"] == "NoProfiles":
        return []
    assert answer["status"] == "Accepted"
    found = []
    while True:
        report = csms.expect("ReportChargingProfiles", requestId=number)
        found += [(report["evseId"], each) for each in report["chargingProfile"]]
        if not report.get("tbc", False):
            return found


def composite(csms, evse: int, duration: int, unit: str = "A") -> dict[str, Any]:
    """The schedule of an accepted GetCompositeSchedule, its head checked against the request."""
    answer = csms.call("GetCompositeSchedule", {"evseId": evse, "duration": duration, "chargingRateUnit": unit})
    assert answer["status"] == "Accepted"
    found = answer["schedule"]
    assert (found["evseId"], found["duration"], found["chargingRateUnit"]) == (evse, duration, unit)
    begin = datetime.fromisoformat(found["scheduleStart"])
    assert abs(begin - datetime.now(UTC)) < timedelta(seconds=5)
    return found


def periods(found: dict[str, Any], since: datetime) -> list[tuple[int, float]]:
    """The periods of a composite schedule, the later ones counted from `since` (whole seconds)."""
    shift = int((datetime.fromisoformat(found["scheduleStart"]) - since.replace(microsecond=0)).total_seconds())
    return [
        (each["startPeriod"] + (shift if each["startPeriod"] else 0), each["limit"])
        for each in found["chargingSchedulePeriod"]
    ]
