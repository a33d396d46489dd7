"""What installs new firmware: a command of the board's update tool, or, with simulated hardware, nothing but time."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from ocpp.clock import Clock
from ocpp.core.firmware_update import InstallOutcome

EXIT_RESTART, EXIT_VERIFICATION_FAILED = 75, 65
"""Exit statuses of an install command beside 0: installed and waiting for a restart (EX_TEMPFAIL), and an image that is
not fit for this board (EX_DATAERR). Everything else is a failure."""

INSTALL_TIMEOUT_S = 3600.0
CONFIRM_TIMEOUT_S = 1800.0
"""A tool that takes new firmware back unless it reaches the CSMS decides only after that."""

MAX_OUTPUT = 2000
"""Characters of a command's output that go into the log."""

log = logging.getLogger(__name__)


class CommandInstaller:
    """Calls the update tool of the board; `{file}` in a command is the image."""

    def __init__(self, install: Sequence[str], confirm: Sequence[str], *, interrupts: bool) -> None:
        self._install = install
        self._confirm = confirm
        self.interrupts = interrupts
        self.reconnects = True

    async def install(self, image: Path) -> InstallOutcome:
        """See `Installer.install`."""
        status = await _call([part.replace("{file}", str(image)) for part in self._install], INSTALL_TIMEOUT_S)
        outcomes = {
            0: InstallOutcome.INSTALLED,
            EXIT_RESTART: InstallOutcome.NEEDS_RESTART,
            EXIT_VERIFICATION_FAILED: InstallOutcome.VERIFICATION_FAILED,
        }
        return outcomes.get(status, InstallOutcome.FAILED)

    async def confirm(self) -> bool:
        """See `Installer.confirm`: without a command of its own the start of the program is proof enough."""
        return not self._confirm or await _call(self._confirm, CONFIRM_TIMEOUT_S) == 0


async def _call(command: Sequence[str], timeout_s: float) -> int:
    """Run a command; its exit status, -1 when it could not be run or took too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        log.error("%s cannot be run: %s", command[0], error)
        return -1
    try:
        output, _ = await asyncio.wait_for(process.communicate(), timeout_s)
    except TimeoutError:
        process.kill()
        log.error("%s took longer than %.0f s", command[0], timeout_s)
        return -1
    status = process.returncode if process.returncode is not None else -1
    text = output.decode("utf-8", "replace").strip()[-MAX_OUTPUT:]
    log.log(logging.INFO if status == 0 else logging.WARNING, "%s ended with %d: %s", command[0], status, text)
    return status


class SimulatedInstaller:
    """Takes its time. An empty image, or one that begins with CORRUPT, is refused; one with BROKEN fails to install."""

    def __init__(self, clock: Clock, activation: str, seconds: float) -> None:
        self._clock = clock
        self._activation = activation
        self._seconds = seconds
        self.interrupts = activation != "none"
        self.reconnects = activation == "none"

    async def install(self, image: Path) -> InstallOutcome:
        """See `Installer.install`."""
        await self._clock.sleep(self._seconds)
        with image.open("rb") as file:
            beginning = file.read(16)
        if not beginning or beginning.startswith(b"CORRUPT"):
            return InstallOutcome.VERIFICATION_FAILED
        if beginning.startswith(b"BROKEN"):
            return InstallOutcome.FAILED
        return InstallOutcome.NEEDS_RESTART if self._activation == "exit" else InstallOutcome.INSTALLED

    async def confirm(self) -> bool:
        """See `Installer.confirm`."""
        return True
