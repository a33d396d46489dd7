"""Limits of other systems as JSON."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ocpp.charge_point import ExternalLimit, Period, Schedule


class Wish(msgspec.Struct, frozen=True):
    """What POST /api/external_limits asks for; without a schedule the limit is released."""

    source: str
    evse_id: int
    schedule: Schedule | None
    grid_critical: bool | None


def read(body: dict[str, Any]) -> Wish:
    """The wish in a body; ValueError says what is wrong with it."""
    evse = body.get("evse", 0)
    if isinstance(evse, bool) or not isinstance(evse, int):
        raise ValueError(f"evse = {evse!r} must be the number of an EVSE, or 0 for the station")
    critical = body.get("grid_critical")
    if critical is not None and not isinstance(critical, bool):
        raise ValueError("grid_critical must be true or false")
    return Wish(str(body.get("source", "EMS")), evse, _schedule(body), critical)


def _schedule(body: dict[str, Any]) -> Schedule | None:
    if ("limit" in body) is ("periods" in body):
        raise ValueError("either limit or periods is needed")
    if "periods" in body:
        pairs = body["periods"]
        if not isinstance(pairs, list) or not all(isinstance(each, list) and len(each) == 2 for each in pairs):
            raise ValueError("periods must be pairs of a second and a limit, such as [[0, 16], [3600, 32]]")
        periods = tuple(Period(_whole("periods", start), _number("periods", limit)) for start, limit in pairs)
    elif body["limit"] is None:
        return None
    else:
        periods = (Period(0, _number("limit", body["limit"])),)
    duration = body.get("duration_s")
    return Schedule(
        unit=str(body.get("unit", "A")),
        periods=periods,
        start=_start(body.get("start")),
        duration=_whole("duration_s", duration) if duration is not None else None,
    )


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name}: {value!r} must be a number")
    return float(value)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name}: {value!r} must be a whole number of seconds")
    return value


def _start(text: Any) -> float | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(f"start = {text!r} must be a date and time with an offset, such as 2026-01-01T12:00:00Z")
    return instant.timestamp()


def told(limits: Iterable[ExternalLimit]) -> list[dict[str, Any]]:
    """The limits in the words of the request."""
    return [
        {
            "source": each.source,
            "evse": each.evse_id,
            "unit": each.schedule.unit,
            "periods": [[period.start, period.limit] for period in each.schedule.periods],
            "start": _moment(each.schedule.start),
            "duration_s": each.schedule.duration,
        }
        for each in limits
    ]


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
