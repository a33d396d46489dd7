"""Firmware updates: UpdateFirmware of the Firmware Management profile, and the signed ones of the white paper (L01)."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.firmware import ACCEPTED, CANCELED
from ocpp.core.firmware_update import Update
from ocpp.errors import CallError
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler, Reply

PLAIN_STATUSES = {
    "Downloading": "Downloading",
    "Downloaded": "Downloaded",
    "DownloadFailed": "DownloadFailed",
    "Installing": "Installing",
    "Installed": "Installed",
    "InstallationFailed": "InstallationFailed",
    "InstallVerificationFailed": "InstallationFailed",
}
"""What FirmwareStatusNotification can say of an update; the other statuses are for signed updates only."""

log = logging.getLogger(__name__)


class Firmware:
    """Firmware on the Central System's wish."""

    def __init__(self, context: Context) -> None:
        self._context = context
        context.firmware.updates.send = self._tell

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`; nothing where the charge point has no way to install firmware."""
        if not self._context.firmware.available:
            return {}
        return {"UpdateFirmware": self.update_firmware, "SignedUpdateFirmware": self.signed_update_firmware}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.signals.accepted.listen(self._context.firmware.updates.deliver_soon)

    async def update_firmware(self, request: v16.UpdateFirmwareRequest) -> Reply:
        """UpdateFirmware. Where signatures can be checked, only signed firmware is taken (white paper L01.FR.20)."""
        firmware = self._context.firmware
        if firmware.secure:
            raise CallError("NotSupported", "this charge point takes signed firmware only: use SignedUpdateFirmware")
        update = Update(
            location=request.location,
            retrieve_at=request.retrieve_date,
            retries=request.retries,
            retry_interval=request.retry_interval,
        )
        if await firmware.accept(update) not in (ACCEPTED, CANCELED):
            raise CallError("GenericError", "an installation is going on that cannot be stopped")
        return Reply(v16.UpdateFirmwareResponse(), lambda: firmware.start(update))

    async def signed_update_firmware(
        self, request: v16.SignedUpdateFirmwareRequest
    ) -> v16.SignedUpdateFirmwareResponse | Reply:
        """SignedUpdateFirmware."""
        wanted = request.firmware
        update = Update(
            request_id=request.request_id,
            location=wanted.location,
            retrieve_at=wanted.retrieve_date_time,
            install_at=wanted.install_date_time,
            retries=request.retries,
            retry_interval=request.retry_interval,
            certificate=wanted.signing_certificate,
            signature=wanted.signature,
        )
        firmware = self._context.firmware
        status = await firmware.accept(update)
        response = v16.SignedUpdateFirmwareResponse(status=v16.UpdateFirmwareStatusEnum(status))
        if status not in (ACCEPTED, CANCELED):
            return response
        return Reply(response, lambda: firmware.start(update))

    # -- telling --------------------------------------------------------------------------------------------------

    async def _tell(self, update: Update, status: str) -> None:
        if update.certificate is not None:
            await self._context.rpc.call(
                v16.SignedFirmwareStatusNotificationRequest(
                    status=v16.FirmwareStatusEnum(status), request_id=update.request_id
                ),
                patient=True,
            )
        elif status in PLAIN_STATUSES:
            await self._context.rpc.call(
                v16.FirmwareStatusNotificationRequest(status=v16.FirmwareStatus(PLAIN_STATUSES[status])),
                patient=True,
            )

    def trigger(self) -> None:
        """The status, because the Central System asks; Idle when nothing is going on (1.6 section 4.5)."""
        firmware = self._context.firmware
        status = PLAIN_STATUSES.get(firmware.status[0], "Idle") if firmware.busy else "Idle"
        self._context.rpc.notify(
            v16.FirmwareStatusNotificationRequest(status=v16.FirmwareStatus(status)), requested=True
        )

    def trigger_signed(self) -> None:
        """The same in the white paper's words (L01.FR.28-29)."""
        status, request_id = self._context.firmware.status
        self._context.rpc.notify(
            v16.SignedFirmwareStatusNotificationRequest(status=v16.FirmwareStatusEnum(status), request_id=request_id),
            requested=True,
        )
