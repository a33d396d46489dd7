"""What of a simulation survives a restart, as a JSON file."""

import json
import logging
import os
from pathlib import Path
from typing import Any

from hal.simulated.inputs import MAX_ENERGY_WH

log = logging.getLogger(__name__)


class SimulationFile:
    """Read as a whole, written in one piece or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> dict[str, Any]:
        """What was written last; empty when there is none, or none that can be read."""
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(stored, dict):
                raise ValueError("not an object")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.error(
                "the simulation's state %s cannot be read: %s; starting with nothing plugged in", self.path, error
            )
            return {}
        return stored

    def write(self, state: dict[str, Any]) -> bool:
        """Put the state on disk; False when the disk does not take it."""
        draft = self.path.with_suffix(".tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(draft, "w", encoding="utf-8", opener=_private) as file:
                json.dump(state, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError as error:
            log.error("the simulation's state cannot be written: %s", error)
            return False
        return True


def stored_energy(stored: Any) -> float:
    """The register as versions before the register file kept it."""
    energy = stored.get("energy_wh", 0.0) if isinstance(stored, dict) else 0.0
    return float(energy) if isinstance(energy, int | float) and 0 <= energy <= MAX_ENERGY_WH else 0.0


def _private(path: str, flags: int) -> int:
    """For its owner only: it lies among what nobody else is to read."""
    return os.open(path, flags, 0o600)
