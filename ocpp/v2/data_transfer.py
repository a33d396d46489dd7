"""P. Data transfer between vendors who know each other."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ocpp.core.context import Context
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler

log = logging.getLogger(__name__)


class DataTransfer:
    """Functional block P. Handlers are found by vendor id in `Context.data_transfer`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"DataTransfer": self.data_transfer}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""

    async def data_transfer(self, request: v2.DataTransferRequest) -> v2.DataTransferResponse:
        """P01: hand the data to the vendor's handler."""
        handler = self._context.data_transfer.get(request.vendor_id)
        if handler is None:
            return v2.DataTransferResponse(status=v2.DataTransferStatusEnum("UnknownVendorId"))
        status, data = await handler(request.message_id, request.data)
        return v2.DataTransferResponse(status=v2.DataTransferStatusEnum(status), data=data)

    async def send(self, vendor_id: str, message_id: str | None, data: Any) -> tuple[str, Any]:
        """P02: send data to the CSMS; gives status and data of the answer, raises RpcError."""
        request = v2.DataTransferRequest(vendor_id=vendor_id, message_id=message_id, data=data)
        response: v2.DataTransferResponse = await self._context.rpc.call(request)
        return str(response.status), response.data
