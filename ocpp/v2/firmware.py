"""L. Firmware management: secure (L01) and non-secure updates (L02)."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.firmware import ACCEPTED, CANCELED, INVALID_CERTIFICATE, REVOKED_CERTIFICATE
from ocpp.core.firmware_update import Update
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler, Reply


class Firmware:
    """Functional block L."""

    def __init__(self, context: Context) -> None:
        self._context = context
        context.firmware.updates.send = self._tell

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"UpdateFirmware": self.update_firmware}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.signals.accepted.listen(self._context.firmware.updates.deliver_soon)

    async def update_firmware(self, request: v2.UpdateFirmwareRequest) -> v2.UpdateFirmwareResponse | Reply:
        """L01 and L02."""
        firmware, wanted = self._context.firmware, request.firmware
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
        status = await firmware.accept(update)
        if status in (ACCEPTED, CANCELED):
            return Reply(_response(status), lambda: firmware.start(update))
        if status in (INVALID_CERTIFICATE, REVOKED_CERTIFICATE):
            return _response(status, "InvalidCertificate")
        return _response(status, "FwUpdateInProgress" if firmware.available else "UnsupportedRequest")

    async def _tell(self, update: Update, status: str) -> None:
        await self._context.rpc.call(
            v2.FirmwareStatusNotificationRequest(status=v2.FirmwareStatusEnum(status), request_id=update.request_id),
            patient=True,
        )

    def trigger(self) -> None:
        """The status, because the CSMS asks (L01.FR.25-26)."""
        status, request_id = self._context.firmware.status
        self._context.rpc.notify(
            v2.FirmwareStatusNotificationRequest(status=v2.FirmwareStatusEnum(status), request_id=request_id),
            requested=True,
        )


def _response(status: str, reason: str = "") -> v2.UpdateFirmwareResponse:
    return v2.UpdateFirmwareResponse(
        status=v2.UpdateFirmwareStatusEnum(status),
        status_info=v2.StatusInfo(reason_code=reason) if reason else None,
    )
