"""What every functional block and feature profile is given, and the interface it implements."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from ocpp.clock import Clock
    from ocpp.connectivity import ConnectivityManager
    from ocpp.core.authorization import Authorizer
    from ocpp.core.availability import Availability
    from ocpp.core.certificate_signing import CertificateSigning
    from ocpp.core.certificates import Certificates
    from ocpp.core.charging import Charging
    from ocpp.core.contracts import Contracts
    from ocpp.core.customers import Customers
    from ocpp.core.display import Displays
    from ocpp.core.driver_texts import DriverTexts
    from ocpp.core.ev_schedules import EvSchedules
    from ocpp.core.evse import Evses
    from ocpp.core.external_limits import ExternalLimits
    from ocpp.core.firmware import FirmwareUpdates
    from ocpp.core.local_list import LocalList
    from ocpp.core.log_upload import LogUploads
    from ocpp.core.monitoring import Monitoring
    from ocpp.core.reservations import Reservations
    from ocpp.core.reset import Resets
    from ocpp.core.schedule import ChargingProfile
    from ocpp.core.security_upgrade import SecurityUpgrade
    from ocpp.device_model import DeviceModel
    from ocpp.rpc.endpoint import Endpoint, Handler
    from ocpp.security.event_log import SecurityLog
    from ocpp.storage.database import Database
    from ocpp.storage.state import StateRepository


log = logging.getLogger(__name__)


class Signal:
    """Something that several blocks want to hear about; listeners are called in the order they were added."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever it happens."""
        self._listeners.append(listener)

    def emit(self) -> None:
        """It happened. What one listener fails with is logged, and keeps no other from hearing of it."""
        for listener in tuple(self._listeners):
            try:
                listener()
            except Exception:
                log.exception("a listener failed")


class Identity(msgspec.Struct, frozen=True):
    """How the station introduces itself (BootNotification)."""

    id: str
    vendor: str
    model: str
    serial_number: str | None = None
    charge_box_serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None


class Signals(msgspec.Struct):
    """What happens between station and CSMS."""

    introduced: Signal = msgspec.field(default_factory=Signal)
    """The CSMS has accepted a BootNotification: it knows nothing of what was told before. `accepted` follows."""
    accepted: Signal = msgspec.field(default_factory=Signal)
    """The CSMS has accepted the station, for the first time in this connection."""
    connected: Signal = msgspec.field(default_factory=Signal)
    """A connection is open."""
    disconnected: Signal = msgspec.field(default_factory=Signal)
    """The connection is gone."""


class Context(msgspec.Struct):
    """The shared surroundings of all blocks."""

    identity: Identity
    clock: Clock
    model: DeviceModel
    database: Database
    state: StateRepository
    rpc: Endpoint
    evses: Evses
    charging: Charging
    authorizer: Authorizer
    local_list: LocalList
    reservations: Reservations
    availability: Availability
    resets: Resets
    signals: Signals
    security: SecurityLog
    logs: LogUploads
    certificates: Certificates
    signing: CertificateSigning
    firmware: FirmwareUpdates
    upgrade: SecurityUpgrade
    displays: Displays
    driver_texts: DriverTexts
    contracts: Contracts
    ev_schedules: EvSchedules
    external_limits: ExternalLimits
    monitoring: Monitoring
    customers: Customers
    connectivity: ConnectivityManager | None = None
    offline_since: float | None = None
    """Monotonic time since which the CSMS could not be told anything; None once it has accepted the station again."""
    data_transfer: dict[str, Callable[[str | None, Any], Awaitable[tuple[str, Any]]]] = msgspec.field(
        default_factory=dict
    )
    """Vendor id -> handler of data transfers: takes message id and data, gives status name and data."""
    remote_start_profile: Callable[[Any, int, str], ChargingProfile | None] = lambda given, evse_id, transaction_id: (
        None
    )
    """Reads the charging profile of a remote start; the smart charging block supplies it."""
    time_set: Callable[[datetime], None] = lambda utc: None


class Block(Protocol):
    """A functional block (2.x) or feature profile (1.6)."""

    @property
    def actions(self) -> Mapping[str, Handler]:
        """The calls of the CSMS that this block answers."""

    def callbacks_complete(self) -> None:
        """Everything is wired up; the block may start timers and listen to signals."""


def register(blocks: list[Block], rpc: Endpoint) -> None:
    """Put the blocks' actions on the endpoint and tell them that all is ready; ValueError when two claim one action."""
    for block in blocks:
        for action, handler in block.actions.items():
            rpc.register(action, handler)
    for block in blocks:
        block.callbacks_complete()
