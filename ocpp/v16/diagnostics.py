"""GetDiagnostics of the Firmware Management profile (1.6 sections 4.4 and 5.9), and GetLog of the white paper."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.log_status import LogStatus
from ocpp.core.log_upload import FAILED, IDLE, UPLOADED, UPLOADING
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler, Reply

KINDS = {"DiagnosticsLog": "diagnostics", "SecurityLog": "security"}


class Diagnostics:
    """Logs on the Central System's wish."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._diagnostics = LogStatus(context, "diagnostics", _diagnostics_message)
        self._log = LogStatus(context, "log", _log_message)

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"GetDiagnostics": self.get_diagnostics, "GetLog": self.get_log}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.signals.accepted.listen(self._diagnostics.review)
        self._context.signals.accepted.listen(self._log.review)

    def get_diagnostics(self, request: v16.GetDiagnosticsRequest) -> v16.GetDiagnosticsResponse | Reply:
        """GetDiagnostics: without a log the response names no file."""
        uploads = self._context.logs
        upload = uploads.prepare(
            "diagnostics", request.location, (request.start_time, request.stop_time), self._diagnostics.tell
        )
        if upload is None:
            return v16.GetDiagnosticsResponse()
        uploads.cancel()
        return Reply(
            v16.GetDiagnosticsResponse(file_name=upload.name),
            lambda: uploads.run(upload, request.location, request.retries, request.retry_interval),
        )

    def get_log(self, request: v16.GetLogRequest) -> v16.GetLogResponse | Reply:
        """GetLog."""
        uploads, wanted = self._context.logs, request.log
        upload = uploads.prepare(
            KINDS[request.log_type.value],
            wanted.remote_location,
            (wanted.oldest_timestamp, wanted.latest_timestamp),
            lambda status: self._log.tell(status, request.request_id),
        )
        if upload is None:
            return v16.GetLogResponse(status=v16.LogStatusEnum("Rejected"))
        canceled = uploads.cancel()
        return Reply(
            v16.GetLogResponse(
                status=v16.LogStatusEnum("AcceptedCanceled" if canceled else "Accepted"), filename=upload.name
            ),
            lambda: uploads.run(upload, wanted.remote_location, request.retries, request.retry_interval),
        )

    # -- telling --------------------------------------------------------------------------------------------------

    def trigger(self) -> None:
        """The status of the upload, because the Central System asks."""
        self._context.rpc.notify(_diagnostics_message(self._context.logs.status), requested=True)

    def trigger_log(self) -> None:
        """The same in the white paper's words; without an upload it names no request."""
        status = self._context.logs.status
        message = _log_message(status, self._log.request_id if status != IDLE else None)
        self._context.rpc.notify(message, requested=True)

    def stop(self) -> None:
        """No timers any more."""
        self._diagnostics.stop()
        self._log.stop()


def _diagnostics_message(status: str, request_id: int | None = None) -> v16.DiagnosticsStatusNotificationRequest:
    known = status if status in (UPLOADING, UPLOADED, IDLE) else "UploadFailed"
    return v16.DiagnosticsStatusNotificationRequest(status=v16.DiagnosticsStatus(known))


def _log_message(status: str, request_id: int | None) -> v16.LogStatusNotificationRequest:
    known = status if status in {each.value for each in v16.UploadLogStatusEnum} else FAILED
    return v16.LogStatusNotificationRequest(status=v16.UploadLogStatusEnum(known), request_id=request_id)
