"""E. Transactions: TransactionEvent messages about what the domain's sessions do, and what the CSMS answers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from msgspec.structs import replace

from ocpp.core.context import Context
from ocpp.core.events import EventKind, StopReason, TransactionEvent
from ocpp.core.transaction import Transaction
from ocpp.errors import CallError
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler
from ocpp.rpc.outbox import Outbox
from ocpp.storage.messages import StoredMessage
from ocpp.v2 import translation
from ocpp.versions import OcppVersion

STOP_REASONS = {
    StopReason.UNLOCK_COMMAND: "Other",
    StopReason.HARD_RESET: "ImmediateReset",
    StopReason.SOFT_RESET: "ImmediateReset",
}
"""Reasons the domain knows and ReasonEnumType does not."""

TRANSACTION_EVENT = "TransactionEvent"

log = logging.getLogger(__name__)


class Follower(Protocol):
    """Whoever has queued messages of its own, and wants to know what becomes of them."""

    def delivered(self, request: Any) -> None:
        """The CSMS has answered."""

    def given_up(self, request: Any) -> None:
        """The message will not be sent."""


class Transactions:
    """Functional block E."""

    def __init__(self, context: Context, outbox: Outbox) -> None:
        self._context = context
        self._outbox = outbox
        self._followers: dict[str, Follower] = {}
        outbox.courier = self

    def follow(self, action: str, follower: Follower) -> None:
        """Let `follower` hear what becomes of queued messages of an action that is none of this block's."""
        self._followers[action] = follower

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"GetTransactionStatus": self.get_transaction_status}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""

    # -- what the domain reports ----------------------------------------------------------------------------------

    def transaction_event(self, event: TransactionEvent) -> None:
        """Store the TransactionEvent about `event` (E01.FR.07, E04.FR.01); Updated ones may give way (E04.FR.07)."""
        request = self.request(event)
        self._outbox.put(request, event.transaction.id, droppable=event.kind is EventKind.UPDATED)

    def request(self, event: TransactionEvent) -> v2.TransactionEventRequest:
        """The message about an event."""
        transaction = event.transaction
        token = event.id_token
        return v2.TransactionEventRequest(
            event_type=v2.TransactionEventEnum(event.kind.value),
            timestamp=event.timestamp,
            trigger_reason=v2.TriggerReasonEnum(event.trigger.value),
            seq_no=event.seq_no,
            offline=True if event.offline else None,
            number_of_phases_used=transaction.phases_used,
            reservation_id=event.reservation_id,
            transaction_info=self._info(event),
            evse=self._evse(transaction),
            id_token=translation.id_token_message(token) if token is not None else None,
            meter_value=translation.meter_values(event.meter_values),
        )

    def _info(self, event: TransactionEvent) -> v2.Transaction:
        transaction = event.transaction
        stopped = transaction.stop_reason if event.kind is EventKind.ENDED else None
        return v2.Transaction(
            transaction_id=transaction.id,
            charging_state=v2.ChargingStateEnum(transaction.charging_state.value),
            remote_start_id=transaction.remote_start_id,
            stopped_reason=v2.ReasonEnum(STOP_REASONS.get(stopped, stopped.value)) if stopped is not None else None,
        )

    @staticmethod
    def _evse(transaction: Transaction) -> v2.EVSE | None:
        if transaction.evse_id is None:
            return None
        return v2.EVSE(id=transaction.evse_id, connector_id=transaction.connector_id)

    # -- how stored messages go out, and what comes back ----------------------------------------------------------

    def prepare(self, stored: StoredMessage, request: Any) -> Any:
        """See `Courier.prepare`: what waited while the connection was lost is marked offline (E11.FR.07)."""
        if stored.action != TRANSACTION_EVENT:
            return request
        if stored.offline:
            request.offline = True
        catalogue = self._context.rpc.catalogue
        if request.trigger_reason == "TxResumed" and catalogue is not None and catalogue.version is OcppVersion.V201:
            request.trigger_reason = v2.TriggerReasonEnum("ChargingStateChanged")
        return request

    def delivered(self, stored: StoredMessage, request: Any, response: Any) -> None:
        """See `Courier.delivered`: take note of what the CSMS says about the token (E05, C10.FR.05)."""
        if stored.action != TRANSACTION_EVENT:
            if stored.action in self._followers:
                self._followers[stored.action].delivered(request)
            return
        self._tell_driver(request, response)
        self._prioritize(request, response)
        if response.id_token_info is None or request.id_token is None:
            return
        context = self._context
        token = translation.id_token(request.id_token)
        info = translation.authorization_info(response.id_token_info)
        context.authorizer.remember(token, info)
        if info.group is not None:
            context.charging.locks.learn_group(token, info.group)
        session = context.charging.session_of(request.transaction_info.transaction_id)
        if session is None or session.transaction is None or session.authorization is None:
            return
        if not session.authorization.token.matches(token):
            return
        if info.accepted:
            if info.group is not None:
                session.learn_group(info.group)
            return
        log.warning("the CSMS refuses the token of transaction %s: %s", session.transaction.id, info.status)
        context.rpc.spawn(self._refuse(session.transaction.id))

    def _prioritize(self, request: v2.TransactionEventRequest, response: v2.TransactionEventResponse) -> None:
        """The priority of this transaction goes before the token's, and is not remembered with it (K03.FR.05)."""
        session = self._context.charging.session_of(request.transaction_info.transaction_id)
        info = response.id_token_info
        given = response.charging_priority
        if given is None and info is not None:
            given = info.charging_priority
        if session is not None and given is not None:
            session.prioritize(given)

    def _tell_driver(self, request: v2.TransactionEventRequest, response: v2.TransactionEventResponse) -> None:
        """Cost and tariff of the transaction (I02.FR.04, I03.FR.03, I06.FR.03)."""
        texts, info = self._context.driver_texts, response.id_token_info
        transaction_id = request.transaction_info.transaction_id
        session = self._context.charging.session_of(transaction_id)
        if info is not None and request.id_token is not None:
            token, languages = translation.id_token(request.id_token), translation.languages(info)
            held = session.authorization if session is not None else None
            if session is not None and held is not None and held.token.matches(token) and languages:
                session.authorization = replace(held, languages=languages)
            texts.learn(token, translation.personal_texts(info))
        final = request.event_type == "Ended"
        if response.total_cost is not None and request.evse is not None and not (final and request.offline):
            texts.cost(request.evse.id, transaction_id, Decimal(str(response.total_cost)), final=final)
        message = response.updated_personal_message
        if message is not None and session is not None and session.authorization is not None:
            extra = response.updated_personal_message_extra or ()
            found = tuple(translation.display_text(text) for text in (message, *extra))
            texts.learn(session.authorization.token, found)

    async def _refuse(self, transaction_id: str) -> None:
        session = self._context.charging.session_of(transaction_id)
        if session is not None:
            session.refuse()

    def given_up(self, stored: StoredMessage, request: Any, error: CallError | None) -> None:
        """See `Courier.given_up`; of an event the CSMS sees the gap in the sequence numbers."""
        if stored.action in self._followers and request is not None:
            self._followers[stored.action].given_up(request)

    # -- what the CSMS asks ---------------------------------------------------------------------------------------

    def get_transaction_status(self, request: v2.GetTransactionStatusRequest) -> v2.GetTransactionStatusResponse:
        """E14."""
        if request.transaction_id is None:
            return v2.GetTransactionStatusResponse(messages_in_queue=self._outbox.has_transaction())
        ongoing = self._context.charging.session_of(request.transaction_id) is not None
        return v2.GetTransactionStatusResponse(
            ongoing_indicator=ongoing, messages_in_queue=self._outbox.has_transaction(request.transaction_id)
        )
