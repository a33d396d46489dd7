"""Stopping transactions with a master pass: all of them, or those chosen on a user interface (C16)."""

import logging
from typing import TYPE_CHECKING

from ocpp.clock import Timer
from ocpp.core.events import StopReason, Trigger
from ocpp.core.identity import AuthorizationStatus, IdToken

if TYPE_CHECKING:
    from ocpp.core.charging import Charging

CHOICE_S = 60.0
"""How long the user interface waits for a choice: whoever comes next must not find it open."""

log = logging.getLogger(__name__)


class MasterPass:
    """What happens once a token of the master pass group was accepted."""

    def __init__(self, charging: "Charging") -> None:
        self._charging = charging
        self._token: IdToken | None = None
        self._timer: Timer | None = None
        self.chooses = False
        """Whether there is a user interface to choose on (C16.FR.01); else everything is stopped (C16.FR.02)."""

    @property
    def waiting(self) -> bool:
        """Whether the user interface is to be shown."""
        return self._token is not None

    def presented(self, token: IdToken) -> None:
        """A master pass was presented."""
        if not self.chooses:
            self._stop(token, ())
            return
        self._forget()
        self._token = token
        self._timer = self._charging.clock.call_later(CHOICE_S, self._timed_out)

    def choose(self, evse_ids: tuple[int, ...] = ()) -> None:
        """Stop the transactions of these EVSEs, or all; ValueError when nobody has presented a master pass."""
        if self._token is None:
            raise ValueError("no master pass was presented")
        for evse_id in evse_ids:
            self._charging.evses[evse_id]
        token = self._token
        self._forget()
        self._stop(token, evse_ids)

    def _stop(self, token: IdToken, evse_ids: tuple[int, ...]) -> None:
        for session in self._charging.sessions:
            chosen = not evse_ids or (session.evse is not None and session.evse.id in evse_ids)
            if session.transaction is not None and chosen:
                session.stop(Trigger.STOP_AUTHORIZED, StopReason.MASTER_PASS, token)

    def _timed_out(self) -> None:
        log.info("nothing was chosen with the master pass within %g s", CHOICE_S)
        token = self._token
        self._forget()
        if token is not None:
            self._charging.listener.local_authorization(token, AuthorizationStatus.EXPIRED)

    def _forget(self) -> None:
        self._token = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
