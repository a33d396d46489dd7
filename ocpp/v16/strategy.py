"""OCPP 1.6 on the domain."""

from __future__ import annotations

import json
from typing import Any

from ocpp.core.context import Block
from ocpp.core.events import MeterValue, TransactionEvent
from ocpp.core.evse import Connector, Evse
from ocpp.core.identity import IdToken
from ocpp.core.settings import SessionSettings, SessionSettings16
from ocpp.core.strategy import Strategy
from ocpp.device_model import DeviceModel
from ocpp.device_model.address import parse
from ocpp.device_model.keys import KeyView
from ocpp.device_model.keys_table import Key
from ocpp.messages import v16
from ocpp.rpc.permission import BootState
from ocpp.v16.absent import AbsentProfiles
from ocpp.v16.certificates import Certificates
from ocpp.v16.core import Core
from ocpp.v16.cost_messages import CostMessages
from ocpp.v16.diagnostics import Diagnostics
from ocpp.v16.firmware import Firmware
from ocpp.v16.local_auth_list import LocalAuthList
from ocpp.v16.plug_and_charge import PlugAndCharge
from ocpp.v16.remote_trigger import RemoteTrigger
from ocpp.v16.reservation import Reservation
from ocpp.v16.security import Security
from ocpp.v16.smart_charging import SmartCharging


class Strategy16(Strategy):
    """OCPP 1.6."""

    def session_settings(self, model: DeviceModel) -> SessionSettings:
        """See `Strategy.session_settings`."""
        return SessionSettings16(model)

    def build(self) -> list[Block]:
        """See `Strategy.build`."""
        context = self.context
        keys = self.surroundings.keys or KeyView(context.model)
        self._show_public_keys(keys)
        self.core = Core(context, self.outbox, keys)
        trigger = RemoteTrigger(context)
        trigger.triggers |= {
            "BootNotification": lambda _: self._boot_again,
            "Heartbeat": lambda _: self.boot.beat,
            "StatusNotification": lambda number: lambda: self.core.status.trigger(number),
        }
        self.diagnostics = diagnostics = Diagnostics(context)
        trigger.triggers["DiagnosticsStatusNotification"] = lambda _: diagnostics.trigger
        trigger.triggers["LogStatusNotification"] = lambda _: diagnostics.trigger_log
        certificates, firmware = Certificates(context), Firmware(context)
        trigger.triggers["FirmwareStatusNotification"] = lambda _: firmware.trigger
        trigger.extended["FirmwareStatusNotification"] = lambda _: firmware.trigger_signed
        trigger.triggers["SignChargePointCertificate"] = lambda _: certificates.sign
        self.costs = CostMessages(context, self.store, self.core.status, keys)
        blocks: list[Block] = [self.core, trigger, diagnostics, certificates, firmware, Security(context, keys)]
        blocks.append(self.costs)
        if self.has("ISO15118Ctrlr"):
            blocks.append(PlugAndCharge(context))
        if self.has("LocalAuthListCtrlr"):
            blocks.append(LocalAuthList(context, self.core.status.tell_condition))
        if self.has("ReservationCtrlr"):
            blocks.append(Reservation(context))
        if self.has("SmartChargingCtrlr"):
            blocks.append(SmartCharging(context))
        return [*blocks, AbsentProfiles(blocks)]

    def _show_public_keys(self, keys: KeyView) -> None:
        """MeterPublicKey and the connector's number, where the EVSE has a meter that signs."""
        for evse in self.context.evses:
            address = f"FiscalMetering@{evse.id}/PublicKey"
            if self.context.model.find(*parse(address)) is None:
                continue
            for connector in evse.connectors:
                number = self.context.evses.number_of(connector)
                meaning = f"public key of the meter of connector {number}"
                keys.add(Key(f"MeterPublicKey{number}", address, "SignedMeterValues", meaning=meaning, whole=True))

    # -- boot -----------------------------------------------------------------------------------------------------

    async def _boot_again(self) -> None:
        """A triggered BootNotification; an accepted station sends it too, and stays accepted (1.6 section 5.17)."""
        if self.endpoint.boot_state is BootState.ACCEPTED:
            await self.introduction.introduce("")
        else:
            self.boot.again()

    # -- the domain's ear -----------------------------------------------------------------------------------------

    def transaction_event(self, event: TransactionEvent) -> None:
        """See `DomainListener.transaction_event`."""
        self.core.transactions.transaction_event(event)
        self.costs.transaction_event(event)
        self.tell_driver(event)
        self.changed()

    def connector_changed(self, evse: Evse, connector: Connector) -> None:
        """See `DomainListener.connector_changed`."""
        self.context.reservations.review()
        self.core.status.connector_changed(evse, connector)
        self.costs.connector_changed(evse, connector)
        self.changed()

    def evse_changed(self, evse: Evse) -> None:
        """See `DomainListener.evse_changed`."""
        self.context.reservations.review()
        self.core.status.evse_changed(evse)
        self.changed()

    def aligned_values(self, evse_id: int, value: MeterValue) -> None:
        """See `DomainListener.aligned_values`."""
        self.core.transactions.aligned_values(evse_id, value)

    def local_authorization(self, token: IdToken, status: str) -> None:
        """See `DomainListener.local_authorization`."""
        self.changed()

    async def transfer_data(self, vendor_id: str, message_id: str | None, data: Any) -> tuple[str, Any]:
        """See `Strategy.transfer_data`; 1.6 carries text only, so that anything else goes as JSON text."""
        text = data if data is None or isinstance(data, str) else json.dumps(data)
        request = v16.DataTransferRequest(vendor_id=vendor_id, message_id=message_id, data=text)
        response: v16.DataTransferResponse = await self.endpoint.call(request)
        return str(response.status), response.data

    def connector_status(self, evse: Evse, connector: Connector) -> str:
        """See `Strategy.connector_status`."""
        return self.core.status.status_of(evse, connector)

    # -- life -----------------------------------------------------------------------------------------------------

    def quiet(self) -> None:
        """See `Strategy.quiet`."""
        super().quiet()
        self.costs.stop()
        self.core.status.stop()
        self.diagnostics.stop()
