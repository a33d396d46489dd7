"""What the domain asks of the hardware, and how readings look. Firmware implements `Hardware`."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

ENERGY_IMPORT = "Energy.Active.Import.Register"
POWER_IMPORT = "Power.Active.Import"
CURRENT_IMPORT = "Current.Import"

PHASES = ("L1", "L2", "L3")

DRAWING_A = Decimal("0.5")
"""A phase that carries less is not used to charge; meters show some tenths of an ampere of noise."""


class Indication(StrEnum):
    """What an EVSE shows its user, by light, sound or display."""

    AVAILABLE = "Available"
    AUTHORIZING = "Authorizing"
    ACCEPTED = "Accepted"
    REFUSED = "Refused"
    PLUG_IN = "PlugIn"
    CHARGING = "Charging"
    SUSPENDED = "Suspended"
    FINISHED = "Finished"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """One measured quantity. `value` keeps every digit the meter gave; `unit` is OCPP's name (Wh, W, A, V, ...)."""

    measurand: str
    value: Decimal
    unit: str
    phase: str | None = None
    location: str | None = None


class SignedReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reading as the meter signed it, passed on byte for byte."""

    data: str
    signing_method: str = ""
    encoding_method: str = "OCMF"
    public_key: str = ""
    contained: bool = False
    """1.6 sends it as a SignedMeterValueType in JSON, with every field (OCA application note on signed meter values, 3.2.1);
    otherwise as its data alone.
    """


class MeterReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything a meter said at one moment. `signed_start` and `signed_end` exist where the meter signs."""

    samples: tuple[Sample, ...]
    signed_start: SignedReading | None = None
    signed_end: SignedReading | None = None
    signed_now: SignedReading | None = None
    """For those meters that sign any reading, not only the first and the last of a transaction."""

    def value(self, measurand: str = ENERGY_IMPORT, phase: str | None = None) -> Decimal | None:
        """The value of one quantity; None when the meter does not give it."""
        for sample in self.samples:
            if sample.measurand == measurand and sample.phase == phase:
                return sample.value
        return None

    @property
    def phases_drawing(self) -> int:
        """How many phases carry current; 0 where none does or the meter does not tell."""
        return sum(
            1
            for sample in self.samples
            if sample.measurand == CURRENT_IMPORT and sample.phase in PHASES and sample.value > DRAWING_A
        )

    @property
    def energy_wh(self) -> int:
        """The import register in whole Wh, as 1.6 meterStart and meterStop want it; 0 without a register."""
        value = self.value()
        return int(value) if value is not None else 0


class PowerLimit(msgspec.Struct, frozen=True):
    """What an EVSE may deliver: current per phase in A (0: connected but suspended) on that many phases."""

    current_a: float
    phases: int


class DisplayText(msgspec.Struct, frozen=True):
    """A text for a driver. `format` is a name of MessageFormatEnumType: ASCII, UTF8, HTML, URI or QRCODE."""

    content: str
    format: str = "UTF8"
    language: str = ""


class Hardware(Protocol):
    """What the charging station's hardware does for the domain.

    None of the methods may block; those that take time are coroutines. A method that cannot do what it was asked
    raises, and the domain treats the connector as faulted.
    """

    def allow_energy(self, evse_id: int, connector_id: int, limit: PowerLimit) -> None:
        """Offer energy up to `limit`; called again when the limit changes."""

    def stop_energy(self, evse_id: int) -> None:
        """Stop offering energy and open the contactor once the EV has let go."""

    async def lock(self, evse_id: int, connector_id: int) -> bool:
        """Lock the cable; False when the lock did not close."""

    async def unlock(self, evse_id: int, connector_id: int) -> bool:
        """Release the cable; False when the lock did not open."""

    def has_lock(self, evse_id: int, connector_id: int) -> bool:
        """Whether the connector has a lock at all (a fixed cable has none)."""

    def read_meter(self, evse_id: int) -> MeterReading:
        """The newest reading of the EVSE's meter, without touching a bus."""

    def read_main_meter(self) -> MeterReading | None:
        """The newest reading of the meter of the whole station; None where it has none."""

    def set_available(self, evse_id: int, connector_id: int, available: bool) -> None:
        """Out of service: no pilot, no light that invites."""

    def indicate(self, evse_id: int, indication: Indication) -> None:
        """Show the user what is going on."""

    def show(self, display: int, texts: tuple[DisplayText, ...]) -> None:
        """Show these texts in turn, instead of those before; display 0 is the station's, others are their EVSE's."""

    def system_time_changed(self, utc: datetime) -> None:
        """The CSMS told the time; a station without its own time service may set its clock."""
