"""The Reservation profile (1.6 sections 5.4 and 5.13)."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.identity import UNTYPED, IdToken
from ocpp.core.reservations import Reservation as Reserved
from ocpp.errors import DeviceModelError
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler

STATION = 0


class Reservation:
    """Feature profile Reservation."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"ReserveNow": self.reserve_now, "CancelReservation": self.cancel_reservation}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.reservations.ended = self._forget_ended

    def reserve_now(self, request: v16.ReserveNowRequest) -> v16.ReserveNowResponse:
        """ReserveNow; connector 0 means whichever is free (key ReserveConnectorZeroSupported)."""
        evse_id = connector_id = None
        if request.connector_id != STATION:
            try:
                evse, connector = self._context.evses.numbered(request.connector_id)
            except DeviceModelError:
                return v16.ReserveNowResponse(status=v16.ReservationStatus("Rejected"))
            evse_id, connector_id = evse.id, connector.id
        outcome = self._context.reservations.reserve(
            Reserved(
                id=request.reservation_id,
                token=IdToken(request.id_tag, UNTYPED),
                group=IdToken(request.parent_id_tag, UNTYPED) if request.parent_id_tag else None,
                expiry=request.expiry_date,
                evse_id=evse_id,
                connector_id=connector_id,
            )
        )
        return v16.ReserveNowResponse(status=v16.ReservationStatus(outcome.value))

    def cancel_reservation(self, request: v16.CancelReservationRequest) -> v16.CancelReservationResponse:
        """CancelReservation."""
        found = self._context.reservations.cancel(request.reservation_id)
        return v16.CancelReservationResponse(status=v16.CancelReservationStatus("Accepted" if found else "Rejected"))

    def _forget_ended(self) -> None:
        """1.6 has no message for an end; the connector's status tells."""
        for over in self._context.reservations.untold:
            self._context.reservations.told(over.id)
