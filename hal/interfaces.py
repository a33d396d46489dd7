"""What the parts of a charging station do, whatever they are made of. Drivers and simulation implement these.

Methods return at once unless they are coroutines; they raise `hal.errors.HardwareError` when the part fails.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from hal.iec61851 import PilotState


class Quantity(msgspec.Struct, frozen=True):
    """A measured value. Names, units and phases are OCPP's ("Energy.Active.Import.Register", "Wh", "L1-N")."""

    measurand: str
    value: Decimal
    unit: str
    phase: str | None = None
    location: str | None = None
    """Where it was measured, as OCPP names it ("EV", "Inlet"); None: at the outlet."""


class SignedData(msgspec.Struct, frozen=True):
    """A reading signed by the meter, byte for byte."""

    data: str
    encoding: str = "OCMF"
    method: str = ""
    public_key: str = ""
    plain: bool = False
    """`data` is the meter's own text and `public_key` the hexadecimal digits on its plate, as real meters give them; otherwise
    both are ready to be sent on."""


class Reading(msgspec.Struct, frozen=True):
    """Everything a meter says at one moment."""

    quantities: tuple[Quantity, ...]
    signed_start: SignedData | None = None
    signed_end: SignedData | None = None
    signed_now: SignedData | None = None
    """Of a meter that signs any reading; the others sign the first and the last of a charging session."""


class Contactor(Protocol):
    """Switches the power path."""

    def close(self) -> None:
        """Let current flow."""

    def open(self) -> None:
        """Interrupt; must work whatever happened before."""

    @property
    def closed(self) -> bool:
        """What the feedback contact says."""


class PhaseSwitch(Protocol):
    """A contactor that can leave two phases out."""

    @property
    def phases(self) -> int:
        """How many it closes: 1 or 3."""

    def use(self, phases: int) -> None:
        """Close so many from the next time on; only while it is open."""


class ControlPilot(Protocol):
    """Drives and reads the control pilot line."""

    def offer(self, current_a: float | None) -> None:
        """Offer that current by PWM; None: steady +12 V, nothing is offered."""

    def fail(self, failed: bool) -> None:
        """State F (-12 V): the EVSE is not available."""

    @property
    def state(self) -> PilotState:
        """The state the line is in."""


class Meter(Protocol):
    """An energy meter."""

    def read(self) -> Reading:
        """The newest reading, without waiting for a bus."""


class Lock(Protocol):
    """Holds the cable in a socket."""

    async def lock(self) -> bool:
        """Close; False when the feedback does not follow."""

    async def unlock(self) -> bool:
        """Open; False when the feedback does not follow."""

    @property
    def locked(self) -> bool:
        """What the feedback says."""


class EvseListener(Protocol):
    """Who wants to know what happens at EVSEs; called from the loop, never from inside a command."""

    def plugged(self, evse_id: int, connector_id: int) -> None:
        """A cable connects to an EV."""

    def unplugged(self, evse_id: int, connector_id: int) -> None:
        """It does not any more; no energy is requested and none flows from then on."""

    def socket(self, evse_id: int, connector_id: int, occupied: bool) -> None:
        """Whether a plug is in a socket that can tell, whatever is at the other end of the cable."""

    def ev_state(self, evse_id: int, *, requests_energy: bool, energy_flows: bool) -> None:
        """The EV's wish, and whether current flows."""

    def fault(self, evse_id: int, connector_id: int, kind: str, *, active: bool, info: str, vendor_code: str) -> None:
        """A fault came or went; connector 0 is the EVSE."""

    def token(self, value: str, token_type: str, evse_ids: tuple[int, ...]) -> None:
        """A token was presented once."""

    def bay(self, evse_id: int, occupied: bool) -> None:
        """The parking bay's sensor."""

    def tamper(self, evse_id: int, active: bool, info: str) -> None:
        """Somebody opened what is to stay closed, or it is closed again; EVSE 0 is the station."""


class Display(Protocol):
    """Something people read: a line of characters or a screen."""

    def show(self, texts: tuple[str, ...]) -> None:
        """Show these texts in turn, at the display's own pace, instead of those before; none: blank."""


class OfferedSchedule(msgspec.Struct, frozen=True):
    """What an EV may draw: from each second on a current in A per phase; `duration_s` is how far it reaches."""

    id: int
    periods: tuple[tuple[int, float], ...]
    duration_s: int


class EvController(Protocol):
    """Speaks ISO 15118 with the EV at one EVSE. What the EV says goes to an `EvControllerListener`."""

    def authorization(self, accepted: bool) -> None:
        """Whether the contract that the EV presented may charge."""

    def certificate(self, accepted: bool, exi: str) -> None:
        """The answer to the EV's request for a contract certificate, raw and in base64."""

    def offer(self, schedules: tuple[OfferedSchedule, ...]) -> None:
        """What the EV may choose from (SAScheduleList)."""

    def renegotiate(self) -> None:
        """Ask the EV to negotiate anew; an offer follows."""


class EvControllerListener(Protocol):
    """Who wants to know what EVs say over ISO 15118; called from the loop, never from inside a command."""

    def contract(self, evse_id: int, emaid: str, chain: str) -> None:
        """The EV presents its contract certificate with its chain, leaf first, PEM."""

    def certificate_request(self, evse_id: int, schema: str, action: str, exi: str) -> None:
        """The EV asks for a contract certificate; `action` is Install or Update."""

    def needs(self, evse_id: int, needs: dict[str, object]) -> None:
        """The EV tells what it needs, in the words of docs/hal/iso15118.md."""

    def schedule(self, evse_id: int, chosen: OfferedSchedule) -> None:
        """The EV tells how it is going to charge; `id` is that of the schedule it has chosen."""

    def session_stopped(self, evse_id: int) -> None:
        """The EV ends its session for good (SessionStopReq, Terminate)."""


class Proximity(Protocol):
    """Reads the cable's coding resistor (IEC 61851-1 table B.2)."""

    @property
    def rating_a(self) -> float | None:
        """What the cable carries, in A; None when no plug is in, or its resistor says nothing."""


class ResidualCurrentMonitor(Protocol):
    """Watches for DC and AC leakage (6 mA DC, IEC 62955)."""

    @property
    def tripped(self) -> bool:
        """Whether it has found leakage; reading it does not touch a bus."""

    async def self_test(self) -> bool:
        """Have it simulate leakage; whether it noticed. The contactor is open meanwhile."""


class Thermometer(Protocol):
    """Measures a temperature."""

    @property
    def celsius(self) -> float | None:
        """The newest value; None while the sensor gives none."""


class Switch(Protocol):
    """A contact: emergency stop, tamper, parking bay."""

    @property
    def active(self) -> bool:
        """Whether it is pressed, opened or occupied; reading it does not touch a slow bus."""


class Indicator(Protocol):
    """Light or sound that shows what an EVSE does."""

    def indicate(self, state: str) -> None:
        """Show a state by its name: Available, Authorizing, Accepted, Refused, PlugIn, Charging, Suspended, Finished,
        Unavailable or Faulted.
        """


class TokenReader(Protocol):
    """Reads cards. What it reads goes to `presented`, in the thread of the loop."""

    presented: Callable[[str, str], None]
    """Called with id and type ("ISO14443", "ISO15693", "KeyCode", "MacAddress") when a token appears, once."""


class PartDescription(msgspec.Struct, frozen=True):
    """A part of the station file: its driver, where it belongs (EVSE 0: the whole station) and the driver's options."""

    name: str
    driver: str
    evse: int = 0
    connector: int = 1
    options: dict[str, Any] = msgspec.field(default_factory=dict)
