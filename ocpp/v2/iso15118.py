"""ISO 15118: contracts (C07), certificates for EVs (M01, M02), statuses (M06), negotiated schedules (K15 to K17)."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.contracts import ContractQuery, OcspQuery
from ocpp.core.ev_link import AcNeeds, DcNeeds, EvCertificateAnswer, EvNeeds, EvSchedule
from ocpp.core.identity import AuthorizationInfo
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler
from ocpp.v2 import translation
from ocpp.v2.smart_charging import write_schedule
from ocpp.versions import OcppVersion

ACCEPTED = "Accepted"


class Iso15118:
    """What EVs say over ISO 15118, as messages to the CSMS. It calls nothing here: everything begins at the EV."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        contracts, schedules = self._context.contracts, self._context.ev_schedules
        contracts.ask, contracts.forward, contracts.ask_status = self.ask, self.forward, self.ask_status
        schedules.tell_needs, schedules.tell_schedule = self.tell_needs, self.tell_schedule
        self._context.signals.accepted.listen(contracts.review)

    async def ask(self, query: ContractQuery) -> tuple[AuthorizationInfo, str]:
        """Authorize with a contract (C07.FR.02, .06)."""
        response: v2.AuthorizeResponse = await self._context.rpc.call(
            v2.AuthorizeRequest(
                id_token=translation.id_token_message(query.token),
                certificate=query.chain,
                iso15118_certificate_hash_data=[_ocsp(each) for each in query.hashes] or None,
            )
        )
        status = response.certificate_status
        return translation.authorization_info(response.id_token_info), str(status) if status is not None else ""

    async def forward(self, schema: str, action: str, exi: str) -> EvCertificateAnswer:
        """Get15118EVCertificate (M01, M02)."""
        response: v2.Get15118EVCertificateResponse = await self._context.rpc.call(
            v2.Get15118EVCertificateRequest(
                iso15118_schema_version=schema, action=v2.CertificateActionEnum(action), exi_request=exi
            )
        )
        return EvCertificateAnswer(str(response.status) == ACCEPTED, response.exi_response)

    async def ask_status(self, query: OcspQuery) -> str | None:
        """GetCertificateStatus (M06)."""
        response: v2.GetCertificateStatusResponse = await self._context.rpc.call(
            v2.GetCertificateStatusRequest(ocsp_request_data=_ocsp(query))
        )
        return response.ocsp_result if str(response.status) == ACCEPTED else None

    async def tell_needs(self, evse_id: int, needs: EvNeeds) -> str:
        """NotifyEVChargingNeeds (K15.FR.01)."""
        response: v2.NotifyEVChargingNeedsResponse = await self._context.rpc.call(
            v2.NotifyEVChargingNeedsRequest(
                evse_id=evse_id, max_schedule_tuples=needs.max_schedule_tuples, charging_needs=_needs(needs)
            )
        )
        return str(response.status)

    async def tell_schedule(self, evse_id: int, chosen: EvSchedule) -> str:
        """NotifyEVChargingSchedule (K15.FR.10); 2.1 hears which schedule was chosen, too."""
        catalogue = self._context.rpc.catalogue
        with_21 = catalogue is not None and catalogue.version is OcppVersion.V21
        response: v2.NotifyEVChargingScheduleResponse = await self._context.rpc.call(
            v2.NotifyEVChargingScheduleRequest(
                time_base=chosen.time_base,
                evse_id=evse_id,
                charging_schedule=write_schedule(chosen.schedule),
                selected_charging_schedule_id=chosen.selected if with_21 else None,
            )
        )
        return str(response.status)


def _ocsp(query: OcspQuery) -> v2.OCSPRequestData:
    data = query.data
    return v2.OCSPRequestData(
        hash_algorithm=v2.HashAlgorithmEnum(data.algorithm),
        issuer_name_hash=data.issuer_name_hash,
        issuer_key_hash=data.issuer_key_hash,
        serial_number=data.serial_number,
        responder_url=query.responder,
    )


def _needs(needs: EvNeeds) -> v2.ChargingNeeds:
    return v2.ChargingNeeds(
        requested_energy_transfer=v2.EnergyTransferModeEnum(needs.transfer),
        departure_time=needs.departure,
        ac_charging_parameters=_ac(needs.ac) if needs.ac is not None else None,
        dc_charging_parameters=_dc(needs.dc) if needs.dc is not None else None,
    )


def _ac(needs: AcNeeds) -> v2.ACChargingParameters:
    return v2.ACChargingParameters(
        energy_amount=needs.energy_amount,
        ev_min_current=needs.ev_min_current,
        ev_max_current=needs.ev_max_current,
        ev_max_voltage=needs.ev_max_voltage,
    )


def _dc(needs: DcNeeds) -> v2.DCChargingParameters:
    return v2.DCChargingParameters(
        ev_max_current=needs.ev_max_current,
        ev_max_voltage=needs.ev_max_voltage,
        energy_amount=needs.energy_amount,
        ev_max_power=needs.ev_max_power,
        state_of_charge=needs.state_of_charge,
        ev_energy_capacity=needs.ev_energy_capacity,
        full_soc=needs.full_soc,
        bulk_soc=needs.bulk_soc,
    )
