"""Logs for the CSMS: put together, compressed, sent where it wants them, with retries (N01; 1.6 GetDiagnostics, GetLog)."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from ocpp.clock import Clock, instant
from ocpp.storage.security_events import SecurityEventRepository

if TYPE_CHECKING:
    from ocpp.core.transfer import Barred, Transfer

DEFAULT_RETRIES = 3
DEFAULT_RETRY_INTERVAL_S = 60.0
"""Where the CSMS leaves both to the station."""

MAX_RETRIES = 100
MAX_RETRY_INTERVAL_S = 86400.0

UPLOADING, UPLOADED, CANCELED, IDLE = "Uploading", "Uploaded", "AcceptedCanceled", "Idle"
FAILED = "UploadFailure"

log = logging.getLogger(__name__)

Lines = Callable[[], Iterator[tuple[datetime, str]]]
"""The lines of a log, oldest first, each with its moment."""

Report = Callable[[str], None]
"""Tells the CSMS how far an upload is."""


class LogUpload:
    """One upload on its way."""

    def __init__(
        self, name: str, lines: Lines, window: tuple[datetime | None, datetime | None], report: Report
    ) -> None:
        self.name = name
        self.status = UPLOADING
        self.written = False
        self.work: asyncio.Task[str] | None = None
        """What puts the file together and sends it; cancelled, nothing of it goes on."""
        self._lines = lines
        self._window = window
        self._report = report

    def report(self, status: str) -> None:
        """Take note of a status, and tell it."""
        self.status = status
        self._report(status)

    def write(self, path: Path, transfer: "Transfer") -> None:
        """Put the lines of the window into a compressed file of its own."""
        import gzip

        oldest, latest = self._window
        path.unlink(missing_ok=True)  # half a log, of an attempt that failed
        with gzip.open(path, "xt", encoding="utf-8") as file:
            for moment, line in self._lines():
                transfer.count(len(line))
                if (oldest is None or moment >= oldest) and (latest is None or moment <= latest):
                    file.write(line + "\n")
        self.written = True


class LogUploads:
    """The logs there are, and the one upload at a time. `diagnostics` is None where the firmware keeps no log."""

    def __init__(
        self, identity: str, clock: Clock, events: SecurityEventRepository, diagnostics: Lines | None = None
    ) -> None:
        self._identity = "".join(each if each.isalnum() or each in "-_" else "_" for each in identity)
        self._clock = clock
        self._events = events
        self._sources: dict[str, Lines] = {} if diagnostics is None else {"diagnostics": diagnostics}
        self._current: LogUpload | None = None
        self.trust: Callable[[], ssl.SSLContext | None] = lambda: None
        """Gives the TLS context of a transfer: the CSMS's root certificates and the system's (N01.FR.15-16).

        Called in the loop's thread, to which the database belongs.
        """
        self.barred: Barred | None = None
        """Where nothing is sent to."""

    def prepare(
        self, kind: str, location: str, window: tuple[datetime | None, datetime | None], report: Report
    ) -> LogUpload | None:
        """An upload of the log "diagnostics" or "security"; None when there is no such log (N01.FR.05).

        It has the name under which the file will be found at the location (1.6 section 6.26, N01.FR.01).
        """
        from ocpp.core.file_transfer import stored_name

        lines = self._security() if kind == "security" else self._sources.get(kind)
        if lines is None:
            return None
        stamp = self._clock.now().strftime("%Y%m%dT%H%M%SZ")
        name = stored_name(location, f"{self._identity}-{kind}-{stamp}.jsonl.gz")
        return LogUpload(name, lines, window, report)

    def _security(self) -> Lines:
        """The security log as it is now: the database belongs to this thread, the upload to another one."""
        lines = list(security_lines(self._events))
        return lambda: iter(lines)

    @property
    def status(self) -> str:
        """Of the upload going on; Idle without one."""
        return self._current.status if self._current is not None else IDLE

    def cancel(self) -> bool:
        """Give up the upload going on, and tell so (N01.FR.12, .20); False when there is none."""
        current, self._current = self._current, None
        if current is None:
            return False
        if current.work is not None:
            current.work.cancel()
        current.report(CANCELED)
        return True

    async def run(self, upload: LogUpload, location: str, retries: int | None, interval: float | None) -> None:
        """Carry an upload out, and report its course."""
        self._current = upload
        upload.report(UPLOADING)
        attempts = 1 + min(max(0, retries if retries is not None else DEFAULT_RETRIES), MAX_RETRIES)
        wait = min(max(0.0, interval if interval is not None else DEFAULT_RETRY_INTERVAL_S), MAX_RETRY_INTERVAL_S)
        upload.work = asyncio.ensure_future(self._attempts(upload, location, attempts, wait))
        try:
            outcome = await upload.work
        except asyncio.CancelledError:
            if self._current is upload:
                raise  # the station stops
            return
        if self._current is upload:
            self._current = None
            upload.report(outcome)

    async def _attempts(self, upload: LogUpload, location: str, attempts: int, wait: float) -> str:
        import tempfile

        from ocpp.core import file_transfer

        outcome = file_transfer.FAILURE
        with tempfile.TemporaryDirectory(prefix="pilotwire-log-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "log.gz"
            for attempt in range(1, attempts + 1):
                try:
                    await self._send(upload, path, location)
                except file_transfer.TransferError as error:
                    outcome = error.kind
                    place = file_transfer.shown(location)
                    log.warning(
                        "upload of %s to %s failed (%d of %d): %s", upload.name, place, attempt, attempts, error
                    )
                except Exception:
                    log.exception("upload of %s failed unexpectedly", upload.name)
                    return file_transfer.FAILURE
                else:
                    log.info("%s uploaded to %s", upload.name, file_transfer.shown(location))
                    return UPLOADED
                if outcome in (file_transfer.BAD_MESSAGE, file_transfer.NOT_SUPPORTED):
                    return outcome  # trying again changes nothing
                if attempt < attempts:
                    await self._clock.sleep(wait)
        return outcome

    async def _send(self, upload: LogUpload, path: Path, location: str) -> None:
        from ocpp.core import file_transfer
        from ocpp.core.transfer import Transfer, nothing_barred

        trust = self.trust() if file_transfer.needs_trust(location) else None
        transfer = Transfer(self.barred or nothing_barred)
        if not upload.written:
            try:
                await Transfer().run(partial(upload.write, path))
            except OSError as error:
                raise file_transfer.TransferError(
                    file_transfer.FAILURE, f"the log cannot be put together: {error}"
                ) from error
        await transfer.run(lambda each: file_transfer.upload(location, path, upload.name, each, trust))


def security_lines(events: SecurityEventRepository) -> Iterator[tuple[datetime, str]]:
    """The security log as JSON lines."""
    for event in events.all():
        moment = instant(event.at_unix)
        at = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
        yield moment, orjson.dumps({"at": at, "type": event.type, "info": event.info}).decode()
