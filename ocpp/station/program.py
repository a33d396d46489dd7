"""The running station: everything wired together, started, stopped, and started again after a reset."""

import asyncio
import gc
import logging
import math
import os
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec

from hal.simulated import SimulatedStation
from ocpp.charge_point import (
    LAST_GOOD_KEY,
    ChargePoint,
    Connector,
    Evse,
    Evses,
    Grid,
    Identity,
    Installer,
)
from ocpp.clock import Clock, SystemClock, moment
from ocpp.connectivity import NetworkProfile
from ocpp.connectivity.slots import in_order
from ocpp.device_model import DeviceModel
from ocpp.device_model.definition import members
from ocpp.device_model.hardware import define_hardware
from ocpp.device_model.keys import KeyView
from ocpp.device_model.standard import build
from ocpp.device_model.start_values import apply_start_values
from ocpp.security.certificate_folder import CertificateFolder
from ocpp.station.certificates import NETWORK_FILE_KEY, take_profile, take_tables, written
from ocpp.station.configuration import Configuration
from ocpp.station.firmware import CommandInstaller, SimulatedInstaller
from ocpp.station.hardware import Reports, StationHardware
from ocpp.station.iso15118 import EvControllers, EvReports
from ocpp.station.logging import MessageLog, old_logs
from ocpp.station.monitors import monitors_of
from ocpp.station.service_manager import ServiceManager
from ocpp.station.simulation import build as build_simulation
from ocpp.station.state_directory import StateDirectory
from ocpp.storage.database import Database
from ocpp.storage.network_slots import NetworkSlotRepository
from ocpp.storage.room import keep_reserve
from ocpp.storage.security_events import SecurityEventRepository
from ocpp.storage.state import StateRepository
from ocpp.storage.transactions import TransactionRepository
from ocpp.storage.variables import VariableRepository

if TYPE_CHECKING:
    from ocpp.station.hardware import Parts
    from ocpp.station.status import StatusView

EXIT_RESTART = 75
"""Exit status after an OCPP reset: the supervisor starts the program again (EX_TEMPFAIL)."""

API_WAITS_S = 0.15
"""What the local API leaves to the way to the CSMS when the program starts: a CSMS near by has the BootNotification by then,
and the API answers within half a second in any case."""

MESSAGE_LOG = "messages.jsonl"

INITIALISED_KEY = "initialised"

log = logging.getLogger(__name__)


class Program:
    """One life of the station, from start to stop or reset."""

    def __init__(self, configuration: Configuration, clock: Clock | None = None) -> None:
        self.configuration = configuration
        self.clock = clock or SystemClock()
        self._directory = StateDirectory(configuration.state_dir)
        self.database = Database.open(
            configuration.state_dir / "station.db", old_logs(configuration.state_dir / MESSAGE_LOG)
        )
        keep_reserve(self.database.path)
        self.state = StateRepository(self.database)
        self.restart_reason: str | None = None
        self.starts_over = False
        """Whether another life is to follow at once, in this process: what was missing has turned up."""
        self._finished, self._wanted, self._at_work = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._slots = NetworkSlotRepository(self.database)
        self._message_log = self._open_message_log()
        self.api_port: int | None = None
        """Where the local API listens, once it does."""
        self._certificates = CertificateFolder(configuration.state_dir / "certificates")
        self.model = DeviceModel(VariableRepository(self.database))
        self.keys = KeyView(self.model)
        hardware, reports, ev_reports = StationHardware(), Reports(), EvReports(self.clock)
        with self.database.transaction(durable=False):  # what a first start writes is on disk at once, and whole
            self._build_model()
            self._take_network_profiles()
            self.parts = self._build_parts(reports, ev_reports)
            hardware.attach(self.parts)
            self._ev_controllers = EvControllers()
            self._ev_controllers.attach(self.parts.controllers)
            self.charge_point = self._build_charge_point(hardware)
        reports.charge_point = ev_reports.charge_point = self.charge_point
        self._note_recovery()

    @property
    def view(self) -> "StatusView":
        """What the station looks like from outside."""
        from ocpp.station.status import StatusView

        return StatusView(self.configuration, self.charge_point, self.parts, self.clock)

    # -- building -------------------------------------------------------------------------------------------------

    def _open_message_log(self) -> MessageLog | None:
        if not self.configuration.station["message_log"]:
            return None
        return MessageLog(self.configuration.state_dir / MESSAGE_LOG)

    def _build_model(self) -> None:
        configuration = self.configuration
        build(self.model)
        define_hardware(self.model, configuration.description, lambda: moment(self.clock.now()) or "")
        new = not self.state.get(INITIALISED_KEY, False)
        if new:
            take_tables(self._certificates, configuration.certificates)
        transfers = "FTP,FTPS,HTTP,HTTPS" + (",SFTP" if find_spec("asyncssh") is not None else "")
        self.model.set_inside(self.model.entry("OCPPCommCtrlr/FileTransferProtocols"), transfers)
        apply_start_values(self.model, self.keys, configuration.variables, configuration.keys, new=new)
        if new:
            self.state.put(INITIALISED_KEY, True)

    def _take_network_profiles(self) -> None:
        """The station file's profiles go into their slots when they are new; what a CSMS set later stays."""
        networks = self.configuration.networks
        in_file = written(networks)
        if self.state.get(NETWORK_FILE_KEY) != in_file:
            from ocpp.core.security_upgrade import TRIAL_KEY

            with self.database.transaction():
                for profile in networks:
                    kept = take_profile(self._certificates, profile)
                    self._slots.put(profile.slot, msgspec.json.encode(kept))
                priority = self.model.entry("OCPPCommCtrlr/NetworkConfigurationPriority")
                self.model.set_inside(priority, ",".join(str(profile.slot) for profile in networks))
                self.model.integer("SecurityCtrlr/SecurityProfile").set(networks[0].security_profile)
                self.state.put(TRIAL_KEY, None)
                self.state.put(NETWORK_FILE_KEY, in_file)

    def profiles(self) -> list[NetworkProfile]:
        """The network connection profiles, best first; there always are some."""
        priority = members(self.model.value("OCPPCommCtrlr/NetworkConfigurationPriority"))
        return in_order(self._slots.load(), priority, self.state.get(LAST_GOOD_KEY), self.configuration.networks)

    @property
    def simulation(self) -> SimulatedStation:
        """The simulated parts; LookupError where the parts are real."""
        if not isinstance(self.parts, SimulatedStation):
            raise LookupError("the hardware of this station is real and cannot be simulated")
        return self.parts

    def _build_parts(self, reports: Reports, ev_reports: EvReports) -> "Parts":
        if self.configuration.parts:
            return self._build_real_parts(reports)
        return build_simulation(self.configuration, self.clock, reports, ev_reports)

    def _build_real_parts(self, reports: Reports) -> "Parts":
        """Those that are not there may turn up yet: the station goes on without, and says so."""
        from hal.errors import PartsError
        from ocpp.station.parts import build as build_parts

        def build() -> "Parts":
            return build_parts(self.configuration, self.clock, reports)

        try:
            return build()
        except PartsError as error:
            from ocpp.station.missing_parts import MissingParts

            evses = len(self.configuration.evses)
            return MissingParts(evses, error, listener=reports, clock=self.clock, again=build, found=self._start_over)

    def _start_over(self) -> None:
        self.starts_over = True
        self._finished.set()

    def _build_charge_point(self, hardware: StationHardware) -> ChargePoint:
        station = self.configuration.station
        limit = float(self.configuration.smart_charging["default_limit_a"])
        evses = [
            Evse(
                number,
                [
                    Connector(number, n, each.type, each.max_current_a, each.phases)
                    for n, each in enumerate(evse.connectors, 1)
                ],
                has_bay_sensor=evse.bay_sensor,
                limit_a=limit,
            )
            for number, evse in enumerate(self.configuration.evses, 1)
        ]
        return ChargePoint(
            identity=Identity(
                id=station["id"],
                vendor=station["vendor"],
                model=station["model"],
                serial_number=station["serial_number"] or None,
                charge_box_serial_number=station["charge_box_serial_number"] or None,
                firmware_version=station["firmware_version"],
                iccid=station["iccid"],
                imsi=station["imsi"],
            ),
            evses=Evses(evses),
            hardware=hardware,
            profiles=self.profiles,
            model=self.model,
            database=self.database,
            clock=self.clock,
            keys=self.keys,
            grid=Grid(
                int(self.configuration.smart_charging["default_phases"]),
                float(self.configuration.smart_charging["nominal_voltage_v"]),
                float(self.configuration.smart_charging["grid_limit_a"] or math.inf),
            ),
            diagnostics=self._message_log.lines if self._message_log is not None else None,
            installer=self._build_installer(),
            master_pass_choice=bool(station["master_pass_choice"]),
            ev_link=self._ev_controllers,
            monitors=monitors_of(self.configuration),
            rng=random.SystemRandom(),
            restart=self._restart,
            on_frame=self._on_frame,
            certificates=self._certificates,
            nulls_in_calls=bool(self.configuration.tolerance["null_for_absent"]),
            barred=self._barred,
        )

    def _build_installer(self) -> Installer:
        firmware, simulation = self.configuration.firmware, self.configuration.simulation
        if firmware["install_command"]:
            return CommandInstaller(
                firmware["install_command"],
                firmware["confirm_command"],
                interrupts=firmware["interrupts_charging"],
            )
        return SimulatedInstaller(
            self.clock, simulation["firmware_activation"], float(simulation["firmware_install_s"])
        )

    def _note_recovery(self) -> None:
        if self.database.recovery is not None:
            log.error("%s", self.database.recovery)
            SecurityEventRepository(self.database).add(
                "DatabaseDamaged", self.clock.unix(), str(self.database.recovery)[:255]
            )

    def _on_frame(self, sent: bool, frame: bytes) -> None:
        if self._message_log is not None:
            self._message_log.record(sent, frame, moment(self.clock.now()) or "")

    def _barred(self, address: str, port: int) -> str:
        from ocpp.station.local_addresses import barred

        allow_local = not self.configuration.parts or self.configuration.transfers["allow_local"]
        return barred(address, port, api_port=self.api_port, allow_local=allow_local)

    # -- running --------------------------------------------------------------------------------------------------

    def _restart(self, reason: str) -> None:
        self.restart_reason = reason
        self._finished.set()

    def finish(self) -> None:
        """End this life in an orderly way."""
        self._finished.set()

    async def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Work until `finish` or a reset; `started` is called when everything is at work."""
        try:
            async with AsyncExitStack() as around:
                await self._serve(around, started)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the state directory; of a program that does not run."""
        if self._message_log is not None:
            self._message_log.close()
        self.database.close()
        self._directory.release()

    @property
    def hurried(self) -> bool:
        """Whether parts are missing that a transaction on the disk could go on with, were they there."""
        return getattr(self.parts, "missing", False) and bool(TransactionRepository(self.database).active())

    async def _serve(self, around: AsyncExitStack, started: Callable[[], None]) -> None:
        connection = asyncio.ensure_future(self.charge_point.run())
        introduced = asyncio.ensure_future(self.charge_point.introduced())
        finished = asyncio.ensure_future(self._finished.wait())
        wanted = asyncio.ensure_future(self._wanted.wait())
        try:
            await _first_of(introduced, finished, connection=connection, limit_s=API_WAITS_S)
            await around.enter_async_context(self._local_api())
            await _first_of(introduced, finished, wanted, connection=connection)
            if finished.done():
                return
            self._go_to_work()
            started()
            await _first_of(finished, connection=connection)
        finally:
            for each in (finished, introduced, wanted):
                each.cancel()
            await self.charge_point.stop()
            connection.cancel()
            await asyncio.gather(connection, introduced, finished, wanted, return_exceptions=True)
            self.parts.stop()

    def _go_to_work(self) -> None:
        """What takes a while goes first: the parts, safe since they were opened, run once somebody listens to them."""
        self.charge_point.complete()
        self.parts.start()
        self.charge_point.start(self.parts.plugged)
        self._at_work.set()

    async def at_work(self) -> None:
        """Return when the station is whole; whoever asks for it ends the wait for a CSMS that takes its time."""
        self._wanted.set()
        await self._at_work.wait()

    @asynccontextmanager
    async def _local_api(self) -> AsyncIterator[None]:
        listen = self.configuration.local_api["listen"]
        if listen == "off":
            yield
            return
        try:
            from ocpp.station.local_api.listening import Listening
        except ImportError as error:
            log.warning(
                'the local API is not there: %s; install pilotwire[api], or set local_api.listen = "off"', error
            )
            yield
            return
        listening = Listening(self, listen, self.configuration.local_api["token"], self.clock)
        await listening.start()
        try:
            yield
        finally:
            await listening.stop()


async def run_station(configuration: Configuration, clock: Callable[[], Clock] = SystemClock) -> int:
    """Run the station until SIGINT or SIGTERM (exit status 0) or a reset (75, or another life in the same process)."""
    for warning in configuration.warnings:
        log.warning("%s", warning)
    loop = asyncio.get_running_loop()
    stopping = False
    program: Program | None = None

    def stop() -> None:
        nonlocal stopping
        stopping = True
        if program is not None:
            program.finish()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    manager = ServiceManager()

    def started() -> None:
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        manager.ready()

    async with manager.watching():
        while True:
            program = Program(configuration, clock())
            if program.hurried:
                from ocpp.station.missing_parts import with_parts

                program = await with_parts(program, lambda: Program(configuration, clock()), lambda: stopping)
            if stopping:
                program.finish()
            await program.run(started)
            if stopping or (program.restart_reason is None and not program.starts_over):
                return 0
            if program.restart_reason is not None and configuration.station["reset"] == "exit":
                return EXIT_RESTART


async def _first_of(
    *others: "asyncio.Future[Any]", connection: "asyncio.Future[None]", limit_s: float | None = None
) -> None:
    """Wait until one of them has come to its end, `limit_s` at most; what the connection fails with is raised, lest a station
    ends in silence.
    """
    await asyncio.wait({connection, *others}, return_when=asyncio.FIRST_COMPLETED, timeout=limit_s)
    if connection.done():
        connection.result()


def power_cut() -> None:
    """Die as in a power cut: no clean-up, no last words."""
    os.kill(os.getpid(), signal.SIGKILL)
