"""H. Reservation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.reservations import Reservation as Reserved
from ocpp.errors import CallError, RpcError
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler
from ocpp.v2 import translation


class Reservation:
    """Functional block H."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._telling = False

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"ReserveNow": self.reserve_now, "CancelReservation": self.cancel_reservation}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.reservations.ended = self._tell
        self._context.signals.accepted.listen(self._tell)

    def reserve_now(self, request: v2.ReserveNowRequest) -> v2.ReserveNowResponse:
        """H01. A transaction names its reservation by a number that is not negative, so such an id serves nobody."""
        if request.id < 0:
            return v2.ReserveNowResponse(status=v2.ReserveNowStatusEnum("Rejected"))
        group = request.group_id_token
        outcome = self._context.reservations.reserve(
            Reserved(
                id=request.id,
                token=translation.id_token(request.id_token),
                group=translation.id_token(group) if group is not None else None,
                expiry=request.expiry_date_time,
                evse_id=request.evse_id,
                connector_type=request.connector_type,
            )
        )
        return v2.ReserveNowResponse(status=v2.ReserveNowStatusEnum(outcome.value))

    def cancel_reservation(self, request: v2.CancelReservationRequest) -> v2.CancelReservationResponse:
        """H02."""
        found = self._context.reservations.cancel(request.reservation_id)
        return v2.CancelReservationResponse(status=v2.CancelReservationStatusEnum("Accepted" if found else "Rejected"))

    def _tell(self) -> None:
        if self._context.rpc.online and not self._telling:
            self._context.rpc.spawn(self._tell_ends())

    async def _tell_ends(self) -> None:
        """H01.FR.16-17, H04.FR.01; what cannot be told now is told after the next connection."""
        self._telling = True
        await asyncio.sleep(0)  # what became of the connectors is told first
        try:
            while untold := self._context.reservations.untold:
                over = untold[0]
                assert over.end is not None
                update = v2.ReservationUpdateStatusEnum(over.end.value)
                try:
                    await self._context.rpc.call(
                        v2.ReservationStatusUpdateRequest(reservation_id=over.id, reservation_update_status=update)
                    )
                except CallError:
                    pass  # the CSMS does not want to know
                except RpcError:
                    return
                self._context.reservations.told(over.id)
        finally:
            self._telling = False
