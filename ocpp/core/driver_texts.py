"""Tariff and cost, as a driver is told about them (block I; the 1.6 extension for California)."""

from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal

import msgspec

from ocpp.clock import Clock, Timer
from ocpp.core.evse import Evse
from ocpp.core.hardware import DisplayText
from ocpp.core.identity import IdToken
from ocpp.core.transaction import Transaction
from ocpp.device_model import DeviceModel

FINAL_COST_S = 60.0
"""How long the final cost is shown after the end of a transaction."""

MAX_TEXTS = 8
"""Texts of one kind that a display has to turn through."""

MAX_KNOWN_DRIVERS = 64
"""Drivers whose tariff texts are remembered until they charge."""

Texts = tuple[DisplayText, ...]


class _Cost(msgspec.Struct):
    transaction_id: str
    texts: Texts
    timer: Timer | None = None

    @property
    def final(self) -> bool:
        return self.timer is not None


class DriverTexts:
    """What is told at each EVSE about the session there."""

    def __init__(self, model: DeviceModel, clock: Clock) -> None:
        self._clock = clock
        self._drivers: OrderedDict[str, Texts] = OrderedDict()
        self._costs: dict[int, _Cost] = {}
        self._tariff_enabled = model.boolean("TariffCostCtrlr/Enabled[Tariff]")
        self._cost_enabled = model.boolean("TariffCostCtrlr/Enabled[Cost]")
        self._tariff_fallback = model.text("TariffCostCtrlr/TariffFallbackMessage")
        self._cost_fallback = model.text("TariffCostCtrlr/TotalCostFallbackMessage")
        self._currency = model.text("TariffCostCtrlr/Currency")
        self._decimals = model.integer("TariffCostCtrlr/NumberOfDecimals")
        self.changed: Callable[[], None] = lambda: None
        self.has_left: Callable[[int], bool] = lambda evse_id: False
        """Whether the driver at an EVSE is gone by the time a transaction ends."""
        self.fallback_texts: Callable[[], Texts] = self._fallback
        """What a driver without a tariff of their own is told (I04.FR.01)."""

    def _fallback(self) -> Texts:
        text = self._tariff_fallback.value
        return (DisplayText(text),) if text else ()

    # -- what happens ---------------------------------------------------------------------------------------------

    def learn(self, token: IdToken, texts: Texts) -> None:
        """The CSMS has told something for the driver with that token (I01.FR.03, I06.FR.03)."""
        key = token.value.casefold()
        self._drivers[key] = texts[:MAX_TEXTS] or self._drivers.pop(key, ())
        self._drivers.move_to_end(key)
        if len(self._drivers) > MAX_KNOWN_DRIVERS:
            self._drivers.popitem(last=False)
        self.changed()

    def cost(self, evse_id: int, transaction_id: str, cost: Decimal, *, final: bool = False) -> None:
        """What the transaction costs so far, or in the end (I02.FR.03-04, I03.FR.03)."""
        self.cost_texts(evse_id, transaction_id, (DisplayText(self.amount(cost)),), final=final)

    def cost_texts(self, evse_id: int, transaction_id: str, texts: Texts, *, final: bool = False) -> None:
        """The same in several texts; a final cost only while somebody is there to read it (I03.FR.05)."""
        if not self._cost_enabled.value:
            return
        if final and self.has_left(evse_id):
            self._drop(evse_id)
            return
        before = self._costs.pop(evse_id, None)
        if before is not None and before.timer is not None:
            before.timer.cancel()
        cost = self._costs[evse_id] = _Cost(transaction_id, texts[:MAX_TEXTS])
        if final or (before is not None and before.final and before.transaction_id == transaction_id):
            cost.timer = self._clock.call_later(FINAL_COST_S, lambda: self._forget(evse_id))
        self.changed()

    def ended(self, evse_id: int, transaction_id: str, *, online: bool) -> None:
        """The transaction has ended; offline nobody can tell its final cost (I05.FR.02)."""
        fallback = self._cost_fallback.value
        if not online and fallback:
            self.cost_texts(evse_id, transaction_id, (DisplayText(fallback),), final=True)
            return
        cost = self._costs.get(evse_id)
        if cost is not None and cost.transaction_id == transaction_id:
            self.cost_texts(evse_id, transaction_id, cost.texts, final=True)

    def _drop(self, evse_id: int) -> None:
        before = self._costs.pop(evse_id, None)
        if before is not None and before.timer is not None:
            before.timer.cancel()
        self.changed()

    def _forget(self, evse_id: int) -> None:
        del self._costs[evse_id]
        self.changed()

    # -- what is told ---------------------------------------------------------------------------------------------

    def amount(self, cost: Decimal) -> str:
        """A cost with its currency."""
        return f"{cost:.{self._decimals.value}f} {self._currency.value}".strip()

    def of(self, evse: Evse) -> Texts:
        """The texts of the session at an EVSE: its cost, and its tariff or the fallback for it (I04.FR.01)."""
        token, transaction = _driver(evse)
        cost = self._costs.get(evse.id)
        if token is None:
            return cost.texts if cost is not None and cost.final else ()
        running = cost is not None and transaction is not None and cost.transaction_id == transaction.id
        known = self._drivers.get(token.value.casefold(), ())
        tariff = known or self.fallback_texts()[:MAX_TEXTS]
        return (
            *(cost.texts if cost is not None and running else ()),
            *(tariff if self._tariff_enabled.value else ()),
        )

    def stop(self) -> None:
        """No timers any more."""
        for cost in self._costs.values():
            if cost.timer is not None:
                cost.timer.cancel()


def _driver(evse: Evse) -> tuple[IdToken | None, Transaction | None]:
    session = evse.session
    if session is None or session.authorization is None:
        return None, None
    return session.authorization.token, session.transaction
