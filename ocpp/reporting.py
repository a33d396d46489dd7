"""What firmware tells a `ChargePoint`: everything that its hardware sees, in words that know no OCPP version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ocpp.security.event_log import TAMPER

if TYPE_CHECKING:
    from ocpp.core.ev_link import EvCertificateAnswer, EvNeeds, EvSchedule
    from ocpp.core.evse import Fault
    from ocpp.core.external_limits import ExternalLimit
    from ocpp.core.identity import IdToken
    from ocpp.core.strategy import Strategy


class Reporting(ABC):
    """The reporting methods. They never block and never wait for the CSMS, unless they are coroutines.

    LookupError (`DeviceModelError`) for an EVSE or connector that the station does not have.
    """

    @property
    @abstractmethod
    def _strategy(self) -> Strategy:
        """The domain."""

    # -- what firmware reports ------------------------------------------------------------------------------------

    def cable_plugged(self, evse_id: int, connector_id: int = 1) -> None:
        """A cable connects EV and EVSE (control pilot left state A)."""
        self._strategy.charging.cable_plugged(evse_id, connector_id)

    def cable_unplugged(self, evse_id: int, connector_id: int = 1) -> None:
        """The EV is gone (control pilot in state A)."""
        self._strategy.charging.cable_unplugged(evse_id, connector_id)

    def plug_seen(self, evse_id: int, connector_id: int, present: bool) -> None:
        """A socket that can tell has a plug in it, or no longer, whatever is at the other end of the cable.

        Sockets that cannot tell never call this; a cable is gone there when no EV and no lock holds it.
        """
        self._strategy.charging.plug_seen(evse_id, connector_id, present)

    def ev_state_changed(self, evse_id: int, *, requests_energy: bool, energy_flows: bool) -> None:
        """The EV asks for energy (control pilot C or D), and whether it gets it (contactor closed)."""
        self._strategy.charging.ev_state_changed(evse_id, requests_energy=requests_energy, energy_flows=energy_flows)

    def token_presented(self, token: IdToken, evse_ids: tuple[int, ...] = ()) -> None:
        """A driver identified at a reader that serves `evse_ids` (empty: all). What it means is decided here."""
        self._strategy.endpoint.spawn(self._strategy.charging.admission.present_token(token, evse_ids))

    def master_pass_chosen(self, evse_ids: tuple[int, ...] = ()) -> None:
        """The holder of the master pass has chosen whose transactions end (empty: all of them).

        ValueError when `master_pass_waits` is false; LookupError for an unknown EVSE.
        """
        self._strategy.charging.admission.master_pass.choose(evse_ids)

    def bay_changed(self, evse_id: int, occupied: bool) -> None:
        """The parking bay's sensor changed its mind."""
        self._strategy.charging.bay_changed(evse_id, occupied)

    def tamper_detected(self, info: str) -> None:
        """Somebody opened what is to stay closed; a security event, and no reason to stop charging."""
        self._strategy.context.security.record(TAMPER, info)

    def fault_raised(self, evse_id: int, connector_id: int, fault: Fault) -> None:
        """A fault; connector 0 is the EVSE as a whole, EVSE 0 the station."""
        self._strategy.charging.fault_changed(evse_id, connector_id, fault, active=True)

    def fault_cleared(self, evse_id: int, connector_id: int, fault: Fault) -> None:
        """The fault of that kind is gone."""
        self._strategy.charging.fault_changed(evse_id, connector_id, fault, active=False)

    def limit_changed(self, evse_id: int, limit_a: float | None) -> None:
        """A limit from outside OCPP (load balancing, temperature) in A per phase; None: none."""
        self._strategy.charging.limit_changed(evse_id, limit_a)

    def external_limit_set(self, limit: ExternalLimit) -> None:
        """Another system than the CSMS limits the station or an EVSE, until it sets another limit or releases it (K11).

        ValueError for what makes no sense; LookupError for an unknown EVSE.
        """
        self._strategy.context.external_limits.impose(limit)

    def external_limit_released(self, source: str, evse_id: int = 0) -> bool:
        """The limit of that system holds no longer (K13); False when there is none. ValueError for an unknown source."""
        return self._strategy.context.external_limits.release(source, evse_id)

    # -- what an ISO 15118 controller reports ---------------------------------------------------------------------

    async def contract_presented(self, evse_id: int, emaid: str, chain: str) -> bool:
        """An EV presents its contract certificate with its chain, leaf first, PEM; gives whether it may charge (C07)."""
        return await self._strategy.context.contracts.presented(evse_id, emaid, chain)

    async def ev_certificate_requested(self, evse_id: int, schema: str, action: str, exi: str) -> EvCertificateAnswer:
        """An EV asks for a contract certificate: `action` Install or Update, raw request in base64 (M01, M02)."""
        return await self._strategy.context.contracts.certificate_requested(evse_id, schema, action, exi)

    def ev_needs(self, evse_id: int, needs: EvNeeds) -> None:
        """An EV tells what it needs; the offer comes through `EvLink` (K15, K17). ValueError for a contradiction."""
        self._strategy.context.ev_schedules.needs(evse_id, needs)

    def ev_schedule(self, evse_id: int, schedule: EvSchedule) -> None:
        """An EV tells how it is going to charge (K15.FR.09)."""
        self._strategy.context.ev_schedules.schedule(evse_id, schedule)

    def ev_session_stopped(self, evse_id: int) -> None:
        """An EV ends its session for good: SessionStopReq with Terminate, not with Pause (E15)."""
        self._strategy.charging.session_stopped(evse_id)

    def clock_changed(self) -> None:
        """The wall clock jumped: what is aligned to it follows."""
        self._strategy.charging.clock_changed()
