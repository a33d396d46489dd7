"""Between the ISO 15118 controllers of `hal` and `ChargePoint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hal.interfaces import OfferedSchedule

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from datetime import datetime
    from typing import Any

    from hal.interfaces import EvController
    from ocpp.charge_point import ChargePoint, EvCertificateAnswer, EvSchedule, Schedule
    from ocpp.clock import Clock


class EvControllers:
    """`EvLink` on the controllers of the EVSEs that have one."""

    def __init__(self) -> None:
        self._controllers: Mapping[int, EvController] = {}

    def attach(self, controllers: Mapping[int, EvController]) -> None:
        """The controllers by EVSE."""
        self._controllers = controllers

    def authorization(self, evse_id: int, accepted: bool) -> None:
        """See `EvLink.authorization`."""
        if evse_id in self._controllers:
            self._controllers[evse_id].authorization(accepted)

    def certificate(self, evse_id: int, answer: EvCertificateAnswer) -> None:
        """See `EvLink.certificate`."""
        if evse_id in self._controllers:
            self._controllers[evse_id].certificate(answer.accepted, answer.exi)

    def offer(self, evse_id: int, schedules: tuple[Schedule, ...]) -> None:
        """See `EvLink.offer`."""
        if evse_id in self._controllers:
            self._controllers[evse_id].offer(tuple(_offered(each) for each in schedules))

    def renegotiate(self, evse_id: int) -> None:
        """See `EvLink.renegotiate`."""
        if evse_id in self._controllers:
            self._controllers[evse_id].renegotiate()


class EvReports:
    """`EvControllerListener` that hands everything to the charge point."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.charge_point: ChargePoint | None = None

    def contract(self, evse_id: int, emaid: str, chain: str) -> None:
        """See `EvControllerListener.contract`."""
        if self.charge_point is not None:
            self._spawn(self.charge_point.contract_presented(evse_id, emaid, chain))

    def certificate_request(self, evse_id: int, schema: str, action: str, exi: str) -> None:
        """See `EvControllerListener.certificate_request`."""
        if self.charge_point is not None:
            self._spawn(self.charge_point.ev_certificate_requested(evse_id, schema, action, exi))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        assert self.charge_point is not None
        self.charge_point.strategy.endpoint.spawn(work)

    def needs(self, evse_id: int, needs: dict[str, object]) -> None:
        """See `EvControllerListener.needs`; ValueError says what is wrong with them."""
        from ocpp.core.ev_link import EvNeeds

        if self.charge_point is not None:
            try:
                self.charge_point.ev_needs(evse_id, msgspec.convert(needs, EvNeeds))
            except msgspec.ValidationError as wrong:
                raise ValueError(f"needs: {wrong}") from wrong

    def session_stopped(self, evse_id: int) -> None:
        """See `EvControllerListener.session_stopped`."""
        if self.charge_point is not None:
            self.charge_point.ev_session_stopped(evse_id)

    def schedule(self, evse_id: int, chosen: OfferedSchedule) -> None:
        """See `EvControllerListener.schedule`."""
        if self.charge_point is not None:
            self.charge_point.ev_schedule(evse_id, _chosen(chosen, self._clock.now()))


def _offered(schedule: Schedule) -> OfferedSchedule:
    periods = tuple((each.start, each.limit) for each in schedule.periods)
    return OfferedSchedule(schedule.id, periods, schedule.duration or 0)


def _chosen(chosen: OfferedSchedule, now: datetime) -> EvSchedule:
    from ocpp.core.ev_link import EvSchedule
    from ocpp.core.schedule import Period, Schedule

    periods = tuple(Period(start, limit) for start, limit in chosen.periods)
    schedule = Schedule(id=chosen.id, unit="A", periods=periods, duration=chosen.duration_s or None)
    return EvSchedule(now, schedule, chosen.id)
