"""A firmware update as it is kept on disk: what was asked for, how far it is, what the CSMS does not know yet."""

import logging
import os
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec

from ocpp.errors import CallError, RpcError, StorageError
from ocpp.storage.state import StateRepository

STATE_KEY = "firmware_update"

SUFFIX = ".bin"
PRIVATE = 0o700

MAX_UNDELIVERED = 30
"""Statuses kept for the CSMS; an update has about ten."""

log = logging.getLogger(__name__)


class Stage(StrEnum):
    """What is done next."""

    RETRIEVE = "retrieve"
    VERIFY = "verify"
    WAIT = "wait"
    INSTALL = "install"
    ACTIVATE = "activate"
    DONE = "done"


class InstallOutcome(StrEnum):
    """What became of an installation; the failures bear the name of the status they are."""

    INSTALLED = "Installed"
    NEEDS_RESTART = "NeedsRestart"
    """Installed, and active after a restart of the program or the machine."""
    VERIFICATION_FAILED = "InstallVerificationFailed"
    FAILED = "InstallationFailed"


class Installer(Protocol):
    """Puts new firmware in place; A/B update tools are called here."""

    interrupts: bool
    """Whether nobody can charge while it installs."""
    reconnects: bool
    """Whether firmware that is active without a restart connects anew, since it may speak another OCPP version."""

    async def install(self, image: Path) -> InstallOutcome:
        """Install. After a power cut in the middle it is called once more with the same image.

        The image is read-only and bears the SHA-256 of what was verified as its name (`<64 hexadecimal digits>.bin`), so
        that whoever opens it can look whether these are the bytes.
        """

    async def confirm(self) -> bool:
        """After a restart: whether the new firmware is the one that runs."""


class Update(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A request for an update, and how far it is."""

    location: str
    request_id: int | None = None
    retrieve_at: datetime | None = None
    install_at: datetime | None = None
    retries: int | None = None
    retry_interval: float | None = None
    certificate: str | None = None
    """PEM of the signing certificate; None for firmware that is not signed."""
    signature: str | None = None
    """Base64."""
    version: str = ""
    """The firmware that ran when the update was asked for."""
    image: str = ""
    """Name of the downloaded file, which is its SHA-256; "" until there is one."""
    stage: Stage = Stage.RETRIEVE
    status: str = ""
    attempts: int = 0
    undelivered: list[str] = msgspec.field(default_factory=list)


Send = Callable[[Update, str], Awaitable[None]]
"""Tells the CSMS a status of an update; raises RpcError when that fails."""


class UpdateLog:
    """The update on disk, and the delivery of its statuses: in order, and over restarts."""

    def __init__(self, state: StateRepository, *, online: Callable[[], bool]) -> None:
        self._state = state
        self.online = online
        self._delivering = False
        self.send: Send | None = None
        self.spawn: Callable[[Awaitable[None]], object] = lambda work: None
        self.last = self._load()
        """The update going on, or the last one."""

    def _load(self) -> Update | None:
        stored = self._state.get(STATE_KEY)
        try:
            update = msgspec.convert(stored, Update) if stored is not None else None
        except msgspec.ValidationError as error:
            log.error("the stored firmware update cannot be read: %s", error)
            return None
        if update is not None and not update.image and update.stage in (Stage.VERIFY, Stage.WAIT, Stage.INSTALL):
            update.stage = Stage.RETRIEVE  # nothing says what it is that lies there
        return update

    @property
    def current(self) -> Update | None:
        """The update going on."""
        return self.last if self.last is not None and self.last.stage is not Stage.DONE else None

    @property
    def undelivered(self) -> int:
        """Statuses that the CSMS has not been told."""
        return len(self.last.undelivered) if self.last is not None else 0

    def begin(self, update: Update) -> None:
        """Another update."""
        self.last = update
        self._save()

    def forget(self) -> None:
        """The update is given up, and nothing more is told of it."""
        self.last = None
        self._save()

    def advance(self, update: Update, stage: Stage) -> None:
        """Go on to a stage."""
        update.stage = stage
        self._save()

    def report(self, update: Update, status: str, stage: Stage | None = None) -> None:
        """Note a status on disk, and tell it as soon as the CSMS can be reached."""
        log.info("firmware update: %s", status)
        update.status = status
        update.stage = stage or update.stage
        update.undelivered = [*update.undelivered, status][-MAX_UNDELIVERED:]
        self._save()
        self.deliver_soon()

    def deliver_soon(self) -> None:
        """There may be something to tell, and somebody to tell it to."""
        if self.undelivered and self.online() and not self._delivering:
            self.spawn(self._deliver())

    async def _deliver(self) -> None:
        if self._delivering:
            return
        self._delivering = True
        try:
            while self.last is not None and self.last.undelivered and self.send is not None:
                update, status = self.last, self.last.undelivered[0]
                try:
                    await self.send(update, status)
                except CallError as refusal:
                    log.info("the CSMS does not take the firmware status %s: %s", status, refusal)
                update.undelivered = update.undelivered[1:]
                if update is self.last:
                    self._save()
        except RpcError as error:
            log.info("the firmware status waits for the next connection: %s", error)
        finally:
            self._delivering = False

    def _save(self) -> None:
        try:
            self._state.put(STATE_KEY, msgspec.to_builtins(self.last) if self.last is not None else None)
        except StorageError as error:
            log.error("how far the firmware update is cannot be kept: %s", error)


class Image:
    """The downloaded file. Each download has a file of its own; what was downloaded bears its SHA-256 as its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fresh(self) -> Path:
        """Where a download may write: a name that no other one ever had. What others left goes. Raises OSError."""
        self._folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        self._folder.chmod(PRIVATE)
        self.remove()
        return self._folder / f"{secrets.token_hex(16)}.part"

    def take(self, file: Path, digest: str) -> str:
        """Keep a whole file of that SHA-256 (in hexadecimal digits); gives its name. Raises OSError."""
        name = digest + SUFFIX
        file.replace(self._folder / name)
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return name

    def file(self, name: str) -> Path:
        """The file of that name."""
        return self._folder / Path(name).name

    def remove(self) -> None:
        """No file is of use any more."""
        try:
            for file in self._folder.iterdir() if self._folder.is_dir() else ():
                file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the firmware image cannot be removed: %s", error)
