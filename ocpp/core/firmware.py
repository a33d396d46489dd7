"""Firmware updates: retrieved, verified, installed and activated, with every status told, over reboots (L01, L02)."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ocpp.clock import Clock
from ocpp.core.availability import Availability
from ocpp.core.certificates import Certificates
from ocpp.core.charging import Charging
from ocpp.core.firmware_update import Image, Installer, InstallOutcome, Stage, Update, UpdateLog
from ocpp.core.reset import Resets
from ocpp.errors import SecurityError
from ocpp.security.certificate_folder import Kind
from ocpp.security.event_log import SecurityLog

if TYPE_CHECKING:
    from ocpp.core.transfer import Barred, Transfer

ACCEPTED, CANCELED, REJECTED, INVALID_CERTIFICATE = "Accepted", "AcceptedCanceled", "Rejected", "InvalidCertificate"
REVOKED_CERTIFICATE = "RevokedCertificate"

DEFAULT_RETRIES = 3
DEFAULT_RETRY_INTERVAL_S = 60.0
"""Where the CSMS leaves both to the station."""

MAX_RETRIES = 100
MAX_RETRY_INTERVAL_S = 86400.0

LONGEST_SLEEP_S = 600.0
"""A wait for a point in time looks at the clock so often: it may be set meanwhile."""

DELIVERY_GRACE_S = 5.0
"""How long what follows waits until the CSMS has the status before it: a restart, connectors out of service, an event."""

POLL_S = 0.05

INSTALL_ATTEMPTS = 2
"""How often an installation is begun: once more after a power cut in the middle of it."""

UPDATED = "FirmwareUpdated"

T = TypeVar("T")

log = logging.getLogger(__name__)


async def _no_connection() -> None:
    pass


class FirmwareUpdates:
    """One update at a time. Without an `installer` the station cannot be updated this way."""

    def __init__(
        self,
        *,
        installer: Installer | None,
        updates: UpdateLog,
        image: Image,
        version: str,
        clock: Clock,
        allow_new: Callable[[], bool],
        certificates: Certificates,
        security: SecurityLog,
        charging: Charging,
        availability: Availability,
        resets: Resets,
    ) -> None:
        self._installer = installer
        self.updates = updates
        self._image = image
        self._version = version
        self._clock = clock
        self._certificates = certificates
        self._security = security
        self._charging = charging
        self._availability = availability
        self._resets = resets
        self._allow_new = allow_new
        self._task: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self.trust: Callable[[], ssl.SSLContext | None] = lambda: None
        """Gives the TLS context of a download; called in the loop's thread, to which the database belongs."""
        self.barred: Barred | None = None
        """Where nothing is fetched from."""
        self.reconnect: Callable[[], Awaitable[None]] = _no_connection
        """Closes the connection and makes it again."""
        charging.on_transaction_end.append(self._transaction_ended)

    # -- what the CSMS wants --------------------------------------------------------------------------------------

    @property
    def available(self) -> bool:
        """Whether there is anything that installs."""
        return self._installer is not None

    @property
    def secure(self) -> bool:
        """Whether firmware has to be signed: with a manufacturer's root certificate a signature can be checked."""
        return self._certificates.has_any(Kind.MANUFACTURER_ROOT)

    @property
    def installing(self) -> bool:
        """Whether nothing else may begin: an installation cannot be stopped."""
        update = self.updates.current
        return update is not None and update.stage in (Stage.INSTALL, Stage.ACTIVATE)

    @property
    def status(self) -> tuple[str, int | None]:
        """The last status told and its request; Idle after an update that went well, and without one (L01.FR.25-26)."""
        update = self.updates.last
        if update is None or update.status in ("", "Installed"):
            return "Idle", None
        return update.status, update.request_id

    @property
    def busy(self) -> bool:
        """Whether an update is going on."""
        return self.updates.current is not None

    async def accept(self, update: Update) -> str:
        """What to answer to a request for an update (L01.FR.21-24); an update going on is given up for the new one."""
        if not self.available or self.installing:
            return REJECTED
        if update.certificate is not None or self.secure:
            try:
                revoked = await self._check_signer(update)
            except SecurityError as error:
                return self._refuse(INVALID_CERTIFICATE, str(error))
            if revoked:
                return self._refuse(REVOKED_CERTIFICATE, "the signing certificate was revoked")
        return self._make_way()

    def _make_way(self) -> str:
        """Another request may have begun to install meanwhile."""
        if self.installing:
            return REJECTED
        return CANCELED if self.cancel() else ACCEPTED

    def _refuse(self, status: str, reason: str) -> str:
        log.error("the firmware update is refused: %s", reason)
        self._security.record("InvalidFirmwareSigningCertificate", reason)
        return status

    async def _check_signer(self, update: Update) -> bool:
        """SecurityError when the certificate does not hold; else whether it was revoked (1.6 L01.FR.25)."""
        from ocpp.security import certificates, chains

        if not update.certificate or not update.signature:
            raise SecurityError("signature and signing certificate are needed")
        roots = [each.certificate for each in self._certificates.store.all(Kind.MANUFACTURER_ROOT)]
        if not roots:
            raise SecurityError("no manufacturer root certificate is installed")
        now = self._clock.now()
        chain = certificates.read_chain(update.certificate)
        path = chains.check_chain(chain, roots, now, purpose=chains.Purpose.FIRMWARE)
        if len(path) < 2:
            return False
        from ocpp.security.revocation import is_revoked

        return await is_revoked(path[0], path[1], now)

    def cancel(self) -> bool:
        """Give up the update going on, if it can be; whether there was one."""
        if self.updates.current is None or self.installing:
            return False
        log.warning("the firmware update is given up for another one")
        self._stop_task()
        self.updates.forget()
        self._availability.release()
        return True

    def start(self, update: Update) -> None:
        """Begin; the answer to the request has gone out."""
        update.version = self._version
        self.updates.begin(update)
        self._go_on()

    # -- life -----------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """The program has started: take up what a restart or a power cut interrupted."""
        update = self.updates.current
        if update is not None and self.available:
            log.info("the firmware update goes on: %s", update.stage.value)
            self._go_on()

    def stop(self) -> None:
        """End all work; an update going on is taken up again at the next start."""
        self._stop_task()

    def _go_on(self) -> None:
        self._task = asyncio.ensure_future(self._run())

    def _stop_task(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        update = self.updates.current
        assert update is not None
        steps = {
            Stage.RETRIEVE: self._retrieve,
            Stage.VERIFY: self._verify,
            Stage.WAIT: self._wait_for_installation,
            Stage.INSTALL: self._install,
            Stage.ACTIVATE: self._confirm,
        }
        try:
            while update.stage in steps:
                await steps[update.stage](update)
        except Exception:
            log.exception("the firmware update failed unexpectedly")
            early = update.stage in (Stage.RETRIEVE, Stage.VERIFY)
            await self._end(update, "DownloadFailed" if early else "InstallationFailed")

    async def _end(self, update: Update, status: str, event: str = "", info: str = "") -> None:
        """The update is over, well or not; the security event that this is comes after the status."""
        log.log(logging.INFO if status == "Installed" else logging.ERROR, "firmware update: %s", status)
        self._availability.release()
        self.updates.report(update, status, Stage.DONE)
        self._image.remove()
        if status == "Installed":
            event, info = UPDATED, f"{update.version} before"
        if event:
            await self._delivered()
            self._security.record(event, info)

    async def _delivered(self) -> None:
        """Give the CSMS a moment to take the statuses before anything else is told."""
        deadline = self._clock.monotonic() + DELIVERY_GRACE_S
        while self.updates.undelivered and self.updates.online() and self._clock.monotonic() < deadline:
            await self._clock.sleep(POLL_S)

    # -- steps ----------------------------------------------------------------------------------------------------

    async def _retrieve(self, update: Update) -> None:
        if update.retrieve_at is not None and update.retrieve_at > self._clock.now():
            self.updates.report(update, "DownloadScheduled")
            await self._until(update.retrieve_at)
        self.updates.report(update, "Downloading")
        attempts = 1 + min(max(0, update.retries if update.retries is not None else DEFAULT_RETRIES), MAX_RETRIES)
        given = update.retry_interval if update.retry_interval is not None else DEFAULT_RETRY_INTERVAL_S
        wait = min(max(0.0, given), MAX_RETRY_INTERVAL_S)
        for attempt in range(1, attempts + 1):
            again = await self._attempt(update, f"{attempt} of {attempts}")
            if update.image:
                self.updates.report(update, "Downloaded", Stage.VERIFY)
                return
            if not again or attempt == attempts:
                break
            await self._clock.sleep(wait)
        await self._end(update, "DownloadFailed")

    async def _attempt(self, update: Update, number: str) -> bool:
        """Download once; gives whether another attempt might do better."""
        from ocpp.core import file_transfer

        try:
            file = self._image.fresh()
            trust = self.trust() if file_transfer.needs_trust(update.location) else None
            digest = await self._in_thread(partial(_download, update.location, file, trust))
            update.image = self._image.take(file, digest)
        except file_transfer.TransferError as error:
            place = file_transfer.shown(update.location)
            log.warning("download from %s failed (%s): %s", place, number, error)
            return error.kind not in (file_transfer.BAD_MESSAGE, file_transfer.NOT_SUPPORTED)
        except OSError as error:
            log.error("the firmware image cannot be kept: %s", error)
        return True

    async def _in_thread(self, work: "Callable[[Transfer], T]") -> T:
        """A transfer ends with the task: when that is cancelled nothing of it goes on."""
        from ocpp.core.transfer import Transfer, nothing_barred

        return await Transfer(self.barred or nothing_barred).run(work)

    async def _check(self, update: Update) -> str:
        """What is wrong with the image; "" for nothing."""
        from ocpp.core import firmware_image

        file = self._image.file(update.image)
        try:
            await self._in_thread(
                lambda transfer: firmware_image.check(file, transfer, update.certificate, update.signature)
            )
        except SecurityError as error:
            log.error("the firmware is not installed: %s", error)
            return str(error)
        return ""

    async def _verify(self, update: Update) -> None:
        wrong = await self._check(update)
        signed = update.certificate is not None and update.signature is not None
        if wrong and signed:
            await self._end(update, "InvalidSignature", "InvalidFirmwareSignature", wrong)
        elif wrong:
            await self._end(update, "InstallVerificationFailed")
        elif signed:
            self.updates.report(update, "SignatureVerified", Stage.WAIT)
        else:
            self.updates.advance(update, Stage.WAIT)

    async def _wait_for_installation(self, update: Update) -> None:
        assert self._installer is not None
        if update.install_at is not None and update.install_at > self._clock.now():
            self.updates.report(update, "InstallScheduled")
            await self._until(update.install_at)
        await self._delivered()
        if self._installer.interrupts:
            await self._until_idle(update)
        self.updates.report(update, "Installing", Stage.INSTALL)

    async def _until_idle(self, update: Update) -> None:
        """L01.FR.06-07: no charging is cut off, and nobody begins anew unless that is allowed."""
        if self._charging.transactions and update.status != "InstallScheduled":
            self.updates.report(update, "InstallScheduled")
        while self._charging.transactions:
            self._idle.clear()
            if not self._allow_new():
                self._availability.hold()
            await self._idle.wait()
        self._availability.hold()

    async def _install(self, update: Update) -> None:
        assert self._installer is not None
        if self._installer.interrupts:
            self._availability.hold()
        if update.attempts >= INSTALL_ATTEMPTS:
            await self._end(update, "InstallationFailed")
            return
        if update.attempts and update.version != self._version:
            await self._end(update, "Installed")  # it restarted the machine itself
            return
        if wrong := await self._check(update):  # it may have lain there for days
            await self._end(update, "InstallVerificationFailed", "InvalidFirmwareSignature", wrong)
            return
        update.attempts += 1
        self.updates.advance(update, Stage.INSTALL)
        outcome = await self._installer.install(self._image.file(update.image))
        if outcome is InstallOutcome.INSTALLED:
            if self._installer.reconnects:
                await self._delivered()
                await self.reconnect()
            await self._end(update, "Installed")
        elif outcome is InstallOutcome.NEEDS_RESTART:
            await self._restart(update)
        else:
            await self._end(update, outcome.value)

    async def _restart(self, update: Update) -> None:
        while self._charging.transactions:  # L01.FR.33
            self._idle.clear()
            self._availability.hold()
            await self._idle.wait()
        self.updates.report(update, "InstallRebooting", Stage.ACTIVATE)
        await self._delivered()
        self._resets.for_firmware()
        await asyncio.Event().wait()  # the restart ends this; the next start goes on with `_confirm`

    async def _confirm(self, update: Update) -> None:
        assert self._installer is not None
        await self._end(update, "Installed" if await self._installer.confirm() else "InstallationFailed")

    # -- waiting --------------------------------------------------------------------------------------------------

    async def _until(self, moment: datetime) -> None:
        while (remaining := (moment - self._clock.now()).total_seconds()) > 0:
            await self._clock.sleep(min(remaining, LONGEST_SLEEP_S))

    def _transaction_ended(self) -> None:
        self._idle.set()


def _download(location: str, file: Path, trust: ssl.SSLContext | None, transfer: "Transfer") -> str:
    """Gives the SHA-256 of what lies on the disk."""
    from ocpp.core import file_transfer

    file_transfer.download(location, file, transfer, trust)
    return file_transfer.digest_of(file, transfer)
