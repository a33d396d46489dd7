"""OCPP 2.0.1 and 2.1 on the domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocpp.core.context import Block
from ocpp.core.events import MeterValue, TransactionEvent
from ocpp.core.evse import Connector, Evse
from ocpp.core.identity import IdToken
from ocpp.core.settings import SessionSettings
from ocpp.core.strategy import Strategy
from ocpp.device_model import DeviceModel
from ocpp.messages import v2
from ocpp.rpc.permission import BootState
from ocpp.security.certificate_folder import Kind
from ocpp.v2.authorization import Authorization
from ocpp.v2.availability import STATUS, Availability
from ocpp.v2.certificates import Certificates
from ocpp.v2.customer_information import CustomerInformation
from ocpp.v2.data_transfer import DataTransfer
from ocpp.v2.diagnostics import LOG_STATUS, Diagnostics
from ocpp.v2.display import Display
from ocpp.v2.firmware import Firmware
from ocpp.v2.iso15118 import Iso15118
from ocpp.v2.local_list import LocalList
from ocpp.v2.meter_values import MeterValues
from ocpp.v2.monitoring import Monitoring
from ocpp.v2.provisioning import Provisioning
from ocpp.v2.remote_control import RemoteControl
from ocpp.v2.reservation import Reservation
from ocpp.v2.security import Security
from ocpp.v2.smart_charging import SmartCharging
from ocpp.v2.tariff_cost import TariffCost
from ocpp.v2.transactions import Transactions


class Strategy2(Strategy):
    """2.0.1 or 2.1, whichever the CSMS picked for the connection."""

    def session_settings(self, model: DeviceModel) -> SessionSettings:
        """See `Strategy.session_settings`."""
        return SessionSettings(model)

    def build(self) -> list[Block]:
        """See `Strategy.build`."""
        context = self.context
        queue_all = context.model.boolean("OCPPCommCtrlr/QueueAllMessages")
        self.endpoint.queue_all = lambda: queue_all.value
        self.transactions = Transactions(context, self.outbox)
        self.availability = Availability(context)
        self.transactions.follow(STATUS, self.availability)
        self.meter_values = MeterValues(context)
        self.remote_control = RemoteControl(context)
        self.data_transfer = DataTransfer(context)
        self.remote_control.triggers |= {
            "BootNotification": lambda where: self.boot.again if self._may_boot_again() else None,
            "Heartbeat": lambda where: lambda: self.endpoint.spawn(self.boot.beat()),
            "StatusNotification": self._trigger_status,
        }
        self.diagnostics = diagnostics = Diagnostics(context)
        self.transactions.follow(LOG_STATUS, diagnostics)
        self.remote_control.triggers["LogStatusNotification"] = lambda where: diagnostics.trigger
        certificates = Certificates(context)
        firmware = Firmware(context)
        self.remote_control.triggers["FirmwareStatusNotification"] = lambda where: firmware.trigger
        self._trigger_signing(certificates)
        blocks: list[Block] = [
            Provisioning(context),
            Authorization(context),
            self.transactions,
            self.remote_control,
            self.availability,
            self.meter_values,
            self.data_transfer,
            diagnostics,
            certificates,
            firmware,
        ]
        if self.has("LocalAuthListCtrlr"):
            blocks.append(LocalList(context))
        if self.has("ReservationCtrlr"):
            blocks.append(Reservation(context))
        if self.has("SmartChargingCtrlr"):
            blocks.append(SmartCharging(context))
        if self.has("MonitoringCtrlr"):
            blocks.append(Monitoring(context, self.outbox))
        if self.has("ISO15118Ctrlr"):
            blocks.append(Iso15118(context))
        if self.has("DisplayMessageCtrlr"):
            blocks.append(Display(context))
        return [*blocks, CustomerInformation(context), TariffCost(context), Security(context)]

    def _trigger_signing(self, certificates: Certificates) -> None:
        """The certificates that the CSMS may ask to be renewed; those towards EVs where there is ISO 15118."""
        wishes: dict[str, tuple[Kind, ...]] = {"SignChargingStationCertificate": (Kind.STATION,)}
        if self.has("ISO15118Ctrlr"):
            wishes["SignV2GCertificate"] = (Kind.V2G,)
            wishes["SignCombinedCertificate"] = (Kind.STATION, Kind.V2G)
        for name, kinds in wishes.items():
            self.remote_control.triggers[name] = self._signing_of(certificates, kinds)

    def _signing_of(
        self, certificates: Certificates, kinds: tuple[Kind, ...]
    ) -> Callable[[v2.EVSE | None], Callable[[], None]]:
        return lambda where: lambda: self.endpoint.spawn(certificates.sign(*kinds))

    def new_sessions_while_firmware_waits(self) -> bool:
        """See `Strategy.new_sessions_while_firmware_waits` (L01.FR.07)."""
        return self.context.model.boolean("ChargingStation/AllowNewSessionsPendingFirmwareUpdate").value

    # -- boot -----------------------------------------------------------------------------------------------------

    def _may_boot_again(self) -> bool:
        """F06.FR.17: not once the CSMS has accepted."""
        return self.endpoint.boot_state is not BootState.ACCEPTED

    def _trigger_status(self, where: v2.EVSE | None) -> Callable[[], None] | None:
        if where is None or where.connector_id is None:
            return None
        if where.id not in self.context.evses:
            return None
        evse_id, connector_id = where.id, where.connector_id
        if all(connector.id != connector_id for connector in self.context.evses[evse_id].connectors):
            return None

        def send() -> None:
            self.availability.trigger(evse_id, connector_id)

        return send

    # -- the domain's ear -----------------------------------------------------------------------------------------

    def transaction_event(self, event: TransactionEvent) -> None:
        """See `DomainListener.transaction_event`."""
        self.transactions.transaction_event(event)
        self.tell_driver(event)
        self.changed()

    def connector_changed(self, evse: Evse, connector: Connector) -> None:
        """See `DomainListener.connector_changed`."""
        self.context.reservations.review()
        self.availability.connector_changed(evse, connector)
        self.changed()

    def evse_changed(self, evse: Evse) -> None:
        """See `DomainListener.evse_changed`."""
        self.context.reservations.review()
        self.availability.evse_changed(evse)
        self.changed()

    def aligned_values(self, evse_id: int, value: MeterValue) -> None:
        """See `DomainListener.aligned_values`."""
        self.meter_values.aligned_values(evse_id, value)

    def local_authorization(self, token: IdToken, status: str) -> None:
        """See `DomainListener.local_authorization`."""
        self.changed()

    async def transfer_data(self, vendor_id: str, message_id: str | None, data: Any) -> tuple[str, Any]:
        """See `Strategy.transfer_data`."""
        return await self.data_transfer.send(vendor_id, message_id, data)

    def connector_status(self, evse: Evse, connector: Connector) -> str:
        """The connector's status as this version calls it."""
        return self.availability.status_of(evse, connector)

    # -- life -----------------------------------------------------------------------------------------------------

    def quiet(self) -> None:
        """See `Strategy.quiet`."""
        super().quiet()
        self.availability.stop()
        self.diagnostics.stop()
