"""Prices and costs for drivers over DataTransfer: the 1.6 extension for California's pricing requirements.

Vendor `org.openchargealliance.costmsg`. Written from memory of that application note; see docs/v16/README.md.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from ocpp.clock import Timer
from ocpp.core.context import Context
from ocpp.core.events import EventKind, ReadingContext, TransactionEvent
from ocpp.core.evse import Connector, Evse
from ocpp.core.hardware import DisplayText
from ocpp.core.identity import UNTYPED, IdToken
from ocpp.core.transaction import Transaction, TransactionStore
from ocpp.device_model.keys import KeyView
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler
from ocpp.v16 import translation
from ocpp.v16.core.status import Status
from ocpp.v16.transferred import Transferred, read

VENDOR = "org.openchargealliance.costmsg"
CHECK_INTERVAL_S = 1.0
"""How often running costs and triggers are looked at while a transaction has them."""

WH_PER_KWH = 1000
SECONDS_PER_HOUR = 3600

log = logging.getLogger(__name__)


class PriceText(Transferred, frozen=True):
    """A text in one more language."""

    content: str
    format: str = "UTF8"
    language: str = ""


class ChargingPrice(Transferred, frozen=True):
    """What energy and time cost while energy flows."""

    kwh_price: Decimal = msgspec.field(default=Decimal(0), name="kWhPrice")
    hour_price: Decimal = Decimal(0)
    flat_fee: Decimal = Decimal(0)


class IdlePrice(Transferred, frozen=True):
    """What time costs while none flows, after some minutes that cost nothing."""

    grace_minutes: int = 0
    hour_price: Decimal = Decimal(0)


class Prices(Transferred, frozen=True):
    """What holds from a moment on."""

    at_time: datetime | None = None
    charging_price: ChargingPrice | None = None
    idle_price: IdlePrice | None = None


class MeterTrigger(Transferred, frozen=True):
    """When the CSMS wants a meter value."""

    at_time: datetime | None = None
    at_energy_kwh: Decimal | None = msgspec.field(default=None, name="atEnergykWh")
    at_power_kw: Decimal | None = msgspec.field(default=None, name="atPowerkW")
    at_cp_status: tuple[str, ...] = msgspec.field(default=(), name="atCPStatus")


class SetUserPrice(Transferred, frozen=True):
    """The price for a driver, as text."""

    id_token: str
    price_text: str
    price_text_extra: tuple[PriceText, ...] = ()


class RunningCost(Transferred, frozen=True):
    """What a transaction costs so far, and what goes on costing."""

    transaction_id: int
    timestamp: datetime
    meter_value: Decimal
    cost: Decimal
    state: str = "Charging"
    charging_price: ChargingPrice | None = None
    idle_price: IdlePrice | None = None
    next_period: Prices | None = None
    trigger_meter_value: MeterTrigger | None = None

    def at(self, now: datetime, meter_wh: Decimal) -> Decimal:
        """The cost at a moment; the next period is for the CSMS to calculate when it begins."""
        until = self.next_period.at_time if self.next_period is not None else None
        seconds = max(0, int((min(now, until or now) - self.timestamp).total_seconds()))
        if self.state == "Idle":
            price = self.idle_price or IdlePrice()
            paid = max(0, seconds - price.grace_minutes * 60)
            return self.cost + price.hour_price * paid / SECONDS_PER_HOUR
        charging = self.charging_price or ChargingPrice()
        energy = max(Decimal(0), meter_wh - self.meter_value)
        return self.cost + charging.kwh_price * energy / WH_PER_KWH + charging.hour_price * seconds / SECONDS_PER_HOUR


class DefaultText(Transferred, frozen=True):
    """The value of DefaultPrice or a DefaultPriceText, where it is no plain text."""

    price_text: str = ""
    price_text_offline: str = ""


class FinalCost(Transferred, frozen=True):
    """What a transaction has cost."""

    transaction_id: int
    cost: Decimal
    price_text: str = ""
    price_text_extra: tuple[PriceText, ...] = ()
    qr_code_text: str = ""


MESSAGES: dict[str, type[Transferred]] = {
    "SetUserPrice": SetUserPrice,
    "RunningCost": RunningCost,
    "FinalCost": FinalCost,
}


class CostMessages:
    """The extension. Texts go to the displays; the CSMS gets the meter values it asks for."""

    def __init__(self, context: Context, store: TransactionStore, status: Status, keys: KeyView) -> None:
        self._context = context
        self._keys = keys
        self._default_price = context.model.text("TariffCostCtrlr/TariffFallbackMessage")
        self._store = store
        self._status = status
        self._enabled = context.model.boolean("TariffCostCtrlr/Enabled[Cost]")
        self._idle_fee = context.model.boolean("OCPP16Ctrlr/CustomIdleFeeAfterStop")
        self._running: dict[int, tuple[Transaction, RunningCost, Decimal]] = {}
        self._leaving: dict[int, int] = {}
        self._timer: Timer | None = None

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`: DataTransfer itself belongs to the Core profile."""
        return {}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        context = self._context
        context.data_transfer.setdefault(VENDOR, self.data_transfer)
        texts = context.driver_texts
        texts.fallback_texts = self.default_texts
        for signal in (context.signals.accepted, context.signals.disconnected):
            signal.listen(lambda: texts.changed())

    def default_texts(self) -> tuple[DisplayText, ...]:
        """DefaultPrice, and DefaultPriceText of every language; each as it is meant for being online or offline."""
        found = {"": self._default_price.value, **self._keys.price_texts()}
        texts = ((_default_text(value, online=self._context.rpc.online), language) for language, value in found.items())
        return tuple(DisplayText(text, language=language) for text, language in texts if text)

    async def data_transfer(self, message_id: str | None, data: Any) -> tuple[str, Any]:
        """What the CSMS sends; gives status and data of the answer."""
        kind = MESSAGES.get(message_id or "")
        if kind is None:
            return "UnknownMessageId", None
        if not self._enabled.value:
            return "Rejected", None
        message: Any = read(kind, data, message_id)
        if message is None:
            return "Rejected", None
        if isinstance(message, SetUserPrice):
            texts = _texts(message.price_text, message.price_text_extra)
            self._context.driver_texts.learn(IdToken(message.id_token, UNTYPED), texts)
            return "Accepted", None
        transaction = self._store.by_csms_id(message.transaction_id)
        if transaction is None or transaction.evse_id is None:
            return "Rejected", None
        if isinstance(message, RunningCost):
            self._run(transaction, transaction.evse_id, message)
        else:
            self._finish(transaction, transaction.evse_id, message)
        return "Accepted", None

    # -- cost -----------------------------------------------------------------------------------------------------

    def _run(self, transaction: Transaction, evse_id: int, message: RunningCost) -> None:
        self._running[evse_id] = transaction, message, self._power_kw(evse_id)
        self._show(evse_id)
        self._watch()

    def _finish(self, transaction: Transaction, evse_id: int, message: FinalCost) -> None:
        self._running.pop(evse_id, None)
        texts = self._context.driver_texts
        found = (DisplayText(texts.amount(message.cost)), *_texts(message.price_text, message.price_text_extra))
        if message.qr_code_text:
            found = (*found, DisplayText(message.qr_code_text, "QRCODE"))
        texts.cost_texts(evse_id, transaction.id, found, final=True)

    def _show(self, evse_id: int) -> None:
        transaction, message, _ = self._running[evse_id]
        cost = message.at(self._context.clock.now(), self._meter_wh(evse_id))
        self._context.driver_texts.cost(evse_id, transaction.id, cost, final=not transaction.active)

    def _meter_wh(self, evse_id: int) -> Decimal:
        return self._context.charging.hardware.read_meter(evse_id).value() or Decimal(0)

    def _power_kw(self, evse_id: int) -> Decimal:
        reading = self._context.charging.hardware.read_meter(evse_id)
        return (reading.value("Power.Active.Import") or Decimal(0)) / WH_PER_KWH

    def _watch(self) -> None:
        if self._timer is None and self._running:
            self._timer = self._context.clock.call_later(CHECK_INTERVAL_S, self._check)

    def _check(self) -> None:
        self._timer = None
        for evse_id in tuple(self._running):
            self._show(evse_id)
            self._check_trigger(evse_id)
        self._watch()

    # -- meter values on demand -----------------------------------------------------------------------------------

    def _check_trigger(self, evse_id: int) -> None:
        transaction, message, power = self._running[evse_id]
        trigger = message.trigger_meter_value
        if trigger is None:
            return
        now_kw = self._power_kw(evse_id)
        reached = (
            (trigger.at_time is not None and self._context.clock.now() >= trigger.at_time)
            or (trigger.at_energy_kwh is not None and self._meter_wh(evse_id) >= trigger.at_energy_kwh * WH_PER_KWH)
            or (trigger.at_power_kw is not None and (power >= trigger.at_power_kw) != (now_kw >= trigger.at_power_kw))
        )
        if reached:
            self._send_values(self._context.evses[evse_id], transaction, message)
        else:
            self._running[evse_id] = transaction, message, now_kw

    def _send_values(self, evse: Evse, transaction: Transaction, message: RunningCost) -> None:
        """Each trigger fires once; the CSMS sets the next with the cost that follows."""
        done = msgspec.structs.replace(message, trigger_meter_value=None)
        self._running[evse.id] = transaction, done, self._power_kw(evse.id)
        value = self._context.charging.value_now(evse, ReadingContext.OTHER)
        if value is not None:
            request = v16.MeterValuesRequest(
                connector_id=self._context.evses.number_of(evse.connectors[0]),
                transaction_id=transaction.csms_id,
                meter_value=[translation.meter_value(value)],
            )
            self._context.rpc.notify(request)

    # -- what happens at the connector ----------------------------------------------------------------------------

    def transaction_event(self, event: TransactionEvent) -> None:
        """The end of a transaction: from now on it is the EV's leaving that counts."""
        transaction = event.transaction
        if event.kind is EventKind.ENDED and transaction.evse_id is not None and transaction.csms_id is not None:
            if self._idle_fee.value:
                self._leaving[transaction.evse_id] = transaction.csms_id
            else:
                self._running.pop(transaction.evse_id, None)

    def connector_changed(self, evse: Evse, connector: Connector) -> None:
        """A status that the CSMS waits for; or the EV leaves after its transaction (CustomIdleFeeAfterStop)."""
        transaction, message, _ = self._running.get(evse.id, (None, None, None))
        trigger = message.trigger_meter_value if message is not None else None
        if trigger is not None and self._status.status_of(evse, connector) in trigger.at_cp_status:
            assert transaction is not None
            assert message is not None
            self._send_values(evse, transaction, message)
        if evse.id in self._leaving and evse.plugged_connector is None:
            self._running.pop(evse.id, None)
            self._tell_unplugged(self._leaving.pop(evse.id))

    def _tell_unplugged(self, transaction_id: int) -> None:
        data = {"transactionId": transaction_id, "timestamp": self._context.clock.now()}
        request = v16.DataTransferRequest(
            vendor_id=VENDOR, message_id="ConnectorUnplugged", data=msgspec.json.encode(data).decode()
        )
        if self._context.rpc.outbox is not None:  # a fee ends with it: it is told until it is known
            self._context.rpc.outbox.put(request, None, droppable=True)

    def stop(self) -> None:
        """No timers any more."""
        if self._timer is not None:
            self._timer.cancel()


def _default_text(value: str, *, online: bool) -> str:
    """What a driver is told: a text as it is, of an object the text that fits."""
    if not value.lstrip().startswith("{"):
        return value
    found = read(DefaultText, value, "DefaultPrice")
    if found is None:
        return ""
    return found.price_text if online else found.price_text_offline or found.price_text


def _texts(text: str, extra: tuple[PriceText, ...]) -> tuple[DisplayText, ...]:
    first = (DisplayText(text),) if text else ()
    return (*first, *(DisplayText(each.content, each.format, each.language) for each in extra))
