"""In the place of a station's parts while some of them are not there: nothing can be done, and everybody is told why."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hal.errors import PartsError
from hal.interfaces import EvseListener, Reading
from ocpp.clock import Clock
from ocpp.errors import ConfigurationError

RETRY_S = 5.0
"""How often it is looked whether they have turned up: a device that a hub brings later takes some seconds."""

GRACE_S, LOOK_S = 10.0, 1.0
"""How long, and how often, parts are waited for before the station goes on without them, where a transaction is open: with
them it may go on as if nothing had been, without them its cable counts as gone.
"""

FAULT = "InternalError"

if TYPE_CHECKING:
    from ocpp.station.program import Program

log = logging.getLogger(__name__)


async def with_parts(program: "Program", make: "Callable[[], Program]", stopping: Callable[[], bool]) -> "Program":
    """A program that has its parts, or else the one that is left after `GRACE_S`; `make` makes another one."""
    looked = 0
    while program.hurried and not stopping() and looked * LOOK_S < GRACE_S:
        program.close()
        await program.clock.sleep(LOOK_S)
        program = make()
        looked += 1
    return program


class MissingEvse:
    """An EVSE without its parts: it gives no energy, locks nothing and measures nothing."""

    def allow_energy(self, current_a: float, phases: int) -> None:
        """Nothing that could."""

    def stop_energy(self) -> None:
        """None flows."""

    async def lock(self, connector_id: int) -> bool:
        """It does not."""
        return False

    async def unlock(self, connector_id: int) -> bool:
        """It does not."""
        return False

    def has_lock(self, connector_id: int) -> bool:
        """Nobody knows."""
        return False

    def locked(self, connector_id: int) -> bool:
        """Nobody knows."""
        return False

    def read_meter(self) -> Reading:
        """Nothing, which is not zero."""
        return Reading(())


class MissingParts:
    """See `hal.wired.WiredStation`; `again` makes the real one, and `found` is called once that went well."""

    missing = True

    def __init__(
        self,
        evses: int,
        error: PartsError,
        *,
        listener: EvseListener,
        clock: Clock,
        again: Callable[[], Any],
        found: Callable[[], None],
    ) -> None:
        self.controllers: dict[int, Any] = {}
        self.plugged: list[tuple[int, int]] = []
        self._evses = {number: MissingEvse() for number in range(1, evses + 1)}
        self._reasons = error.reasons
        self._listener = listener
        self._clock = clock
        self._again = again
        self._found = found
        self._task: asyncio.Task[None] | None = None
        self._complain()

    def _complain(self) -> None:
        for reason in self._reasons:
            log.error("%s; tried again every %g s", reason, RETRY_S)

    def start(self) -> None:
        """Say what is missing, and look for it from time to time."""
        for number in self._evses:
            self._listener.fault(
                number, 0, FAULT, active=True, info="; ".join(self._reasons), vendor_code="PartMissing"
            )
        self._task = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        while True:
            await self._clock.sleep(RETRY_S)
            try:
                self._again().stop()  # the next life opens them for itself
            except PartsError as error:
                if error.reasons != self._reasons:
                    self._reasons = error.reasons
                    self._complain()
            except ConfigurationError as error:
                log.error("%s", error)
            else:
                log.info("every part is there; the station starts over with them")
                self._found()
                return

    def stop(self) -> None:
        """Look no longer."""
        if self._task is not None:
            self._task.cancel()

    def evse(self, number: int) -> MissingEvse:
        """See `WiredStation.evse`."""
        found = self._evses.get(number)
        if found is None:
            raise LookupError(f"there is no EVSE {number}; known are 1 to {len(self._evses)}")
        return found

    def read_main_meter(self) -> Reading | None:
        """See `WiredStation.read_main_meter`."""
        return None

    def show_offer(self, number: int) -> None:
        """See `WiredStation.show_offer`."""

    def set_available(self, number: int, connector_id: int, available: bool) -> None:
        """See `WiredStation.set_available`."""

    def indicate(self, number: int, state: str) -> None:
        """See `WiredStation.indicate`."""

    def show(self, number: int, texts: tuple[str, ...]) -> None:
        """See `WiredStation.show`."""

    def texts(self, number: int) -> tuple[str, ...]:
        """See `WiredStation.texts`."""
        return ()

    def ev_session(self, number: int) -> dict[str, Any] | None:
        """See `WiredStation.ev_session`."""
        return None

    def snapshot(self, number: int) -> dict[str, Any]:
        """See `WiredStation.snapshot`."""
        return {
            "evse": number,
            "pilot": "F",
            "plugged": None,
            "offered_a": 0.0,
            "energy_wh": 0,
            "power_w": 0,
            "soc": None,
            "connected": False,
        }
