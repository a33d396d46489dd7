"""Reservations: which EVSE is kept for whom, until when (block H; 1.6 section 5.13).

A reservation names an EVSE, or only a connector type, or nothing: then some EVSE has to stay free for its driver at any
time (H01.FR.07, .09). Whether that is so is a matter of matching reservations with usable EVSEs.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum

import msgspec

from ocpp.clock import Clock, Timer
from ocpp.core.evse import Connector, Evse, Evses
from ocpp.core.identity import IdToken
from ocpp.device_model import DeviceModel
from ocpp.storage.reservations import ReservationRepository

MAX_TIMER_S = 3600.0
"""The expiry is looked at again at least this often: the wall clock may be set meanwhile."""

log = logging.getLogger(__name__)


class ReserveOutcome(StrEnum):
    """ReserveNowStatusEnumType; 1.6 ReservationStatus."""

    ACCEPTED = "Accepted"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    REJECTED = "Rejected"
    UNAVAILABLE = "Unavailable"


class End(StrEnum):
    """Why a reservation ended without its driver (ReservationUpdateStatusEnumType)."""

    EXPIRED = "Expired"
    REMOVED = "Removed"


class Reservation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the CSMS asked for. `end` is set once it is over and the CSMS has still to be told."""

    id: int
    token: IdToken
    expiry: datetime
    group: IdToken | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    connector_type: str | None = None
    end: End | None = None

    def is_for(self, token: IdToken, group: IdToken | None) -> bool:
        """Whether a driver with that token, or of that group, may use it (H03)."""
        return self.token.matches(token) or (self.group is not None and self.group.matches(group))

    def suits(self, evse: Evse) -> bool:
        """Whether the EVSE is one of those it may be fulfilled with."""
        if self.evse_id is not None and self.evse_id != evse.id:
            return False
        return self.connector_type is None or any(each.type == self.connector_type for each in evse.connectors)


class Reservations:
    """The reservations in force. `changed` is called for connectors that become, or no longer are, reserved."""

    def __init__(self, repository: ReservationRepository, evses: Evses, model: DeviceModel, clock: Clock) -> None:
        self._repository = repository
        self._evses = evses
        self._clock = clock
        self._available = model.boolean("ReservationCtrlr/Available")
        self._enabled = model.boolean("ReservationCtrlr/Enabled")
        self._non_evse_specific = model.boolean("ReservationCtrlr/NonEvseSpecific")
        self._all = {each.id: each for each in map(_decode, repository.load())}
        self._timer: Timer | None = None
        self._reviewing = False
        self.changed: Callable[[Evse, Connector], None] = lambda evse, connector: None
        self.ended: Callable[[], None] = lambda: None
        """Called when there is an end that the CSMS has to be told of."""

    def __iter__(self) -> Iterator[Reservation]:
        return iter(self._active)

    @property
    def _active(self) -> list[Reservation]:
        return [each for each in self._all.values() if each.end is None]

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """End what expired while the station was off, and watch over the others."""
        self.review()

    def stop(self) -> None:
        """No more timers."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- the CSMS's wishes ----------------------------------------------------------------------------------------

    def reserve(self, wish: Reservation) -> ReserveOutcome:
        """Keep an EVSE free, instead of what a reservation with the same id asked for (H01)."""
        targets = [evse for evse in self._evses if wish.suits(evse)]
        unspecific = wish.evse_id is None
        if not self._enabled.value or wish.expiry <= self._clock.now() or not targets:
            return ReserveOutcome.REJECTED
        if unspecific and not self._non_evse_specific.value:
            return ReserveOutcome.REJECTED
        others = [each for each in self._active if each.id != wish.id]
        usable = self._that(self._is_usable)
        if _placed([*others, wish], usable) == _placed(others, usable):
            return self._reason(targets)
        self._repository.put(wish.id, msgspec.json.encode(wish))
        self._all[wish.id] = wish
        log.info("reservation %d until %s: %s", wish.id, wish.expiry, _place(wish))
        self.review()
        return ReserveOutcome.ACCEPTED

    def cancel(self, reservation_id: int) -> bool:
        """The CSMS takes a reservation back; False when there is none (H02.FR.01)."""
        if reservation_id not in {each.id for each in self._active}:
            return False
        self._forget(reservation_id)
        self.review()
        return True

    def _reason(self, targets: list[Evse]) -> ReserveOutcome:
        if all(self._is_faulted(evse) for evse in targets):
            return ReserveOutcome.FAULTED
        if all(self._is_faulted(evse) or not self._in_service(evse) for evse in targets):
            return ReserveOutcome.UNAVAILABLE
        return ReserveOutcome.OCCUPIED

    # -- drivers --------------------------------------------------------------------------------------------------

    def admits(self, evse: Evse, token: IdToken, group: IdToken | None) -> bool:
        """Whether somebody may charge there without taking the place of a reservation (H03)."""
        others = [each for each in self._active if not each.is_for(token, group)]
        if any(each.evse_id == evse.id for each in others):
            return False
        open_ones = self._that(self._is_open)
        return not _takes_a_place(evse, others, open_ones)

    def place_for(self, token: IdToken, group: IdToken | None) -> int | None:
        """The EVSE that is reserved for a driver, where one is named."""
        return next((each.evse_id for each in self._active if each.is_for(token, group) and each.evse_id), None)

    @property
    def groups(self) -> list[IdToken]:
        """The groups that something is reserved for."""
        return [each.group for each in self._active if each.group is not None]

    def use(self, evse: Evse | None, token: IdToken, group: IdToken | None) -> int | None:
        """A driver begins at an EVSE (None: not known yet): the reservation is consumed, its id given (H03.FR.09)."""
        for each in self._active:
            if each.is_for(token, group) and (evse is None or each.suits(evse)):
                self._forget(each.id)
                self.review()
                return each.id
        return None

    # -- watching over them ---------------------------------------------------------------------------------------

    def review(self) -> None:
        """Something has changed: end what is over, and show what is reserved."""
        if self._reviewing or not (self._all or any(connector.reserved for connector in self._evses.connectors)):
            return
        self._reviewing = True
        try:
            self._end_those_over()
            self._show()
        finally:
            self._reviewing = False
        self._schedule()

    def _end_those_over(self) -> None:
        now, ended = self._clock.now(), False
        for each in self._active:
            end = None
            if each.expiry <= now:
                end = End.EXPIRED
            elif all(self._is_faulted(evse) or not self._in_service(evse) for evse in self._evses if each.suits(evse)):
                end = End.REMOVED
            if end is not None:
                log.info("reservation %d has ended: %s", each.id, end)
                over = msgspec.structs.replace(each, end=end)
                self._repository.put(each.id, msgspec.json.encode(over))
                self._all[each.id] = over
                ended = True
        if ended:
            self.ended()

    def _show(self) -> None:
        active, usable = self._active, self._that(self._is_usable)
        for evse in self._evses:
            kept = evse in usable or self._is_blocked(evse, active)
            needed = kept and _takes_a_place(evse, active, usable if evse in usable else [*usable, evse])
            named = {each.connector_id for each in active if each.evse_id == evse.id and each.connector_id}
            for connector in evse.connectors:
                reserved = needed and (not named or connector.id in named)
                if connector.reserved is not reserved:
                    connector.reserved = reserved
                    self.changed(evse, connector)

    def _schedule(self) -> None:
        self.stop()
        if self._active:
            first = min(each.expiry for each in self._active)
            wait = max(0.0, (first - self._clock.now()).total_seconds())
            self._timer = self._clock.call_later(min(wait, MAX_TIMER_S), self.review)

    @property
    def untold(self) -> list[Reservation]:
        """Those that ended without the CSMS knowing."""
        return [each for each in self._all.values() if each.end is not None]

    def told(self, reservation_id: int) -> None:
        """The CSMS knows of the end."""
        self._forget(reservation_id)

    def _forget(self, reservation_id: int) -> None:
        self._repository.remove(reservation_id)
        self._all.pop(reservation_id, None)

    # -- matching -------------------------------------------------------------------------------------------------

    def _is_faulted(self, evse: Evse) -> bool:
        return all(self._evses.blocking_faults(evse, connector) for connector in evse.connectors)

    def _in_service(self, evse: Evse) -> bool:
        return any(self._evses.is_operative(evse, connector) for connector in evse.connectors)

    def _is_usable(self, evse: Evse) -> bool:
        """In service, sound, and nobody is there."""
        nobody = evse.session is None and not evse.occupied
        return nobody and self._in_service(evse) and not self._is_faulted(evse)

    def _is_blocked(self, evse: Evse, active: list[Reservation]) -> bool:
        """Reserved, and a cable was plugged in without a token: it stays reserved (G01.FR.09, G03.FR.09)."""
        session = evse.session
        transaction = session.transaction if session is not None else None
        authorized = session is not None and session.authorization is not None
        somebody = authorized or (transaction is not None and transaction.token is not None)
        kept = any(each.reserved for each in evse.connectors) or any(each.evse_id == evse.id for each in active)
        sound = self._in_service(evse) and not self._is_faulted(evse)
        return kept and sound and not somebody and evse.plugged_connector is not None

    def _is_open(self, evse: Evse) -> bool:
        """In service, sound, and nobody charges or may charge there; a cable may be in."""
        session = evse.session
        free = session is None or (session.authorization is None and session.transaction is None)
        return free and self._in_service(evse) and not self._is_faulted(evse)

    def _that(self, counts: Callable[[Evse], bool]) -> list[Evse]:
        return [evse for evse in self._evses if counts(evse)]


def _placed(wanted: list[Reservation], usable: list[Evse]) -> int:
    """How many reservations can have an EVSE of their own (augmenting paths; there are few of both).

    One that cannot, because its EVSE is taken or faulted, takes no place of others.
    """
    holder: dict[int, Reservation] = {}

    def place(reservation: Reservation, tried: set[int]) -> bool:
        for evse in usable:
            if evse.id in tried or not reservation.suits(evse):
                continue
            tried.add(evse.id)
            if evse.id not in holder or place(holder[evse.id], tried):
                holder[evse.id] = reservation
                return True
        return False

    return sum(place(reservation, set()) for reservation in wanted)


def _takes_a_place(evse: Evse, wanted: list[Reservation], usable: list[Evse]) -> bool:
    """Whether a reservation loses its EVSE when somebody else takes that one."""
    return _placed(wanted, [each for each in usable if each is not evse]) < _placed(wanted, usable)


def _decode(data: bytes) -> Reservation:
    return msgspec.json.decode(data, type=Reservation)


def _place(reservation: Reservation) -> str:
    if reservation.evse_id is not None:
        return f"EVSE {reservation.evse_id}"
    return f"any EVSE with {reservation.connector_type}" if reservation.connector_type else "any EVSE"
