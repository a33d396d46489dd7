"""Who may charge where: a presented token, or a remote start, finds the session it belongs to."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from ocpp.core.authorization import redacted
from ocpp.core.events import StopReason, Trigger
from ocpp.core.evse import Evse
from ocpp.core.hardware import Indication
from ocpp.core.identity import (
    UNQUESTIONED_TYPES,
    AuthorizationInfo,
    AuthorizationStatus,
    IdToken,
    same_authority,
)
from ocpp.core.key_codes import KEY_CODE, KeyCodeGuard
from ocpp.core.master_pass import MasterPass
from ocpp.core.schedule import ChargingProfile
from ocpp.core.session import ChargingSession
from ocpp.core.transaction import Authorization

if TYPE_CHECKING:
    from ocpp.core.charging import Charging

log = logging.getLogger(__name__)


class RemoteStart(msgspec.Struct, frozen=True):
    """A CSMS's wish to start charging, once an EVSE has been found for it."""

    session: ChargingSession
    token: IdToken
    remote_start_id: int | None
    authorize_first: bool
    group: IdToken | None = None
    profile: ChargingProfile | None = None
    reserved_for: IdToken | None = None
    """The group that the EVSE is reserved for; the CSMS has yet to say that the token belongs to it."""


class Admission:
    """Decides what a driver, or the CSMS on a driver's behalf, begins or ends."""

    def __init__(self, charging: "Charging") -> None:
        self._charging = charging
        self._authorizing: set[tuple[str, tuple[int, ...]]] = set()
        """Tokens that are being looked at, and the EVSEs that their readers serve."""
        self._key_codes = KeyCodeGuard(charging.clock)
        self.master_pass = MasterPass(charging)

    async def present_token(self, token: IdToken, evse_ids: tuple[int, ...] = ()) -> None:
        """A token was presented at a reader that serves `evse_ids` (empty: all)."""
        served = [evse for evse in self._charging.evses if not evse_ids or evse.id in evse_ids]
        if not served:
            log.warning("token %s was presented at a reader without an EVSE: %s", redacted(token), evse_ids)
            return
        presented = token.value.casefold(), tuple(evse.id for evse in served)
        if presented in self._authorizing:
            log.info("token %s is being looked at already", redacted(token))
            return
        if not self._told_whole(token):
            self._refuse(served)
            return
        if token.type == KEY_CODE and self._key_codes.closed:
            log.warning("a key code is not looked at: too soon after a wrong one")
            self._refuse(served)
            return
        self._authorizing.add(presented)
        try:
            await self._present(token, served)
        finally:
            self._authorizing.discard(presented)

    async def _present(self, token: IdToken, served: list[Evse]) -> None:
        candidates = [session for session in self._charging.sessions if session.evse is None or session.evse in served]
        if self._stop_own(token, None, candidates) or self._charging.locks.give_back(token, None, served):
            return
        for evse in served:
            self._charging.hardware.indicate(evse.id, Indication.AUTHORIZING)
        known = self._charging.authorizer.known(token)
        if known is not None and known.accepted:
            if self._stop_own(token, known.group, candidates):
                return
            if self._charging.locks.give_back(token, known.group, served):
                return
        info = await self._charging.authorizer.authorize(token)
        if token.type == KEY_CODE:
            self._key_codes.tried(accepted=info.accepted)
        self.decide(token, info, served)

    def _told_whole(self, token: IdToken) -> bool:
        authorizer = self._charging.authorizer
        if authorizer.can_tell(token):
            return True
        log.warning(
            "token %s is refused: it has %d characters, and the CSMS can be told %d of them at most",
            redacted(token),
            len(token.value),
            authorizer.longest(),
        )
        return False

    def _refuse(self, served: list[Evse]) -> None:
        for evse in served:
            self._charging.hardware.indicate(evse.id, Indication.REFUSED)

    def decide(self, token: IdToken, info: AuthorizationInfo, served: list[Evse], *, by_vehicle: bool = False) -> None:
        """A token that is known to be good or bad was presented: it begins or ends something, or is refused.

        `by_vehicle`: the EV at the one EVSE served presents it itself.
        """
        candidates = [session for session in self._charging.sessions if session.evse is None or session.evse in served]
        self._charging.listener.local_authorization(token, info.status)
        if not self._told_whole(token):
            self._refuse(served)
            return
        if info.accepted and self._charging.authorizer.is_master(info):
            self.master_pass.presented(token)
            return
        if info.accepted and (
            self._charging.locks.give_back(token, info.group, served) or self._stop_own(token, info.group, candidates)
        ):
            return
        session = self._waiting_session(token, info, served, named=by_vehicle) if info.accepted else None
        if session is None:
            why = self._obstacles(token, info, served, named=by_vehicle) if info.accepted else f"it is {info.status}"
            log.info("token %s may not charge here: %s", redacted(token), why)
            self._refuse(served)
        elif session.authorization is None:
            self._begin(session, token, info)

    def _begin(self, session: ChargingSession, token: IdToken, info: AuthorizationInfo) -> None:
        reservation = self._charging.reservations.use(session.evse, token, info.group)
        self._charging.keep(session)
        session.authorize(
            Authorization(
                token, info.group, reservation_id=reservation, priority=info.priority, languages=info.languages
            )
        )

    def _stop_own(self, token: IdToken, group: IdToken | None, candidates: list[ChargingSession]) -> bool:
        for session in candidates:
            held = session.authorization
            if held is not None and same_authority(token, group, held.token, held.group):
                session.stop(Trigger.STOP_AUTHORIZED, StopReason.LOCAL, token)
                return True
        return False

    def _waiting_session(
        self, token: IdToken, info: AuthorizationInfo, served: list[Evse], *, named: bool = False
    ) -> ChargingSession | None:
        """Whose authorization this is: the EVSE plugged last, the one reserved for the driver, the only one served, or
        whichever is plugged next. `named`: there is no doubt which EVSE is meant.
        """
        reservations = self._charging.reservations
        free = [evse for evse in served if not self._obstacle(evse, token, info, named=named)]
        for evse_id in reversed(self._charging.plug_order):
            for evse in free:
                if evse.id == evse_id and evse.plugged_connector is not None:
                    return self._session_at(evse)
        free = [evse for evse in free if evse.plugged_connector is None]
        reserved = reservations.place_for(token, info.group)
        free = [evse for evse in free if evse.id == reserved] or free
        if len(free) == 1 or (free and len(served) == 1):
            return self._session_at(free[0])
        if not free or self._charging.floating is not None:
            return None
        session = ChargingSession(self._charging, None)
        session.evse_ids = tuple(evse.id for evse in free)
        return session

    def _obstacles(self, token: IdToken, info: AuthorizationInfo, served: list[Evse], *, named: bool) -> str:
        """Why an accepted token begins nothing here, for the log."""
        found = {evse.id: self._obstacle(evse, token, info, named=named) for evse in served}
        if not all(found.values()):
            return "another driver has still to plug in"
        return "; ".join(f"EVSE {number} {why}" for number, why in found.items())

    def _obstacle(self, evse: Evse, token: IdToken, info: AuthorizationInfo, *, named: bool = False) -> str:
        """Why the holder of an accepted token cannot be authorized at an EVSE; empty: nothing speaks against it."""
        charging = self._charging
        connector = evse.plugged_connector or evse.connectors[0]
        if not info.allows(evse.id):
            return "is not among those the token may be used at"
        if not charging.evses.is_operative(evse, connector):
            return "is out of service"
        if charging.evses.blocking_faults(evse, connector):
            return "is faulted"
        if evse.plugged_connector is None and any(each.locked and each.kept_for for each in evse.connectors):
            return "holds a cable for its owner"  # who was looked for before
        if taken := _is_taken(evse.session, token):
            return taken
        if not named and _has_lapsed(evse, token, info.group):
            return "holds a cable for which nobody identified in time"
        return "" if charging.reservations.admits(evse, token, info.group) else "is reserved for somebody else"

    def _session_at(self, evse: Evse) -> ChargingSession:
        return evse.session if evse.session is not None else ChargingSession(self._charging, evse)

    # -- the CSMS's wishes ----------------------------------------------------------------------------------------

    def prepare_remote_start(
        self,
        token: IdToken,
        evse_id: int | None,
        remote_start_id: int | None,
        *,
        authorize_first: bool,
        group: IdToken | None = None,
        ask_for_group: bool = False,
        read_profile: Callable[[int], ChargingProfile | None] | None = None,
    ) -> RemoteStart | None:
        """Find the EVSE for a remote start; None when it has to be rejected (F01.FR.20-24).

        `read_profile` gives the charging profile that comes with it, for that EVSE; a bad one is a reason, too (K05.FR.05).
        `ask_for_group`: the request cannot name the token's group; where an EVSE is reserved for one, local list and cache
        say whether the token belongs to it, or the CSMS is asked before it begins (1.6 section 5.13).
        """
        served = [self._charging.evses[evse_id]] if evse_id is not None else list(self._charging.evses)
        if not self._charging.may_start():
            log.info("remote start refused: no transaction may begin now")
            return None
        known = self._charging.authorizer.known(token) if ask_for_group else None
        if known is not None:
            group = known.group
        named, reserved_for = evse_id is not None, None
        session = self._session_for_csms(token, group, served, named=named)
        if session is None and ask_for_group and known is None:
            for reserved_for in self._charging.reservations.groups:
                session = self._session_for_csms(token, reserved_for, served, named=named)
                if session is not None:
                    break
        if session is None:
            accepted = AuthorizationInfo(status=AuthorizationStatus.ACCEPTED, group=group)
            log.info("remote start refused: %s", self._obstacles(token, accepted, served, named=named))
            return None
        profile = None
        if read_profile is not None and self._charging.smart.on:
            profile = read_profile(session.evse.id) if session.evse is not None else None
            if profile is None or self._charging.smart.defect(profile, starting=True):
                return None
        return RemoteStart(session, token, remote_start_id, authorize_first, group, profile, reserved_for)

    def _session_for_csms(
        self, token: IdToken, group: IdToken | None, served: list[Evse], *, named: bool
    ) -> ChargingSession | None:
        accepted = AuthorizationInfo(status=AuthorizationStatus.ACCEPTED, group=group)
        session = self._waiting_session(token, accepted, served, named=named)
        nowhere = session is not None and session.evse is None and not named
        if session is None or (nowhere and not self._pick_first(session, served, token, accepted)):
            return None
        return session

    def _pick_first(
        self, session: ChargingSession, served: list[Evse], token: IdToken, accepted: AuthorizationInfo
    ) -> bool:
        for evse in served:
            if evse.session is None and not self._obstacle(evse, token, accepted):
                session.evse = evse
                return True
        return False

    async def remote_start(self, start: RemoteStart) -> AuthorizationInfo | None:
        """Carry out an accepted remote start; the answer is on its way already."""
        info = None
        ask = start.authorize_first or start.reserved_for is not None
        if ask and start.token.type not in UNQUESTIONED_TYPES:
            info = await self._charging.authorizer.authorize(start.token)
            if not info.accepted or self._charging.authorizer.is_master(info):
                why = "a master pass" if info.accepted else info.status
                log.info("remote start refused: token %s is %s", redacted(start.token), why)
                return info
        if start.reserved_for is not None and (info is None or not start.reserved_for.matches(info.group)):
            log.info("remote start refused: token %s is not of the group reserved for", redacted(start.token))
            return info
        session = start.session
        if session.evse is not None:
            session = self._session_at(session.evse) if session.evse.session is not None else session
        if session.authorization is not None:
            log.warning("remote start given up: EVSE %s was taken meanwhile", session.evse and session.evse.id)
            return info
        group = info.group if info is not None and info.group is not None else start.group
        reservation = self._charging.reservations.use(session.evse, start.token, group)
        self._charging.keep(session)
        session.profile_for_start = start.profile
        languages = info.languages if info is not None else ()
        session.authorize(
            Authorization(start.token, group, start.remote_start_id, reservation, languages=languages),
            Trigger.REMOTE_START,
        )
        return info

    async def carry_out(self, start: RemoteStart) -> None:
        """`remote_start`, for those who do not care about the outcome."""
        await self.remote_start(start)


def _is_taken(session: ChargingSession | None, token: IdToken) -> str:
    """By whom an EVSE is taken; empty where by nobody."""
    if session is None:
        return ""
    if session.authorization is not None or session.ending:
        return "is in use"
    # A transaction that lost its authorization may get it again (E09.FR.01), but not from somebody else (C01.FR.23).
    held = session.transaction.token if session.transaction is not None else None
    return "" if held is None or held.matches(token) else "has the transaction of somebody else"


def _has_lapsed(evse: Evse, token: IdToken, group: IdToken | None) -> bool:
    """Whether the cable there has waited too long for a driver, and this is not the one who charged with it last."""
    session = evse.session
    if session is None or not session.lapsed:
        return False
    last = session.last_authorization
    return last is None or not same_authority(token, group, last.token, last.group)
