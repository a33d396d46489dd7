"""What the station looks like from outside: the answer of GET /api/status, and of `explain`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ocpp.charge_point import ChargePoint, Connector, Evse
from ocpp.clock import Clock, moment
from ocpp.core.installed_profiles import Criteria
from ocpp.core.limits import InForce, Limit
from ocpp.core.schedule import ChargingProfile
from ocpp.station.configuration import Configuration

FIRST_YEAR, LAST_YEAR = 1971, 9000
"""Of instants that are explained: schedules that begin or end beside them are dates, too."""

if TYPE_CHECKING:
    from ocpp.station.hardware import Parts


class StatusView:
    """Reads the charge point and its hardware; changes nothing."""

    def __init__(self, configuration: Configuration, charge_point: ChargePoint, parts: "Parts", clock: Clock) -> None:
        self._configuration = configuration
        self._charge_point = charge_point
        self._parts = parts
        self._clock = clock

    def status(self) -> dict[str, Any]:
        """Everything at once."""
        charge_point, connection = self._charge_point, self._charge_point.connection
        station = self._configuration.station
        refused, closed = charge_point.refused_frames
        return {
            "station": {
                "id": station["id"],
                "vendor": station["vendor"],
                "model": station["model"],
                "firmware_version": station["firmware_version"],
            },
            "protocol_version": connection.version,
            "connection": {
                "state": connection.state,
                "url": connection.url,
                "slot": connection.slot,
                "since": moment(connection.since),
                "last_error": connection.last_error,
                "attempts": connection.attempts,
                "network_up": charge_point.connectivity.up,
                "refused_frames": refused,
                "closed_for_refused_frames": closed,
            },
            "boot_status": charge_point.boot_status,
            "master_pass_waits": charge_point.master_pass_waits,
            "tolerated": charge_point.tolerated,
            "queues": {"transaction_messages": charge_point.queued_messages},
            "clock": {"now": moment(self._clock.now()), "quality": self._clock.quality},
            "displays": [
                {"evse": number, "texts": list(self._parts.texts(number))}
                for number in charge_point.strategy.context.displays.displays
            ],
            "evses": [self._evse(evse) for evse in charge_point.evses],
        }

    def _evse(self, evse: Evse) -> dict[str, Any]:
        shown = self._parts.snapshot(evse.id)
        return {
            "id": evse.id,
            "connectors": [self._connector(evse, connector, shown) for connector in evse.connectors],
            "transaction": self._transaction(evse),
            "limit": self.limit(evse),
            "meter": {"energy_wh": float(shown["energy_wh"]), "power_w": float(shown["power_w"])},
            "ev": {"soc": shown["soc"], "offered_a": shown["offered_a"]},
            "iso15118": self._parts.ev_session(evse.id),
        }

    def _connector(self, evse: Evse, connector: Connector, shown: dict[str, Any]) -> dict[str, Any]:
        here = connector.plugged or shown["plugged"] in (None, connector.id)
        faults = self._charge_point.evses.faults_of(evse, connector)
        return {
            "id": connector.id,
            "status": self._charge_point.connector_status(evse, connector),
            "plugged": shown["plugged"] == connector.id,
            "locked": self._parts.evse(evse.id).locked(connector.id),
            "pilot": shown["pilot"] if here else "A",
            "faults": [{"kind": fault.kind, "info": fault.info} for fault in faults.values()],
        }

    def _transaction(self, evse: Evse) -> dict[str, Any] | None:
        session = evse.session
        if session is None or session.transaction is None:
            return None
        transaction = session.transaction
        now = session.read()
        begin = transaction.begin.value() if transaction.begin is not None else None
        energy = now.value() if now is not None else None
        return {
            "id": transaction.id,
            "csms_id": transaction.csms_id,
            "state": transaction.charging_state,
            "started": moment(transaction.started_at),
            "energy_wh": float(energy - begin) if energy is not None and begin is not None else 0.0,
            "authorized": transaction.authorized,
            "seq_no": transaction.next_seq_no,
        }

    def limit(self, evse: Evse) -> dict[str, Any]:
        """What the EVSE may deliver, and what decides it."""
        now = evse.limit or self._charge_point.strategy.charging.smart.limit(evse)
        return _limit(evse, now)

    def explain(self, evse_id: int, at: str | None) -> dict[str, Any]:
        """Which limits and profiles make what an EVSE may draw at an instant."""
        evse = self._charge_point.evses[evse_id]
        instant = self._clock.now() if at is None else _instant(at)
        smart = self._charge_point.strategy.charging.smart
        limit = smart.limit(evse, instant.timestamp())
        return {
            "evse": evse_id,
            "at": moment(instant),
            "limit": _limit(evse, limit),
            "profiles": [_source(each) for each in limit.sources],
            "installed": [_profile(each) for each in smart.matching(Criteria()) if each.evse_id in (0, evse_id)],
        }


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None and FIRST_YEAR <= instant.year <= LAST_YEAR:
            return instant.astimezone(UTC)
    except ValueError:
        pass
    raise ValueError(
        f"at = {text[:40]!r} must be a date and time with an offset, such as 2026-01-01T12:00:00Z, "
        f"of the years {FIRST_YEAR} to {LAST_YEAR}"
    )


def _limit(evse: Evse, limit: Limit) -> dict[str, Any]:
    connector = evse.plugged_connector or evse.connectors[0]
    if limit.current_a >= connector.max_current_a:
        reason = "connector.max_current_a"
    elif limit.sources:
        reason = ", ".join(f"{each.profile.purpose} {each.profile.id}" for each in limit.sources)
    elif evse.limit_a is not None and limit.current_a < evse.limit_a:
        reason = "smart_charging.grid_limit_a"
    else:
        reason = "smart_charging.default_limit_a"
    return {"current_a": round(limit.current_a, 2), "phases": limit.phases, "reason": reason}


def _profile(profile: ChargingProfile) -> dict[str, Any]:
    return {
        "id": profile.id,
        "purpose": profile.purpose,
        "kind": profile.kind,
        "stack_level": profile.stack_level,
        "evse": profile.evse_id,
        "transaction": profile.transaction_id,
    }


def _source(source: InForce) -> dict[str, Any]:
    period = {"index": source.index, "start_s": source.period.start, "limit": source.period.limit}
    return {**_profile(source.profile), "period": {**period, "unit": source.profile.schedule.unit}}
