"""An ISO 15118 controller with an EV behind it that does what it is told, and answers offers by itself."""

from collections.abc import Callable
from typing import Any

import msgspec

from hal.clock import Clock
from hal.interfaces import EvControllerListener, OfferedSchedule

ISO15118_2 = "urn:iso:15118:2:2013:MsgDef"
DEFAULT_MAX_CURRENT_A = 32.0


class Heard(msgspec.Struct):
    """What the EV was told last."""

    authorized: bool | None = None
    certificate_accepted: bool | None = None
    certificate_exi: str = ""
    offers: tuple[OfferedSchedule, ...] = ()
    renegotiations: int = 0


class SimulatedEvController:
    """`EvController` of one EVSE."""

    def __init__(
        self, evse_id: int, clock: Clock, listener: EvControllerListener, max_current_a: Callable[[], float | None]
    ) -> None:
        self._evse_id = evse_id
        self._clock = clock
        self._listener = listener
        self._max_current_a = max_current_a
        self.heard = Heard()
        self.answers = True
        """Whether the EV answers an offer with its own schedule."""

    # -- what it is told ------------------------------------------------------------------------------------------

    def authorization(self, accepted: bool) -> None:
        """See `EvController.authorization`."""
        self.heard.authorized = accepted

    def certificate(self, accepted: bool, exi: str) -> None:
        """See `EvController.certificate`."""
        self.heard.certificate_accepted, self.heard.certificate_exi = accepted, exi

    def offer(self, schedules: tuple[OfferedSchedule, ...]) -> None:
        """See `EvController.offer`: the EV takes the first, as far as it can."""
        self.heard.offers = schedules
        if self.answers and schedules:
            self._clock.call_later(0.0, lambda: self._listener.schedule(self._evse_id, self._choice(schedules[0])))

    def _choice(self, offered: OfferedSchedule) -> OfferedSchedule:
        most = self._max_current_a() or DEFAULT_MAX_CURRENT_A
        periods = tuple((start, min(limit, most)) for start, limit in offered.periods)
        return OfferedSchedule(offered.id, periods, offered.duration_s)

    def renegotiate(self) -> None:
        """See `EvController.renegotiate`."""
        self.heard.renegotiations += 1

    # -- what the EV does -----------------------------------------------------------------------------------------

    def act(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Let the EV say something: `contract`, `certificate`, `needs`, `schedule`, `session_stop`; or set `answers`.

        ValueError for anything else, and for a part that is missing.
        """
        known = {
            "contract": self._contract,
            "certificate": self._certificate,
            "needs": self._needs,
            "schedule": self._schedule,
            "session_stop": self._stop_session,
            "answers": self._set_answers,
        }
        for name in wish:
            if name not in known:
                raise ValueError(f"an EV has no {name!r} to say; allowed are {', '.join(known)}")
        for name, value in wish.items():
            known[name](value)
        return self.snapshot()

    def _tell(self, report: Callable[[], None]) -> None:
        self._clock.call_later(0.0, report)

    def _contract(self, value: Any) -> None:
        emaid, chain = _texts(value, "contract", "emaid", "chain")
        self._tell(lambda: self._listener.contract(self._evse_id, emaid, chain))

    def _certificate(self, value: Any) -> None:
        action, exi = _texts(value, "certificate", "action", "exi")
        if action not in ("Install", "Update"):
            raise ValueError(f"certificate.action = {action!r} must be Install or Update")
        schema = str(value.get("schema", ISO15118_2))
        self._tell(lambda: self._listener.certificate_request(self._evse_id, schema, action, exi))

    def _needs(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise ValueError("needs must be an object")
        self._listener.needs(self._evse_id, value)

    def _schedule(self, value: Any) -> None:
        try:
            periods = tuple((int(start), float(limit)) for start, limit in value["periods"])
            chosen = OfferedSchedule(int(value.get("id", 1)), periods, int(value.get("duration_s", 86400)))
        except (TypeError, ValueError, KeyError, AttributeError) as wrong:
            raise ValueError("schedule must have periods, pairs of start in s and limit in A") from wrong
        self._tell(lambda: self._listener.schedule(self._evse_id, chosen))

    def _stop_session(self, value: Any) -> None:
        if value not in ("Terminate", "Pause"):
            raise ValueError(f"session_stop = {value!r} must be Terminate or Pause")
        if value == "Terminate":
            self._tell(lambda: self._listener.session_stopped(self._evse_id))

    def _set_answers(self, value: Any) -> None:
        if not isinstance(value, bool):
            raise ValueError("answers must be true or false")
        self.answers = value

    def snapshot(self) -> dict[str, Any]:
        """What the EV has heard."""
        heard = self.heard
        return {
            "authorized": heard.authorized,
            "certificate": {"accepted": heard.certificate_accepted, "exi": heard.certificate_exi},
            "offers": [{"id": each.id, "periods": [list(period) for period in each.periods]} for each in heard.offers],
            "renegotiations": heard.renegotiations,
        }


def _texts(value: Any, where: str, *names: str) -> list[str]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be an object")
    for name in names:
        if not isinstance(value.get(name), str) or not value[name]:
            raise ValueError(f"{where}.{name} must be a text")
    return [value[name] for name in names]
