"""EVSEs and connectors: what is plugged, broken, in service, and who charges there."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from ocpp.errors import DeviceModelError

if TYPE_CHECKING:
    from ocpp.core.limits import Limit
    from ocpp.core.session import ChargingSession
    from ocpp.core.transaction import Authorization

LEAST_CURRENT_A = 6.0
"""Below it an EV is paused (IEC 61851-1)."""

MAX_FAULTS = 32
"""Faults of one connector at a time; there are fewer kinds."""


class Fault(msgspec.Struct, frozen=True):
    """A fault of a connector or an EVSE. `kind` is a 1.6 ChargePointErrorCode or a name of `docs/hal`."""

    kind: str
    info: str = ""
    vendor_code: str = ""


TRANSACTION_ENDING_FAULTS = {
    "EmergencyStop": "EmergencyStop",
    "GroundFailure": "GroundFault",
    "OverCurrentFailure": "OvercurrentFault",
    "PowerSwitchFailure": "Other",
}
"""Faults after which nobody may go on charging without starting anew, and the stop reason they give (E06.FR.16)."""


HARMLESS_FAULTS = frozenset({"LocalListConflict", "ReaderFailure", "ResetFailure", "WeakSignal"})
"""Faults that are reported but do not keep anybody from charging (1.6 section 7.6)."""


def blocking(faults: Mapping[str, Fault]) -> list[Fault]:
    """Those of the faults that forbid charging."""
    return [fault for kind, fault in faults.items() if kind not in HARMLESS_FAULTS]


class Connector(msgspec.Struct):
    """One connector of an EVSE."""

    evse_id: int
    id: int
    type: str = "cType2"
    max_current_a: float = 32.0
    phases: int = 3
    operative: bool = True
    leaving: bool = False
    """In service for as long as the transaction at its EVSE lasts, although it is to be out of service (G03.FR.05)."""
    plugged: bool = False
    locked: bool = False
    in_socket: bool = False
    """Whether the socket's own contact sees a plug; False where there is no such contact."""
    left: bool = False
    """Whether the plug in the socket is what an EV has left behind."""
    reserved: bool = False
    kept_for: "Authorization | None" = None
    """Who gets the locked cable back by presenting a token, although nothing is going on any more."""
    faults: dict[str, Fault] = msgspec.field(default_factory=dict)

    @property
    def occupied(self) -> bool:
        """Whether a cable is in: connected to an EV, or still in the socket or its lock after it was pulled out there."""
        return self.plugged or self.locked or self.in_socket


class Evse(msgspec.Struct):
    """One EVSE with its connectors and at most one session."""

    id: int
    connectors: list[Connector]
    operative: bool = True
    held: bool = False
    """Out of service for a while, whatever the CSMS wants: new firmware is about to be installed."""
    restarting: bool = False
    """Out of service for a moment: the EVSE alone is being reset (B11.FR.08)."""
    bay_occupied: bool = False
    has_bay_sensor: bool = False
    ev_requests_energy: bool = False
    energy_flows: bool = False
    sated: bool = False
    """Whether the EV has enough for now: it asks for nothing although it was offered something."""
    limit_a: float | None = None
    """What holds without a charging profile, in A per phase; None: what the connector carries."""
    limit: "Limit | None" = None
    """What it may draw now, with everything taken into account."""
    faults: dict[str, Fault] = msgspec.field(default_factory=dict)
    session: "ChargingSession | None" = None

    @property
    def offers(self) -> bool:
        """Whether an EV may draw at all, as far as limits are concerned."""
        return self.limit is None or self.limit.current_a >= LEAST_CURRENT_A

    def connector(self, connector_id: int) -> Connector:
        """The connector with that id; DeviceModelError when there is none."""
        for connector in self.connectors:
            if connector.id == connector_id:
                return connector
        raise DeviceModelError(f"EVSE {self.id} has no connector {connector_id}")

    @property
    def plugged_connector(self) -> Connector | None:
        """Where the cable is; None when none is plugged."""
        for connector in self.connectors:
            if connector.plugged:
                return connector
        return None

    @property
    def occupied(self) -> bool:
        """Whether a cable is in at any of its connectors."""
        return any(connector.occupied for connector in self.connectors)

    @property
    def in_use(self) -> bool:
        """Whether a transaction is going on."""
        return self.session is not None and self.session.transaction is not None


class Evses:
    """All EVSEs of the station, by OCPP numbering from 1."""

    def __init__(self, evses: list[Evse]) -> None:
        self._evses = evses
        self._by_id = {evse.id: evse for evse in evses}
        self.operative = True
        self.faults: dict[str, Fault] = {}

    def __iter__(self) -> Iterator[Evse]:
        return iter(self._evses)

    def __len__(self) -> int:
        return len(self._evses)

    def __contains__(self, evse_id: object) -> bool:
        return evse_id in self._by_id

    def __getitem__(self, evse_id: int) -> Evse:
        evse = self._by_id.get(evse_id)
        if evse is None:
            raise DeviceModelError(f"there is no EVSE {evse_id}; known are 1 to {len(self._evses)}")
        return evse

    @property
    def connectors(self) -> list[Connector]:
        """Every connector of the station, in order."""
        return [connector for evse in self._evses for connector in evse.connectors]

    @property
    def in_service(self) -> bool:
        """Whether the station is, if only because a transaction has still to end."""
        return self.operative or any(connector.leaving for connector in self.connectors)

    def is_operative(self, evse: Evse, connector: Connector) -> bool:
        """In service: station, EVSE and connector all are (G03.FR.06, G04.FR.07), or will not be after a transaction."""
        wanted = self.operative and evse.operative and connector.operative
        return (wanted or connector.leaving) and not (evse.held or evse.restarting)

    def faults_of(self, evse: Evse, connector: Connector) -> dict[str, Fault]:
        """Everything that is wrong with a connector, its EVSE's and the station's faults included."""
        return {**self.faults, **evse.faults, **connector.faults}

    def blocking_faults(self, evse: Evse, connector: Connector) -> list[Fault]:
        """The faults that forbid charging at a connector."""
        return blocking(self.faults_of(evse, connector))

    def numbered(self, connector_number: int) -> tuple[Evse, Connector]:
        """EVSE and connector behind a 1.6 connector id (numbered through in order, from 1)."""
        number = 0
        for evse in self._evses:
            for connector in evse.connectors:
                number += 1
                if number == connector_number:
                    return evse, connector
        raise DeviceModelError(f"there is no connector {connector_number}; known are 1 to {number}")

    def number_of(self, connector: Connector) -> int:
        """The 1.6 connector id of a connector."""
        return self.connectors.index(connector) + 1
