"""What the station hands to a strategy, whatever version it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from typing import Any

    from ocpp.clock import Clock
    from ocpp.core.context import Identity
    from ocpp.core.ev_link import EvLink
    from ocpp.core.evse import Evses
    from ocpp.core.firmware_update import Installer
    from ocpp.core.grid import Grid
    from ocpp.core.hardware import Hardware
    from ocpp.core.log_upload import Lines
    from ocpp.core.monitor import Monitor
    from ocpp.device_model import DeviceModel
    from ocpp.device_model.keys import KeyView
    from ocpp.security.certificate_folder import CertificateFolder
    from ocpp.storage.database import Database


class Surroundings(msgspec.Struct):
    """What the station hands to a strategy, whatever version it speaks."""

    identity: Identity
    clock: Clock
    rng: random.Random
    model: DeviceModel
    database: Database
    evses: Evses
    hardware: Hardware
    run: str
    message_timeout: Callable[[], float]
    restart: Callable[[str], None]
    certificates: CertificateFolder
    grid: Grid
    keys: KeyView | None = None
    diagnostics: Lines | None = None
    installer: Installer | None = None
    master_pass_choice: bool = False
    ev_link: EvLink | None = None
    monitors: Sequence[Monitor] = ()
    on_frame: Callable[[bool, bytes], None] | None = None
    barred: Callable[[str, int], str] | None = None
    changed: Callable[[], None] = lambda: None
    data_transfer: dict[str, Any] = msgspec.field(default_factory=dict)
