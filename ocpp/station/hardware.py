"""Between `hal` and `ChargePoint`: commands down, reports up."""

import base64
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hal.interfaces import Quantity, Reading, SignedData
from ocpp.charge_point import (
    ChargePoint,
    DisplayText,
    Fault,
    IdToken,
    Indication,
    MeterReading,
    PowerLimit,
    Sample,
    SignedReading,
)

if TYPE_CHECKING:
    from hal.simulated import SimulatedStation
    from hal.wired import WiredStation
    from ocpp.station.missing_parts import MissingParts

    Parts = SimulatedStation | WiredStation | MissingParts


class StationHardware:
    """`Hardware` on simulated or real parts."""

    def __init__(self) -> None:
        self._station: Parts | None = None

    def attach(self, station: "Parts") -> None:
        """The parts that the commands go to."""
        self._station = station

    @property
    def station(self) -> "Parts":
        """The parts; they are attached before anything can be commanded."""
        assert self._station is not None
        return self._station

    def allow_energy(self, evse_id: int, connector_id: int, limit: PowerLimit) -> None:
        """See `Hardware.allow_energy`."""
        self.station.evse(evse_id).allow_energy(limit.current_a, limit.phases)
        self.station.show_offer(evse_id)

    def stop_energy(self, evse_id: int) -> None:
        """See `Hardware.stop_energy`."""
        if self._station is not None:
            self._station.evse(evse_id).stop_energy()
            self._station.show_offer(evse_id)

    async def lock(self, evse_id: int, connector_id: int) -> bool:
        """See `Hardware.lock`."""
        return await self.station.evse(evse_id).lock(connector_id)

    async def unlock(self, evse_id: int, connector_id: int) -> bool:
        """See `Hardware.unlock`."""
        return await self.station.evse(evse_id).unlock(connector_id)

    def has_lock(self, evse_id: int, connector_id: int) -> bool:
        """See `Hardware.has_lock`."""
        return self.station.evse(evse_id).has_lock(connector_id)

    def read_meter(self, evse_id: int) -> MeterReading:
        """See `Hardware.read_meter`."""
        return reading(self.station.evse(evse_id).read_meter())

    def read_main_meter(self) -> MeterReading | None:
        """See `Hardware.read_main_meter`."""
        read = self.station.read_main_meter()
        return reading(read) if read is not None else None

    def set_available(self, evse_id: int, connector_id: int, available: bool) -> None:
        """See `Hardware.set_available`: the pilot is shared, so it fails only when the EVSE's only connector does."""
        if self._station is not None:
            self._station.set_available(evse_id, connector_id, available)

    def indicate(self, evse_id: int, indication: Indication) -> None:
        """See `Hardware.indicate`."""
        if self._station is not None:
            self._station.indicate(evse_id, indication.value)

    def show(self, display: int, texts: tuple[DisplayText, ...]) -> None:
        """See `Hardware.show`."""
        if self._station is not None:
            self._station.show(display, tuple(text.content for text in texts))

    def system_time_changed(self, utc: datetime) -> None:
        """See `Hardware.system_time_changed`: the machine's clock is left to the machine (NTP, RTC)."""


class Reports:
    """`EvseListener` that hands everything to the charge point."""

    def __init__(self) -> None:
        self.charge_point: ChargePoint | None = None

    def plugged(self, evse_id: int, connector_id: int) -> None:
        """See `EvseListener.plugged`."""
        if self.charge_point is not None:
            self.charge_point.cable_plugged(evse_id, connector_id)

    def unplugged(self, evse_id: int, connector_id: int) -> None:
        """See `EvseListener.unplugged`."""
        if self.charge_point is not None:
            self.charge_point.cable_unplugged(evse_id, connector_id)

    def socket(self, evse_id: int, connector_id: int, occupied: bool) -> None:
        """See `EvseListener.socket`."""
        if self.charge_point is not None:
            self.charge_point.plug_seen(evse_id, connector_id, occupied)

    def ev_state(self, evse_id: int, *, requests_energy: bool, energy_flows: bool) -> None:
        """See `EvseListener.ev_state`."""
        if self.charge_point is not None:
            self.charge_point.ev_state_changed(evse_id, requests_energy=requests_energy, energy_flows=energy_flows)

    def fault(self, evse_id: int, connector_id: int, kind: str, *, active: bool, info: str, vendor_code: str) -> None:
        """See `EvseListener.fault`."""
        if self.charge_point is not None:
            tell = self.charge_point.fault_raised if active else self.charge_point.fault_cleared
            tell(evse_id, connector_id, Fault(kind, info, vendor_code))

    def token(self, value: str, token_type: str, evse_ids: tuple[int, ...]) -> None:
        """See `EvseListener.token`."""
        if self.charge_point is not None:
            self.charge_point.token_presented(IdToken(value, token_type), evse_ids)

    def bay(self, evse_id: int, occupied: bool) -> None:
        """See `EvseListener.bay`."""
        if self.charge_point is not None:
            self.charge_point.bay_changed(evse_id, occupied)

    def tamper(self, evse_id: int, active: bool, info: str) -> None:
        """See `EvseListener.tamper`."""
        if self.charge_point is not None and active:
            self.charge_point.tamper_detected(info)


def reading(read: Reading) -> MeterReading:
    """A meter's reading in the domain's terms."""
    return MeterReading(
        samples=tuple(_sample(quantity) for quantity in read.quantities),
        signed_start=_signed(read.signed_start),
        signed_end=_signed(read.signed_end),
        signed_now=_signed(read.signed_now),
    )


def _sample(quantity: Quantity) -> Sample:
    return Sample(quantity.measurand, Decimal(quantity.value), quantity.unit, quantity.phase, quantity.location)


def _signed(data: SignedData | None) -> SignedReading | None:
    """In base64, with the key as the OCA's application note on signed meter values has it (3.2.1 and 3.2.2)."""
    if data is None or not data.plain:
        return SignedReading(data.data, data.method, data.encoding, data.public_key) if data is not None else None
    key = f"oca:base16:asn1:{data.public_key}" if data.public_key else ""
    return SignedReading(_base64(data.data), data.method, data.encoding, _base64(key), contained=True)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
