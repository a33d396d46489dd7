"""N. Diagnostics: logs (N01). Monitoring and customer information are not answered here."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.log_status import LogStatus
from ocpp.core.log_upload import IDLE
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler, Reply

LOG_STATUS = "LogStatusNotification"

KINDS = {"DiagnosticsLog": "diagnostics", "SecurityLog": "security"}


class Diagnostics:
    """Functional block N."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._status = LogStatus(context, "log", _message)

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"GetLog": self.get_log}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.signals.accepted.listen(self._status.review)

    def get_log(self, request: v2.GetLogRequest) -> v2.GetLogResponse | Reply:
        """N01."""
        uploads, wanted = self._context.logs, request.log
        upload = uploads.prepare(
            KINDS.get(request.log_type.value, ""),
            wanted.remote_location,
            (wanted.oldest_timestamp, wanted.latest_timestamp),
            lambda status: self._status.tell(status, request.request_id),
        )
        if upload is None:
            return v2.GetLogResponse(status=v2.LogStatusEnum("Rejected"))
        canceled = uploads.cancel()
        return Reply(
            v2.GetLogResponse(
                status=v2.LogStatusEnum("AcceptedCanceled" if canceled else "Accepted"), filename=upload.name
            ),
            lambda: uploads.run(upload, wanted.remote_location, request.retries, request.retry_interval),
        )

    def trigger(self) -> None:
        """The status of the upload, because the CSMS asks (N01.FR.13)."""
        status = self._context.logs.status
        request_id = self._status.request_id if status != IDLE else None
        self._context.rpc.notify(_message(status, request_id), requested=True)

    def delivered(self, request: v2.LogStatusNotificationRequest) -> None:
        """The CSMS has answered a status that was queued."""
        self._status.delivered(str(request.status), request.request_id)

    def given_up(self, request: v2.LogStatusNotificationRequest) -> None:
        """A status that was queued will not be sent."""
        self._status.given_up()

    def stop(self) -> None:
        """No timers any more."""
        self._status.stop()


def _message(status: str, request_id: int | None) -> v2.LogStatusNotificationRequest:
    return v2.LogStatusNotificationRequest(status=v2.UploadLogStatusEnum(status), request_id=request_id)
