"""What the domain and the ISO 15118 controller of an EVSE say to each other.

The controller speaks ISO 15118 with the EV; the domain gives it what the CSMS decides.
"""

from datetime import datetime
from typing import Protocol

import msgspec

from ocpp.core.schedule import Schedule

AC_TRANSFER = ("AC_single_phase", "AC_two_phase", "AC_three_phase")
DC_TRANSFER = ("DC",)
TRANSFER_MODES = (*AC_TRANSFER, *DC_TRANSFER)
"""EnergyTransferModeEnumType of 2.0.1."""


class AcNeeds(msgspec.Struct, frozen=True):
    """ACChargingParametersType: energy in Wh, currents in A per phase, voltage in V."""

    energy_amount: int
    ev_min_current: int
    ev_max_current: int
    ev_max_voltage: int


class DcNeeds(msgspec.Struct, frozen=True):
    """DCChargingParametersType: current in A, voltage in V, energy in Wh, power in W, the rest in percent."""

    ev_max_current: int
    ev_max_voltage: int
    energy_amount: int | None = None
    ev_max_power: int | None = None
    state_of_charge: int | None = None
    ev_energy_capacity: int | None = None
    full_soc: int | None = None
    bulk_soc: int | None = None


class EvNeeds(msgspec.Struct, frozen=True):
    """What an EV wants (ChargingNeedsType): exactly one of `ac` and `dc`, fitting to `transfer` (K15.FR.06)."""

    transfer: str
    ac: AcNeeds | None = None
    dc: DcNeeds | None = None
    departure: datetime | None = None
    max_schedule_tuples: int | None = None

    def defect(self) -> str:
        """What is wrong; "" when nothing is."""
        if self.transfer not in TRANSFER_MODES:
            return f"transfer {self.transfer!r} is not one of {', '.join(TRANSFER_MODES)}"
        if (self.ac is None) == (self.dc is None):
            return "exactly one of ac and dc is needed"
        return "" if (self.dc is not None) == (self.transfer in DC_TRANSFER) else "the parameters do not fit transfer"


class EvCertificateAnswer(msgspec.Struct, frozen=True):
    """What comes of an EV's wish for a contract certificate; `exi` is the raw ISO 15118 response, base64."""

    accepted: bool
    exi: str = ""


class EvLink(Protocol):
    """The ISO 15118 controllers of the station. Methods return at once."""

    def authorization(self, evse_id: int, accepted: bool) -> None:
        """Whether the contract that was presented may charge."""

    def certificate(self, evse_id: int, answer: EvCertificateAnswer) -> None:
        """The answer to a CertificateInstallationReq or CertificateUpdateReq."""

    def offer(self, evse_id: int, schedules: tuple[Schedule, ...]) -> None:
        """What the EV may choose from (SAScheduleList); limits in the schedules' own units."""

    def renegotiate(self, evse_id: int) -> None:
        """Ask the EV to negotiate anew; `offer` follows (EVSENotification ReNegotiation)."""


class NoEvLink:
    """A station without ISO 15118."""

    def authorization(self, evse_id: int, accepted: bool) -> None:
        """See `EvLink.authorization`."""

    def certificate(self, evse_id: int, answer: EvCertificateAnswer) -> None:
        """See `EvLink.certificate`."""

    def offer(self, evse_id: int, schedules: tuple[Schedule, ...]) -> None:
        """See `EvLink.offer`."""

    def renegotiate(self, evse_id: int) -> None:
        """See `EvLink.renegotiate`."""


class EvSchedule(msgspec.Struct, frozen=True):
    """The charging profile an EV has chosen, as a schedule from `time_base` on; `selected` is the tuple it is from."""

    time_base: datetime
    schedule: Schedule
    selected: int | None = None
