"""I. Tariff and cost: what the CSMS says that a session costs reaches the driver."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ocpp.core.context import Context
from ocpp.errors import CallError
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler


class TariffCost:
    """Functional block I. Costs and tariffs in the answers to other messages are passed on by blocks C and E."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"CostUpdated": self.cost_updated}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""

    def cost_updated(self, request: v2.CostUpdatedRequest) -> v2.CostUpdatedResponse:
        """I02. The response has no status: a transaction that is not there is an error of the call."""
        session = self._context.charging.session_of(request.transaction_id)
        if session is None:
            raise CallError("PropertyConstraintViolation", f"there is no transaction {request.transaction_id}")
        if session.evse is not None:
            self._context.driver_texts.cost(session.evse.id, request.transaction_id, Decimal(str(request.total_cost)))
        return v2.CostUpdatedResponse()
