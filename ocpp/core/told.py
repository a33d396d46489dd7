"""What the CSMS has been told of states, and what it knows of them: a state is known once the CSMS has answered.

A notification that the connection took with it, or that nobody answered, leaves open whether the CSMS has heard of it;
from then on it knows nothing of that state, not even what it knew before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from ocpp.rpc.waiting import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import msgspec

    from ocpp.clock import Clock, Timer
    from ocpp.rpc.endpoint import Endpoint

UNANSWERED_RETRY_S = 60.0
"""How long until a state is told again over a connection on which the CSMS left it without an answer: about as long as a
busy CSMS needs, and seldom enough for one that never answers."""

Key = TypeVar("Key", bound="Hashable")
State = TypeVar("State")


class Told(Generic[Key, State]):
    """States by key.

    `again(key)` is called when one should be looked at once more: it is not known after all; `known(key, state)` when
    the CSMS knows of one.
    """

    def __init__(
        self,
        rpc: Endpoint,
        clock: Clock,
        again: Callable[[Key], None],
        known: Callable[[Key, State], None] = lambda key, state: None,
    ) -> None:
        self._rpc = rpc
        self._clock = clock
        self._again = again
        self._on_known = known
        self._known: dict[Key, State] = {}
        self._said: dict[Key, tuple[int, State]] = {}
        """What is on its way, by the number of the newest notification about it."""
        self._queued: dict[Key, int] = {}
        """How many notifications about it wait in the outbox."""
        self._tried: dict[Key, State] = {}
        """What nobody took: not said again before there is a reason to hope."""
        self._count = 0
        self._timers: dict[Key, Timer] = {}

    def __bool__(self) -> bool:
        """Whether anything was told at all, or is on its way."""
        return bool(self._known or self._said)

    def __contains__(self, key: Key) -> bool:
        return key in self._said or key in self._known

    def holds(self, key: Key, state: State) -> bool:
        """Whether there is nothing to tell now: the CSMS knows that state, or is about to, or has just not taken it."""
        said = self._said.get(key)
        if said is not None:
            return said[1] == state
        held = self._known if key in self._known else self._tried
        return key in held and held[key] == state

    def forget(self) -> None:
        """The station was introduced anew, maybe to another CSMS: it knows nothing, but is told what waits in the outbox."""
        self._known.clear()
        self._said = {key: said for key, said in self._said.items() if key in self._queued}
        self._tried.clear()

    def tell(self, key: Key, state: State, request: msgspec.Struct) -> None:
        """Tell it, and remember that when the answer comes."""
        self._count += 1
        number = self._count
        self._said[key] = number, state
        self._tried.pop(key, None)
        self._rpc.notify(request, outcome=lambda outcome: self._settled(key, number, state, outcome))

    def delivered(self, key: Key, state: State) -> None:
        """The CSMS has answered a notification that waited in the outbox, maybe since an earlier run."""
        self._known[key] = state
        self._on_known(key, state)
        self._left_outbox(key)

    def given_up(self, key: Key) -> None:
        """A notification in the outbox will not be sent."""
        self._known.pop(key, None)
        self._left_outbox(key)

    def _left_outbox(self, key: Key) -> None:
        waiting = self._queued.pop(key, 1) - 1
        if waiting > 0:
            self._queued[key] = waiting
            return
        self._said.pop(key, None)
        self._again(key)

    def review(self) -> None:
        """The CSMS can be told, from now on: what it did not take may be said again.

        What waited in the outbox and gave way to other messages there was never told.
        """
        self._tried.clear()
        if self._rpc.outbox is None or not len(self._rpc.outbox):
            for key in self._queued:
                self._known.pop(key, None)
                self._said.pop(key, None)
            self._queued.clear()

    def _settled(self, key: Key, number: int, state: State, outcome: Outcome) -> None:
        if outcome is Outcome.QUEUED:
            self._queued[key] = self._queued.get(key, 0) + 1
            return
        newest = key in self._said and self._said[key][0] == number
        if newest:
            del self._said[key]
        if outcome is Outcome.ANSWERED:
            self._known[key] = state
            self._on_known(key, state)
            return
        self._known.pop(key, None)
        if newest:
            self._tried[key] = state
            if outcome is Outcome.UNANSWERED and self._rpc.online:
                self._try_later(key)

    def _try_later(self, key: Key) -> None:
        if key not in self._timers:
            self._timers[key] = self._clock.call_later(UNANSWERED_RETRY_S, lambda: self._retry(key))

    def _retry(self, key: Key) -> None:
        del self._timers[key]
        self._tried.pop(key, None)
        if self._rpc.online:
            self._again(key)

    def stop(self) -> None:
        """No timers any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
