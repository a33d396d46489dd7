"""RemoteStartTransaction, RemoteStopTransaction, UnlockConnector, Reset."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ocpp.core.context import Context
from ocpp.core.events import StopReason, Trigger
from ocpp.core.identity import UNTYPED, IdToken
from ocpp.core.schedule import ChargingProfile
from ocpp.errors import DeviceModelError
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler, Reply
from ocpp.rpc.permission import BootState


class RemoteControl:
    """What the Central System does with transactions and hardware."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._authorize_first = context.model.boolean("AuthCtrlr/AuthorizeRemoteStart")

    @property
    def actions(self) -> Mapping[str, Handler]:
        """The calls answered here."""
        return {
            "RemoteStartTransaction": self.remote_start,
            "RemoteStopTransaction": self.remote_stop,
            "UnlockConnector": self.unlock_connector,
            "Reset": self.reset,
        }

    def remote_start(self, request: v16.RemoteStartTransactionRequest) -> v16.RemoteStartTransactionResponse | Reply:
        """RemoteStartTransaction (1.6 section 5.11)."""
        context = self._context
        rejected = v16.RemoteStartTransactionResponse(status=v16.RemoteStartStopStatus("Rejected"))
        if context.rpc.boot_state is not BootState.ACCEPTED or request.connector_id == 0:
            return rejected
        try:
            evse_id = context.evses.numbered(request.connector_id)[0].id if request.connector_id is not None else None
        except DeviceModelError:
            return rejected
        start = context.charging.admission.prepare_remote_start(
            IdToken(request.id_tag, UNTYPED),
            evse_id,
            None,
            authorize_first=self._authorize_first.value,
            ask_for_group=True,
            read_profile=self._reader(request),
        )
        if start is None:
            return rejected
        response = v16.RemoteStartTransactionResponse(status=v16.RemoteStartStopStatus("Accepted"))
        return Reply(response, lambda: context.charging.admission.carry_out(start))

    def _reader(self, request: v16.RemoteStartTransactionRequest) -> Callable[[int], ChargingProfile | None] | None:
        given = request.charging_profile
        if given is None:
            return None
        return lambda evse_id: self._context.remote_start_profile(given, evse_id, "")

    def remote_stop(self, request: v16.RemoteStopTransactionRequest) -> v16.RemoteStopTransactionResponse | Reply:
        """RemoteStopTransaction (1.6 section 5.12)."""
        charging = self._context.charging
        found = next((each.id for each in charging.transactions if each.csms_id == request.transaction_id), None)
        if found is None:
            return v16.RemoteStopTransactionResponse(status=v16.RemoteStartStopStatus("Rejected"))
        response = v16.RemoteStopTransactionResponse(status=v16.RemoteStartStopStatus("Accepted"))

        def stop() -> None:
            charging.remote_stop(found)

        return Reply(response, stop)

    async def unlock_connector(self, request: v16.UnlockConnectorRequest) -> v16.UnlockConnectorResponse:
        """UnlockConnector (1.6 section 5.18): ends a transaction first, with reason UnlockCommand."""
        context = self._context
        try:
            evse, connector = context.evses.numbered(request.connector_id)
        except DeviceModelError:
            return v16.UnlockConnectorResponse(status=v16.UnlockStatus("NotSupported"))
        if not context.charging.hardware.has_lock(evse.id, connector.id):
            return v16.UnlockConnectorResponse(status=v16.UnlockStatus("NotSupported"))
        if evse.session is not None and evse.session.transaction is not None:
            evse.session.end(Trigger.UNLOCK_COMMAND, StopReason.UNLOCK_COMMAND)
        opened = await context.charging.locks.unlock_now(evse, connector)
        return v16.UnlockConnectorResponse(status=v16.UnlockStatus("Unlocked" if opened else "UnlockFailed"))

    def reset(self, request: v16.ResetRequest) -> v16.ResetResponse | Reply:
        """Reset (1.6 section 5.14): both kinds end transactions first, so that their ends are on record."""
        if self._context.firmware.installing:
            return v16.ResetResponse(status=v16.ResetStatus("Rejected"))
        reason = StopReason.HARD_RESET if request.type == "Hard" else StopReason.SOFT_RESET
        response = v16.ResetResponse(status=v16.ResetStatus("Accepted"))

        def restart() -> None:
            self._context.resets.now("RemoteReset", Trigger.RESET_COMMAND, reason)

        return Reply(response, restart)
