"""J. Meter values outside transactions. Those of a transaction travel in its events."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.events import MeterValue
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler
from ocpp.v2 import translation


class MeterValues:
    """Functional block J."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`: this block answers no calls."""
        return {}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""

    def aligned_values(self, evse_id: int, value: MeterValue) -> None:
        """Clock-aligned values of an EVSE without a transaction (J01.FR.14)."""
        told = translation.meter_values((value,))
        if told and self._context.rpc.takes_notifications:
            self._context.rpc.notify(v2.MeterValuesRequest(evse_id=evse_id, meter_value=told))
