"""N. Diagnostics: logs (N01). Monitoring and customer information are not answered here."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.log_upload import IDLE
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler, Reply

KINDS = {"DiagnosticsLog": "diagnostics", "SecurityLog": "security"}


class Diagnostics:
    """Functional block N."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._request_id: int | None = None

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"GetLog": self.get_log}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""

    def get_log(self, request: v2.GetLogRequest) -> v2.GetLogResponse | Reply:
        """N01."""
        uploads, wanted = self._context.logs, request.log
        upload = uploads.prepare(
            KINDS.get(request.log_type.value, ""),
            wanted.remote_location,
            (wanted.oldest_timestamp, wanted.latest_timestamp),
            lambda status: self._tell(status, request.request_id),
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

    def _tell(self, status: str, request_id: int | None) -> None:
        self._request_id = request_id
        self._notify(status, request_id)

    def trigger(self) -> None:
        """The status of the upload, because the CSMS asks (N01.FR.13)."""
        status = self._context.logs.status
        self._notify(status, self._request_id if status != IDLE else None, requested=True)

    def _notify(self, status: str, request_id: int | None, *, requested: bool = False) -> None:
        self._context.rpc.notify(
            v2.LogStatusNotificationRequest(status=v2.UploadLogStatusEnum(status), request_id=request_id),
            requested=requested,
        )
