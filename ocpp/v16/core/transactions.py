"""Authorize, StartTransaction, MeterValues, StopTransaction, and what the Central System answers to them.

A transaction has an id of its own until the Central System gives it one; messages are queued with that of our own and
get the other when they go out. Without one they go out with -1 (errata 3.18).
"""

from __future__ import annotations

import logging
from typing import Any

from ocpp.core.authorization import redacted
from ocpp.core.context import Context
from ocpp.core.events import EventKind, MeterValue, StopReason, TransactionEvent
from ocpp.core.identity import LONGEST_TOKEN, UNTYPED, AuthorizationInfo, IdToken
from ocpp.errors import CallError
from ocpp.messages import v16
from ocpp.rpc.outbox import Outbox
from ocpp.storage.messages import StoredMessage
from ocpp.storage.transactions import TransactionRepository
from ocpp.v16 import translation
from ocpp.versions import OcppVersion

NO_TRANSACTION_ID = -1
"""Stands for the id of a transaction whose StartTransaction was never answered (errata 3.18)."""

MAX_ID_TAG = LONGEST_TOKEN[OcppVersion.V16]

MAX_CSMS_ID = 2**63 - 1
"""What the database can keep; a longer number is no id."""

log = logging.getLogger(__name__)


class Transactions:
    """Transaction-related messages of the Core profile."""

    def __init__(self, context: Context, outbox: Outbox) -> None:
        self._context = context
        self._outbox = outbox
        self._repository = TransactionRepository(context.database)
        outbox.courier = self

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.authorizer.ask_csms = self.ask
        self._context.authorizer.longest = lambda: MAX_ID_TAG

    async def ask(self, token: IdToken) -> AuthorizationInfo:
        """Authorize (1.6 section 4.1); raises RpcError."""
        request = v16.AuthorizeRequest(id_tag=token.value)
        response: v16.AuthorizeResponse = await self._context.rpc.call(request)
        return translation.authorization_info(response.id_tag_info)

    # -- what the domain reports ----------------------------------------------------------------------------------

    def transaction_event(self, event: TransactionEvent) -> None:
        """Queue the message about an event; most updates have none in 1.6."""
        transaction = event.transaction
        if event.kind is EventKind.STARTED:
            self._outbox.put(self._start(event), transaction.id)
            signed = tuple(value for value in event.meter_values if value.signed is not None)
            self._put_values(event, signed, droppable=False)
        elif event.kind is EventKind.UPDATED:
            self._put_values(event, event.meter_values, droppable=True)
        else:
            self._outbox.put(self._stop(event), transaction.id)

    def _connector_number(self, event: TransactionEvent) -> int:
        transaction = event.transaction
        assert transaction.evse_id is not None
        assert transaction.connector_id is not None
        evse = self._context.evses[transaction.evse_id]
        return self._context.evses.number_of(evse.connector(transaction.connector_id))

    def _start(self, event: TransactionEvent) -> v16.StartTransactionRequest:
        transaction = event.transaction
        begin = transaction.begin
        return v16.StartTransactionRequest(
            connector_id=self._connector_number(event),
            id_tag=(transaction.token or IdToken("")).value,
            meter_start=begin.energy_wh if begin is not None else 0,
            timestamp=event.timestamp,
            reservation_id=event.reservation_id,
        )

    def _put_values(self, event: TransactionEvent, values: tuple[MeterValue, ...], *, droppable: bool) -> None:
        if not values:
            return
        request = v16.MeterValuesRequest(
            connector_id=self._connector_number(event),
            transaction_id=NO_TRANSACTION_ID,
            meter_value=[translation.meter_value(value) for value in values],
        )
        self._outbox.put(request, event.transaction.id, droppable=droppable)

    def _stop(self, event: TransactionEvent) -> v16.StopTransactionRequest:
        transaction = event.transaction
        token = event.id_token
        reason = transaction.stop_reason or StopReason.LOCAL
        # Without further settings 1.6 puts begin and end into transactionData only when something was to be sampled.
        values = [translation.meter_value(value) for value in event.meter_values]
        return v16.StopTransactionRequest(
            transaction_id=NO_TRANSACTION_ID,
            meter_stop=transaction.last.energy_wh if transaction.last is not None else 0,
            timestamp=event.timestamp,
            id_tag=_id_tag(token) if token is not None else None,
            reason=translation.reason(reason),
            transaction_data=values or None,
        )

    def aligned_values(self, evse_id: int, value: MeterValue) -> None:
        """Clock-aligned values of an EVSE without a transaction; also queued while offline (1.6 section 3.7)."""
        evses = self._context.evses
        number = evses.number_of(evses[evse_id].connectors[0]) if evse_id else 0
        request = v16.MeterValuesRequest(connector_id=number, meter_value=[translation.meter_value(value)])
        self._outbox.put(request, None, droppable=True)

    # -- how stored messages go out, and what comes back ----------------------------------------------------------

    def prepare(self, stored: StoredMessage, request: Any) -> Any | None:
        """See `Courier.prepare`: fill in the id the Central System has given the transaction meanwhile."""
        if stored.transaction is None or stored.action == "StartTransaction":
            return request
        record = self._repository.get(stored.transaction)
        csms_id = record.csms_id if record is not None else None
        request.transaction_id = csms_id if csms_id is not None else NO_TRANSACTION_ID
        return request

    def delivered(self, stored: StoredMessage, request: Any, response: Any) -> None:
        """See `Courier.delivered`."""
        if stored.action == "StartTransaction":
            self._started(stored, request, response)
        elif stored.action == "StopTransaction" and response.id_tag_info is not None and request.id_tag is not None:
            info = translation.authorization_info(response.id_tag_info)
            self._context.authorizer.remember(IdToken(request.id_tag, UNTYPED), info)

    def _started(self, stored: StoredMessage, request: v16.StartTransactionRequest, response: Any) -> None:
        """The Central System has booked the start. Of a damaged answer, id or opinion of the card may be missing."""
        assert stored.transaction is not None
        context = self._context
        self._take_id(stored.transaction, response.transaction_id)
        if response.id_tag_info is None:
            return
        session = context.charging.session_of(stored.transaction)
        info = translation.authorization_info(response.id_tag_info)
        context.authorizer.remember(IdToken(request.id_tag, UNTYPED), info)
        if info.group is not None:
            context.charging.locks.learn_group(IdToken(request.id_tag, UNTYPED), info.group)
        if session is None or session.transaction is None:
            return
        if info.accepted:
            if info.group is not None:
                session.learn_group(info.group)
            return
        log.warning("the Central System refuses %s: %s", stored.transaction, info.status)
        context.rpc.spawn(self._refuse(stored.transaction))

    def _take_id(self, transaction: str, csms_id: int | None) -> None:
        """The id that the Central System gives a transaction; without one it goes on with -1 (errata 3.18)."""
        if csms_id is None or abs(csms_id) > MAX_CSMS_ID:
            log.error("the Central System has booked transaction %s, but gives it no id that can be read", transaction)
            return
        self._repository.set_csms_id(transaction, csms_id)
        session = self._context.charging.session_of(transaction)
        if session is not None and session.transaction is not None:
            session.transaction.csms_id = csms_id
        log.info("transaction %s is number %d for the Central System", transaction, csms_id)

    async def _refuse(self, transaction_id: str) -> None:
        session = self._context.charging.session_of(transaction_id)
        if session is not None:
            session.refuse()

    def given_up(self, stored: StoredMessage, request: Any, error: CallError | None) -> None:
        """See `Courier.given_up`: a transaction whose start is lost goes on with -1."""
        if stored.action == "StartTransaction":
            log.error("the Central System never took the start of transaction %s", stored.transaction)


def _id_tag(token: IdToken) -> str | None:
    """A token as idTag of a StopTransaction; None for one of a transaction that began in 2.x, with more characters."""
    if len(token.value) <= MAX_ID_TAG:
        return token.value
    log.warning("StopTransaction names no idTag: token %s has more than %d characters", redacted(token), MAX_ID_TAG)
    return None
