"""The network connection profiles of a station, as they are stored, whatever was written into slots and priority."""

import logging
from collections.abc import Sequence

import msgspec

from ocpp.connectivity import NetworkProfile
from ocpp.device_model import DeviceModel
from ocpp.device_model.definition import members
from ocpp.storage.network_slots import NetworkSlotRepository

log = logging.getLogger(__name__)


class Profiles:
    """Called, gives the profiles, best first: those of NetworkConfigurationPriority; all that are stored where it names none
    that is; those of the station file where nothing stored can be read. What is passed over is logged once.
    """

    def __init__(self, slots: NetworkSlotRepository, model: DeviceModel, in_file: Sequence[NetworkProfile]) -> None:
        self._slots = slots
        self._model = model
        self._in_file = in_file
        self._told: set[str] = set()

    def __call__(self) -> list[NetworkProfile]:
        """See the class."""
        stored = self._slots.load()
        priority = members(self._model.value("OCPPCommCtrlr/NetworkConfigurationPriority"))
        wanted = [int(slot) for slot in priority if slot.isdecimal() and int(slot) in stored]
        if not wanted:
            self._tell(f"no slot of NetworkConfigurationPriority ({','.join(priority)}) holds a profile: all are tried")
        found = [read for slot in wanted or sorted(stored) if (read := self._read(slot, stored[slot])) is not None]
        return found or list(self._in_file)

    def _read(self, slot: int, stored: bytes) -> NetworkProfile | None:
        try:
            return msgspec.json.decode(stored, type=NetworkProfile)
        except msgspec.MsgspecError as error:
            self._tell(f"the network profile in slot {slot} cannot be read and is passed over: {error}")
            return None

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            log.error("%s", text)
