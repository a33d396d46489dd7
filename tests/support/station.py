"""A whole charge point on a fake network, fake hardware, a clock in hand and a real database."""

import asyncio
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from ocpp.charge_point import ChargePoint, Connector, Evse, Evses, Identity, IdToken, Installer
from ocpp.clock import ManualClock
from ocpp.connectivity import NetworkProfile
from ocpp.device_model import DeviceModel
from ocpp.device_model.definition import members
from ocpp.device_model.hardware import ConnectorDescription, EvseDescription, StationDescription, define_hardware
from ocpp.device_model.keys import KeyView
from ocpp.device_model.standard import build
from ocpp.errors import ConnectError
from ocpp.storage.database import Database
from ocpp.storage.network_slots import NetworkSlotRepository
from ocpp.storage.variables import VariableRepository
from ocpp.versions import OcppVersion
from support.csms import ScriptedCsms
from support.hardware import FakeHardware
from support.links import FakeLink

CARD = "04A2B3C4D5E6F7"


class StationUnderTest:
    """Starts, is charged at, loses its connection and its power as the test wishes."""

    def __init__(
        self,
        path: Path,
        version: OcppVersion = OcppVersion.V201,
        *,
        evses: int = 1,
        connectors: int = 1,
        clock: ManualClock | None = None,
        speaks: OcppVersion | None = None,
        variables: dict[str, Any] | None = None,
        seed: int = 1,
        profiles: list[NetworkProfile] | None = None,
        installer: Installer | None = None,
        firmware_version: str | None = "1.0",
        barred: Callable[[str, int], str] | None = None,
    ) -> None:
        self.version = version
        self.clock = clock or ManualClock()
        self.csms = ScriptedCsms()
        self.csms.now = lambda: self.clock.now().isoformat().replace("+00:00", "Z")
        self.hardware = FakeHardware()
        self.database = Database.open(path / "station.db")
        self.model = DeviceModel(VariableRepository(self.database))
        build(self.model)
        description = StationDescription(
            "pilotwire",
            "Virtual",
            evses=tuple(EvseDescription((ConnectorDescription(),) * connectors) for _ in range(evses)),
        )
        define_hardware(self.model, description, lambda: self.clock.now().isoformat())
        self.keys = KeyView(self.model)
        for address, value in {"OCPPCommCtrlr/RetryBackOffRandomRange": "0", **(variables or {})}.items():
            self.model.set_inside(self.model.entry(address), str(value))
        self.speaks = speaks or version
        self.network_up = True
        self.restarts: list[str] = []
        self.attempts: list[NetworkProfile] = []
        self.refused_profiles: set[int] = set()
        for profile in profiles or ():
            NetworkSlotRepository(self.database).put(profile.slot, msgspec.json.encode(profile))
        if profiles:
            self.model.integer("SecurityCtrlr/SecurityProfile").set(profiles[0].security_profile)
        self.charge_point = ChargePoint(
            identity=Identity("CS001", "pilotwire", "Virtual", firmware_version=firmware_version),
            evses=Evses([Evse(n + 1, [Connector(n + 1, m + 1) for m in range(connectors)]) for n in range(evses)]),
            hardware=self.hardware,
            profiles=self._profiles,
            model=self.model,
            database=self.database,
            clock=self.clock,
            keys=self.keys,
            rng=random.Random(seed),
            restart=self.restarts.append,
            installer=installer,
            barred=barred,
            open_link=self._open,
        )
        self._task: asyncio.Task[None] | None = None

    def _profiles(self) -> list[NetworkProfile]:
        """Those in the database, in their order; a simple one where none is stored."""
        stored = NetworkSlotRepository(self.database).load()
        order = [int(slot) for slot in members(self.model.value("OCPPCommCtrlr/NetworkConfigurationPriority"))]
        found = [msgspec.json.decode(stored[slot], type=NetworkProfile) for slot in order if slot in stored]
        return found or [NetworkProfile(slot=1, url="ws://csms", version=self.version, security_profile=0)]

    async def _open(self, profile, identity, versions) -> FakeLink:
        self.attempts.append(profile)
        if profile.security_profile in self.refused_profiles:
            raise ConnectError("refused")
        if not self.network_up:
            raise ConnectError("no network")
        link = FakeLink(self.speaks)
        self.csms.attach(link)
        return link

    async def start(self) -> "StationUnderTest":
        self.charge_point.start()
        self._task = asyncio.ensure_future(self.charge_point.run())
        await self.clock.settle(60)
        return self

    async def stop(self) -> None:
        """Let go of everything without telling anybody: the power is gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.charge_point.strategy.close()
        self.database.close()

    async def settle(self) -> None:
        await self.clock.settle(60)

    # -- what people and cars do ----------------------------------------------------------------------------------

    async def present(self, card: str = CARD, evse_ids: tuple[int, ...] = ()) -> None:
        self.charge_point.token_presented(IdToken(card), evse_ids)
        await self.settle()

    async def plug(self, evse_id: int = 1, connector_id: int = 1) -> None:
        self.charge_point.cable_plugged(evse_id, connector_id)
        await self.settle()

    async def unplug(self, evse_id: int = 1, connector_id: int = 1) -> None:
        self.charge_point.cable_unplugged(evse_id, connector_id)
        await self.settle()

    async def draw(self, evse_id: int = 1, flowing: bool = True) -> None:
        self.charge_point.ev_state_changed(evse_id, requests_energy=flowing, energy_flows=flowing)
        await self.settle()

    def meter(self, energy_wh: str, evse_id: int = 1) -> None:
        self.hardware.energy_wh[evse_id] = Decimal(energy_wh)

    async def charge(self, evse_id: int = 1) -> None:
        """Plug in, identify, draw."""
        await self.plug(evse_id)
        await self.present(evse_ids=(evse_id,))
        await self.draw(evse_id)

    async def disconnect(self) -> None:
        self.network_up = False
        assert self.csms.link is not None
        self.csms.link.abort()
        await self.settle()

    async def reconnect(self) -> None:
        self.network_up = True
        await self.clock.advance(3600)
        await self.settle()

    # -- what the CSMS saw ----------------------------------------------------------------------------------------

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.csms.of("TransactionEvent")

    @property
    def story(self) -> list[tuple[str, str]]:
        return [(event["eventType"], event["triggerReason"]) for event in self.events]

    def statuses(self, key: str = "connectorStatus") -> list[str]:
        return [payload[key] for payload in self.csms.of("StatusNotification")]
