"""What a protocol strategy is to the facade: the domain and the blocks of one major version, ready to be connected."""

import logging
from abc import ABC, abstractmethod
from datetime import datetime
from functools import partial
from typing import Any

from ocpp.core.authorization import Authorizer
from ocpp.core.availability import Availability
from ocpp.core.certificate_signing import CertificateSigning
from ocpp.core.certificates import Certificates
from ocpp.core.charging import Charging
from ocpp.core.context import Block, Context, register
from ocpp.core.contracts import Contracts
from ocpp.core.credentials import Credentials
from ocpp.core.customers import Customers
from ocpp.core.display import Displays
from ocpp.core.driver_texts import DriverTexts
from ocpp.core.ev_link import NoEvLink
from ocpp.core.ev_schedules import EvSchedules
from ocpp.core.events import DomainListener, EventKind, StopReason, TransactionEvent
from ocpp.core.evse import Connector, Evse
from ocpp.core.external_limits import ExternalLimits
from ocpp.core.firmware import FirmwareUpdates
from ocpp.core.firmware_update import Image, UpdateLog
from ocpp.core.hardware import POWER_IMPORT
from ocpp.core.introduction import Introduction
from ocpp.core.local_list import LocalList
from ocpp.core.log_upload import LogUploads
from ocpp.core.monitoring import Monitoring, standard_monitors
from ocpp.core.readings import MeteringSettings
from ocpp.core.recovery import Recovery
from ocpp.core.reservations import Reservations
from ocpp.core.reset import Resets
from ocpp.core.security_upgrade import SecurityUpgrade
from ocpp.core.settings import PARKING_BAY_OCCUPANCY, SessionSettings
from ocpp.core.smart_charging import SmartCharging
from ocpp.core.stamps import Stamps
from ocpp.core.surroundings import Surroundings
from ocpp.core.transaction import TransactionStore
from ocpp.device_model import DeviceModel
from ocpp.device_model.address import parse
from ocpp.errors import StorageError
from ocpp.rpc.permission import BootState
from ocpp.security.event_log import TIME_SET, SecurityLog
from ocpp.storage.charging_profiles import ChargingProfileRepository
from ocpp.storage.documents import DocumentRepository
from ocpp.storage.reservations import ReservationRepository
from ocpp.storage.security_events import SecurityEventRepository
from ocpp.storage.state import StateRepository
from ocpp.storage.tokens import TokenRepository
from ocpp.storage.transactions import TransactionRepository

log = logging.getLogger(__name__)


class Strategy(ABC, DomainListener):
    """One major version: the domain, and the blocks that translate between it and the endpoint of the introduction."""

    def __init__(self, surroundings: Surroundings, introduction: Introduction) -> None:
        self.surroundings = surroundings
        self.introduction, self.major = introduction, introduction.major
        self.endpoint, self.outbox, self.boot = introduction.endpoint, introduction.outbox, introduction.boot
        clock, database = surroundings.clock, surroundings.database
        self.state = StateRepository(database)
        self.ev_link = surroundings.ev_link or NoEvLink()
        self.tokens = TokenRepository(database)
        self.authorizer = Authorizer(surroundings.model, self.tokens, clock)
        self.authorizer.online = lambda: self.endpoint.online
        self.settings = self.session_settings(surroundings.model)
        self.store = TransactionStore(TransactionRepository(database), self.major)
        self.charging = self._charging()
        self.stamps = Stamps(clock, database, self.store, lambda: self.charging.transactions)
        self._ask_meters()
        self.charging.admission.master_pass.chooses = surroundings.master_pass_choice
        self.context = self._context()
        self.credentials = Credentials(self.context)
        self.blocks = self.build()
        register(self.blocks, self.endpoint)
        self.boot.clock_corrected = self._clock_corrected
        self.context.signals.accepted.listen(self.accepted)
        self.context.signals.disconnected.listen(self._disconnected)
        self.context.reservations.changed = self.connector_changed
        self.context.contracts.seen = self.context.customers.note_contract
        self.context.signing.v2g_renewed = self.context.contracts.review
        self.context.signing.v2g_refused = self.context.contracts.suspend
        self.charging.on_transaction_end.append(self.context.availability.carry_out_scheduled)
        self.charging.on_transaction_end.append(self.context.displays.review)
        self.context.availability.on_change.append(lambda _: self.changed())

    def _charging(self) -> Charging:
        surroundings = self.surroundings
        return Charging(
            clock=surroundings.clock,
            database=surroundings.database,
            evses=surroundings.evses,
            hardware=surroundings.hardware,
            authorizer=self.authorizer,
            settings=self.settings,
            metering=MeteringSettings(surroundings.model),
            store=self.store,
            listener=self,
            new_id=self.introduction.new_id,
            spawn=self.endpoint.spawn,
            online=lambda: self.endpoint.online,
            may_start=self.may_start,
            reservations=Reservations(
                ReservationRepository(surroundings.database), surroundings.evses, surroundings.model, surroundings.clock
            ),
            smart=lambda apply: SmartCharging(
                ChargingProfileRepository(surroundings.database),
                surroundings.evses,
                surroundings.model,
                surroundings.clock,
                surroundings.grid,
                apply,
            ),
        )

    def _ask_meters(self) -> None:
        """The power of an EVSE, and the public key of a meter that signs, are what the meter says at that moment."""
        for evse in self.surroundings.evses:
            entry = self.surroundings.model.entry(f"EVSE@{evse.id}/Power")
            entry.getter = partial(self._power, evse.id)
            key = self.surroundings.model.find(*parse(f"FiscalMetering@{evse.id}/PublicKey"))
            if key is not None:
                key.getter = partial(self._public_key, evse.id)

    def _public_key(self, evse_id: int) -> str:
        reading = self.surroundings.hardware.read_meter(evse_id)
        signed = reading.signed_start or reading.signed_end or reading.signed_now
        return signed.public_key if signed is not None else ""

    def _power(self, evse_id: int) -> str:
        return f"{self.surroundings.hardware.read_meter(evse_id).value(POWER_IMPORT) or 0:f}"

    def _context(self) -> Context:
        surroundings = self.surroundings
        security = SecurityLog(SecurityEventRepository(surroundings.database), surroundings.clock)
        certificates = Certificates(surroundings.certificates, surroundings.model, surroundings.clock)
        availability = Availability(surroundings.evses, self.state, surroundings.hardware)
        resets = Resets(
            surroundings.clock,
            self.charging,
            self.introduction.boot_reason,
            availability,
            restart=surroundings.restart,
            undelivered=lambda: len(self.outbox) if self.endpoint.online else 0,
        )
        driver_texts = DriverTexts(surroundings.model, surroundings.clock)
        driver_texts.has_left = self._driver_has_left
        return Context(
            identity=surroundings.identity,
            clock=surroundings.clock,
            model=surroundings.model,
            database=surroundings.database,
            state=self.state,
            rpc=self.endpoint,
            evses=surroundings.evses,
            charging=self.charging,
            authorizer=self.authorizer,
            local_list=LocalList(surroundings.model, self.tokens, empty_is_none=self.major == 1),
            reservations=self.charging.reservations,
            availability=availability,
            resets=resets,
            signals=self.introduction.signals,
            logs=LogUploads(
                surroundings.identity.id,
                surroundings.clock,
                SecurityEventRepository(surroundings.database),
                surroundings.diagnostics,
            ),
            security=security,
            certificates=certificates,
            signing=self._signing(certificates, security),
            firmware=self._firmware(certificates, security, availability, resets),
            upgrade=SecurityUpgrade(surroundings.model, surroundings.database, self.state, certificates, security),
            displays=self._displays(driver_texts),
            driver_texts=driver_texts,
            contracts=self._contracts(certificates),
            ev_schedules=self._ev_schedules(),
            external_limits=self._external_limits(),
            monitoring=self._monitoring(),
            customers=Customers(
                self.tokens, TransactionRepository(surroundings.database), self.state, surroundings.clock.unix
            ),
            data_transfer=surroundings.data_transfer,
            time_set=surroundings.hardware.system_time_changed,
            offline_since=self.introduction.offline_since,
        )

    def _driver_has_left(self, evse_id: int) -> bool:
        """A transaction that ends with the parking bay's occupancy ends when its driver has driven away."""
        evse = self.surroundings.evses[evse_id]
        return PARKING_BAY_OCCUPANCY in self.settings.stop_points and evse.has_bay_sensor and not evse.bay_occupied

    def _displays(self, driver_texts: DriverTexts) -> Displays:
        surroundings = self.surroundings
        displays = Displays(
            DocumentRepository(surroundings.database, "display_messages"),
            surroundings.evses,
            surroundings.hardware,
            surroundings.model,
            surroundings.clock,
            driver_texts,
        )
        displays.transaction_known = lambda transaction_id: self.charging.session_of(transaction_id) is not None
        return displays

    def _monitoring(self) -> Monitoring:
        surroundings = self.surroundings
        return Monitoring(
            DocumentRepository(surroundings.database, "monitors"),
            self.state,
            surroundings.model,
            surroundings.evses,
            surroundings.clock,
            [*standard_monitors(surroundings.evses, surroundings.hardware.has_lock), *surroundings.monitors],
        )

    def _contracts(self, certificates: Certificates) -> Contracts:
        surroundings = self.surroundings
        contracts = Contracts(
            certificates=certificates,
            authorizer=self.authorizer,
            admission=self.charging.admission,
            evses=surroundings.evses,
            model=surroundings.model,
            clock=surroundings.clock,
            state=self.state,
            link=self.ev_link,
        )
        contracts.online = lambda: self.endpoint.online
        contracts.spawn = self.endpoint.spawn
        return contracts

    def _ev_schedules(self) -> EvSchedules:
        surroundings = self.surroundings
        schedules = EvSchedules(self.charging.smart, surroundings.evses, surroundings.clock, self.ev_link)
        schedules.online = lambda: self.endpoint.online
        schedules.spawn = self.endpoint.spawn
        return schedules

    def _external_limits(self) -> ExternalLimits:
        surroundings = self.surroundings
        limits = ExternalLimits(self.charging.smart, surroundings.evses, self.state, surroundings.clock.unix)
        limits.online = lambda: self.endpoint.online
        limits.spawn = self.endpoint.spawn
        return limits

    def _signing(self, certificates: Certificates, security: SecurityLog) -> CertificateSigning:
        surroundings = self.surroundings
        signing = CertificateSigning(
            certificates,
            surroundings.model,
            surroundings.clock,
            self.state,
            security,
            surroundings.identity.serial_number or surroundings.identity.id,
        )
        signing.spawn = self.endpoint.spawn
        return signing

    def _firmware(
        self, certificates: Certificates, security: SecurityLog, availability: Availability, resets: Resets
    ) -> FirmwareUpdates:
        surroundings = self.surroundings
        updates = UpdateLog(self.state, online=lambda: self.endpoint.online)
        updates.spawn = self.endpoint.spawn
        return FirmwareUpdates(
            installer=surroundings.installer,
            updates=updates,
            image=Image(surroundings.database.path.parent / "firmware"),
            version=surroundings.identity.firmware_version or "",
            clock=surroundings.clock,
            allow_new=self.new_sessions_while_firmware_waits,
            certificates=certificates,
            security=security,
            charging=self.charging,
            availability=availability,
            resets=resets,
        )

    def has(self, controller: str) -> bool:
        """Whether a block is there; the station file may take it out (`"ReservationCtrlr/Available" = false`)."""
        return self.surroundings.model.boolean(f"{controller}/Available").value

    def may_start(self) -> bool:
        """Whether a transaction may begin as far as CSMS, queue and pending resets are concerned."""
        if self.outbox.full or self.context.resets.scheduled or self.context.firmware.installing:
            return False
        accepted = self.endpoint.boot_state is BootState.ACCEPTED or self.accepted_before
        return accepted or self.settings.before_accepted

    @property
    def accepted_before(self) -> bool:
        """Whether a CSMS accepted the station in an earlier run and has not said otherwise since."""
        return self.endpoint.boot_state is BootState.UNKNOWN and bool(self.state.get("accepted", False))

    # -- what a version supplies ----------------------------------------------------------------------------------

    @abstractmethod
    def session_settings(self, model: DeviceModel) -> SessionSettings:
        """How sessions behave in this version."""

    def new_sessions_while_firmware_waits(self) -> bool:
        """Whether drivers may begin while an installation waits for others to finish; 1.6 knows no such setting."""
        return False

    @abstractmethod
    def build(self) -> list[Block]:
        """The blocks."""

    @abstractmethod
    async def transfer_data(self, vendor_id: str, message_id: str | None, data: Any) -> tuple[str, Any]:
        """Send vendor data to the CSMS; gives status name and data of its answer. Raises RpcError."""

    @abstractmethod
    def connector_status(self, evse: Evse, connector: Connector) -> str:
        """The connector's status in this version's words."""

    # -- what every version does with what happens ----------------------------------------------------------------

    def changed(self) -> None:
        """Something that drivers or the local API see may be different."""
        self.context.displays.review()
        self.surroundings.changed()

    def tell_driver(self, event: TransactionEvent) -> None:
        """What an event means for the texts shown at the EVSE."""
        transaction = event.transaction
        if event.kind is EventKind.ENDED and transaction.evse_id is not None:
            self.context.driver_texts.ended(transaction.evse_id, transaction.id, online=self.endpoint.online)

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up what was open, and begin metering."""
        Recovery(self.charging, self.settings, self.surroundings.clock, self.state).recover()
        self.context.availability.resumed()
        self.charging.start()
        self.context.signing.review()
        self.context.firmware.resume()
        self.context.displays.review()
        if self.has("MonitoringCtrlr"):
            self.context.monitoring.start()

    def _disconnected(self) -> None:
        self.context.offline_since = self.introduction.offline_since

    def _clock_corrected(self, utc: datetime, correction_s: float) -> None:
        """The CSMS says what time it is, and it is another one."""
        threshold = self.surroundings.model.integer("ClockCtrlr/TimeAdjustmentReportingThreshold")
        if abs(correction_s) > threshold.value:
            self.context.security.record(TIME_SET, f"corrected by {correction_s:+.0f} s")
        self.context.time_set(utc)
        self.charging.clock_changed()

    def accepted(self) -> None:
        """The CSMS accepts the station: remember it, and that this major version is settled."""
        try:
            with self.surroundings.database.transaction(durable=False):
                if not self.state.get("accepted", False) or self.state.get("major") != self.major:
                    self.state.put("accepted", True)
                    self.state.put("major", self.major)
                self.outbox.drop_foreign()
        except StorageError as error:
            log.error("that the CSMS accepted the station is not remembered: %s", error)
        self.context.offline_since = None
        self.charging.reconsider()

    def quiet(self) -> None:
        """No timers any more."""
        self.charging.stop()
        self.context.signing.stop()
        self.context.firmware.stop()
        self.context.displays.stop()
        self.context.contracts.stop()
        self.context.monitoring.stop()
        self.context.ev_schedules.stop()

    async def close(self) -> None:
        """Stop everything; transactions stay open on disk."""
        self.quiet()
        await self.endpoint.close()

    def abandon(self) -> None:
        """Another major version takes over: what this one had open is dropped (DESIGN section 2.2)."""
        self.quiet()
        for transaction in self.charging.transactions:
            log.error("transaction %s is dropped: the CSMS speaks another OCPP major version", transaction.id)
            transaction.active = False
            transaction.stop_reason = StopReason.OTHER
            self.charging.save(transaction)
        for evse in self.surroundings.evses:
            evse.session = None
