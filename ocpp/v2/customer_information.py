"""N. Customer information: what is stored about a customer, told and forgotten (N09, N10)."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.identity import UNTYPED, IdToken
from ocpp.errors import RpcError, StorageError
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler, Reply
from ocpp.v2 import translation

MAX_DATA = 512
"""Characters in one NotifyCustomerInformation."""

log = logging.getLogger(__name__)


class CustomerInformation:
    """The customer information part of functional block N."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"CustomerInformation": self.customer_information}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""

    def customer_information(self, request: v2.CustomerInformationRequest) -> v2.CustomerInformationResponse | Reply:
        """N09, N10. A customer identifier is taken for the value of an id token; without the disk nothing is possible."""
        named = (request.id_token, request.customer_certificate, request.customer_identifier)
        if sum(each is not None for each in named) != 1:
            return _answer("Invalid", "InvalidValue")
        if not request.report and not request.clear:
            return _answer("Rejected", "NoError")
        try:
            lines = self._carry_out(request)
        except StorageError as error:
            log.error("the customer information %d is not to be had: %s", request.request_id, error)
            return _answer("Rejected", "InternalError")
        return Reply(
            v2.CustomerInformationResponse(status=v2.CustomerInformationStatusEnum("Accepted")),
            lambda: self._tell(request.request_id, "\n".join(lines)),
        )

    def _carry_out(self, request: v2.CustomerInformationRequest) -> list[str]:
        """What there is to tell, once everything that has to be is forgotten."""
        customer, customers = self._customer(request), self._context.customers
        lines = list(customers.report(customer)) if customer and request.report else []
        if customer and request.clear:
            with self._context.database.transaction():
                customers.forget(customer)
        return lines

    def _customer(self, request: v2.CustomerInformationRequest) -> IdToken | None:
        if request.id_token is not None:
            return translation.id_token(request.id_token)
        if request.customer_identifier is not None:
            return IdToken(request.customer_identifier, UNTYPED)
        from ocpp.security.certificates import HashData

        data = request.customer_certificate
        assert data is not None
        return self._context.customers.by_certificate(
            HashData(str(data.hash_algorithm), data.issuer_name_hash, data.issuer_key_hash, data.serial_number)
        )

    async def _tell(self, request_id: int, text: str) -> None:
        """In parts; without anything to tell, one that is empty (N09.FR.06, N10.FR.04, .06)."""
        parts = [text[first : first + MAX_DATA] for first in range(0, len(text), MAX_DATA)] or [""]
        try:
            for seq_no, part in enumerate(parts):
                await self._context.rpc.call(
                    v2.NotifyCustomerInformationRequest(
                        request_id=request_id,
                        seq_no=seq_no,
                        data=part,
                        generated_at=self._context.clock.now(),
                        tbc=True if seq_no + 1 < len(parts) else None,
                    ),
                    requested=True,
                )
        except RpcError as error:
            log.warning("the customer information %d ended early: %s", request_id, error)


def _answer(status: str, code: str) -> v2.CustomerInformationResponse:
    return v2.CustomerInformationResponse(
        status=v2.CustomerInformationStatusEnum(status), status_info=v2.StatusInfo(reason_code=code)
    )
