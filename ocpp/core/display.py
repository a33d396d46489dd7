"""Texts for drivers: the messages the CSMS has installed (block O), and what belongs to a session (tariff and cost).

A display shows one of three things, the first that there is: the message that is always in front, the messages in
front in turn, or the normal cycle: the session's texts and the messages of that priority.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from ocpp.clock import Clock, Timer
from ocpp.core.driver_texts import DriverTexts
from ocpp.core.evse import Evse, Evses
from ocpp.core.hardware import DisplayText, Hardware
from ocpp.device_model import DeviceModel
from ocpp.storage.documents import DocumentRepository

MAX_TIMER_S = 3600.0
"""The dates are looked at again at least this often: the wall clock may be set meanwhile."""

STATION = 0
"""The display of the station as a whole."""

FALLBACK_LANGUAGE = "en"

log = logging.getLogger(__name__)


class Priority(StrEnum):
    """MessagePriorityEnumType."""

    ALWAYS_FRONT = "AlwaysFront"
    IN_FRONT = "InFront"
    NORMAL_CYCLE = "NormalCycle"


class State(StrEnum):
    """MessageStateEnumType; the last two since 2.1."""

    CHARGING = "Charging"
    FAULTED = "Faulted"
    IDLE = "Idle"
    UNAVAILABLE = "Unavailable"
    SUSPENDED = "Suspended"
    DISCHARGING = "Discharging"


class SetOutcome(StrEnum):
    """DisplayMessageStatusEnumType."""

    ACCEPTED = "Accepted"
    NOT_SUPPORTED_FORMAT = "NotSupportedMessageFormat"
    REJECTED = "Rejected"
    NOT_SUPPORTED_PRIORITY = "NotSupportedPriority"
    NOT_SUPPORTED_STATE = "NotSupportedState"
    UNKNOWN_TRANSACTION = "UnknownTransaction"


class DisplayMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the CSMS asked for. `texts` is the message in one language or several; `display` None means every display."""

    id: int
    priority: Priority
    texts: tuple[DisplayText, ...]
    state: State | None = None
    start: datetime | None = None
    end: datetime | None = None
    transaction_id: str | None = None
    display: int | None = None

    def text(self, languages: tuple[str, ...]) -> DisplayText:
        """In one of the driver's languages, else in English, else as it comes (O01.FR.08-09, C01.FR.08-09, .13)."""
        for wanted in (*languages, FALLBACK_LANGUAGE):
            for text in self.texts:
                if text.language.lower().split("-")[0] == wanted.lower().split("-")[0]:
                    return text
        return self.texts[0]


class Displays:
    """The messages, and what every display shows."""

    def __init__(
        self,
        repository: DocumentRepository,
        evses: Evses,
        hardware: Hardware,
        model: DeviceModel,
        clock: Clock,
        texts: DriverTexts,
    ) -> None:
        self._repository = repository
        self._evses = evses
        self._hardware = hardware
        self._clock = clock
        self._messages: dict[int, DisplayMessage] = {}
        for data in repository.load():
            message = msgspec.json.decode(data, type=DisplayMessage)
            self._messages[message.id] = message
        self._count = model.entry("DisplayMessageCtrlr/DisplayMessages")
        self._count.getter = lambda: str(len(self._messages))
        self._enabled = model.boolean("DisplayMessageCtrlr/Enabled")
        self._formats = model.members("DisplayMessageCtrlr/SupportedFormats")
        self._priorities = model.members("DisplayMessageCtrlr/SupportedPriorities")
        self._states_supported = model.members("DisplayMessageCtrlr/SupportedStates")
        self._enabled.on_change(lambda _: self.review())
        self._texts = texts
        texts.changed = self.review
        self._shown: dict[int, tuple[DisplayText, ...]] = {}
        self._timer: Timer | None = None
        self.displays: tuple[int, ...] = tuple(
            entry.component.evse or STATION
            for entry in model.entries()
            if entry.component.name == "Display" and entry.variable.name == "Available"
        )
        self.transaction_known: Callable[[str], bool] = lambda transaction_id: False
        """Whether a transaction is going on, by the id the CSMS knows."""

    # -- what the CSMS asks ---------------------------------------------------------------------------------------

    def set(self, message: DisplayMessage) -> SetOutcome:
        """Install a message, or replace the one with its id (O01, O02, O06)."""
        refusal = self._refusal(message)
        if refusal is not None:
            return refusal
        if message.priority is Priority.ALWAYS_FRONT:
            self._drop_always_front(message)
        self._messages[message.id] = message
        self._repository.put(message.id, msgspec.json.encode(message))
        self.review()
        return SetOutcome.ACCEPTED

    def _refusal(self, message: DisplayMessage) -> SetOutcome | None:
        if not self._enabled.value:
            return SetOutcome.REJECTED
        if message.priority.value not in self._priorities.value:
            return SetOutcome.NOT_SUPPORTED_PRIORITY
        if message.state is not None and message.state.value not in self._states_supported.value:
            return SetOutcome.NOT_SUPPORTED_STATE
        if any(text.format not in self._formats.value for text in message.texts):
            return SetOutcome.NOT_SUPPORTED_FORMAT
        if message.transaction_id is not None and not self.transaction_known(message.transaction_id):
            return SetOutcome.UNKNOWN_TRANSACTION
        if message.display is not None and message.display not in self.displays:
            return SetOutcome.REJECTED
        limit = self._count.definition.high
        if message.id not in self._messages and limit is not None and len(self._messages) >= limit:
            return SetOutcome.REJECTED
        return None

    def _drop_always_front(self, newer: DisplayMessage) -> None:
        """O01.FR.16: one message at a time is always in front of a display."""
        for each in tuple(self._messages.values()):
            if each.priority is Priority.ALWAYS_FRONT and each.id != newer.id and each.display == newer.display:
                self._forget(each)

    def find(
        self, ids: Iterable[int] = (), priority: str | None = None, state: str | None = None
    ) -> list[DisplayMessage]:
        """The messages that fit everything that is given (O03, O04)."""
        wanted = frozenset(ids)
        return [
            each
            for each in self._messages.values()
            if (not wanted or each.id in wanted)
            and (priority is None or each.priority == priority)
            and (state is None or each.state == state)
        ]

    def clear(self, message_id: int) -> bool:
        """Remove a message (O05); False when there is none with that id."""
        message = self._messages.get(message_id)
        if message is None:
            return False
        self._forget(message)
        self.review()
        return True

    def _forget(self, message: DisplayMessage) -> None:
        self._repository.remove(message.id)
        del self._messages[message.id]

    # -- what is shown --------------------------------------------------------------------------------------------

    def review(self) -> None:
        """Something has changed: drop what is over, and show what is to be seen now."""
        now = self._clock.now()
        for message in tuple(self._messages.values()):
            ended = message.transaction_id is not None and not self.transaction_known(message.transaction_id)
            if ended or (message.end is not None and message.end <= now):
                log.info("display message %s is over", message.id)
                self._forget(message)
        for display in self.displays:
            texts = self.texts(display)
            if self._shown.get(display) != texts:
                self._shown[display] = texts
                self._hardware.show(display, texts)
        self._look_again(now)

    def texts(self, display: int) -> tuple[DisplayText, ...]:
        """What a display shows in turn at this moment."""
        evses = list(self._evses) if display == STATION else [self._evses[display]]
        now = self._clock.now()
        languages = next((found for evse in evses if (found := _languages(evse))), ())
        shown: dict[Priority, list[DisplayText]] = {priority: [] for priority in Priority}
        if self._enabled.value:
            for message in self._messages.values():
                if self._to_be_seen(message, display, evses, now):
                    shown[message.priority].append(message.text(languages))
        for priority in (Priority.ALWAYS_FRONT, Priority.IN_FRONT):
            if shown[priority]:
                return tuple(shown[priority])
        own = [text for evse in evses for text in self._texts.of(evse)]
        return (*own, *shown[Priority.NORMAL_CYCLE])

    def _to_be_seen(self, message: DisplayMessage, display: int, evses: list[Evse], now: datetime) -> bool:
        if message.display not in (None, display) or (message.start is not None and message.start > now):
            return False
        if message.transaction_id is not None and not any(_charges(evse, message.transaction_id) for evse in evses):
            return False
        return message.state is None or message.state in self._states(evses)

    def _states(self, evses: list[Evse]) -> frozenset[State]:
        """The states that a display's EVSEs are in; a display of several is idle when all of them are."""
        states = [self._state(evse) for evse in evses]
        several = {state for state in states if state in (State.CHARGING, State.SUSPENDED, State.FAULTED)}
        common = {state for state in (State.IDLE, State.UNAVAILABLE) if all(each is state for each in states)}
        return frozenset(several | common)

    def _state(self, evse: Evse) -> State | None:
        connectors = [evse.plugged_connector] if evse.plugged_connector is not None else evse.connectors
        if any(self._evses.blocking_faults(evse, connector) for connector in connectors):
            return State.FAULTED
        session = evse.session
        if session is not None and session.transaction is not None:
            charging = session.transaction.charging_state.value
            if charging == "Charging":
                return State.CHARGING
            return State.SUSPENDED if charging.startswith("Suspended") else None
        if not any(self._evses.is_operative(evse, connector) for connector in evse.connectors):
            return State.UNAVAILABLE
        return State.IDLE

    def _look_again(self, now: datetime) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dates = [
            date
            for message in self._messages.values()
            for date in (message.start, message.end)
            if date is not None and date > now
        ]
        if dates:
            wait = (min(dates) - now).total_seconds()
            self._timer = self._clock.call_later(min(wait, MAX_TIMER_S), self.review)

    def stop(self) -> None:
        """No timers any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._texts.stop()


def _languages(evse: Evse) -> tuple[str, ...]:
    session = evse.session
    return session.authorization.languages if session is not None and session.authorization is not None else ()


def _charges(evse: Evse, transaction_id: str) -> bool:
    session = evse.session
    if session is None or session.transaction is None:
        return False
    transaction = session.transaction
    return transaction_id in (transaction.id, str(transaction.csms_id))
