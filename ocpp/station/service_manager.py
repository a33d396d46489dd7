"""systemd's notification protocol (sd_notify): ready, still alive, stopping. Without systemd all of it does nothing."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping

LONGEST_BEAT_S = 30.0

log = logging.getLogger(__name__)


class ServiceManager:
    """Tells the service manager named by the environment; NOTIFY_SOCKET and WATCHDOG_USEC are read once."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._is_ready = False
        self._address = "\0" + address[1:] if address.startswith("@") else address
        microseconds = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        watched = ours and microseconds.isdecimal()
        self.beat_s = min(int(microseconds) / 2e6, LONGEST_BEAT_S) if watched else 0.0
        """Seconds between two signs of life; 0 when nobody waits for any."""

    def tell(self, state: str) -> None:
        """Send a state such as READY=1. A service manager that cannot be reached is logged; the station goes on."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.setblocking(False)
                channel.sendto(state.encode(), self._address)
        except OSError as error:
            log.warning("the service manager cannot be told %s: %s", state, error)

    def ready(self) -> None:
        """Hardware, local API and charge point are at work. Said once: a reset within the process is none to systemd."""
        if not self._is_ready:
            self._is_ready = True
            self.tell("READY=1")

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Alive as long as the event loop turns, stopping on leaving."""
        beat = asyncio.ensure_future(self._beat())
        try:
            yield
        finally:
            beat.cancel()
            self.tell("STOPPING=1")

    async def _beat(self) -> None:
        while self.beat_s:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self.beat_s)
