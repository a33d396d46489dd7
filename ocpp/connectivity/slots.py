"""Network connection profiles as they are stored: one that cannot be read keeps no other from being used."""

import logging
from collections.abc import Iterable, Mapping

import msgspec

from ocpp.connectivity.profile import NetworkProfile

MAX_TOLD = 64
"""Complaints that are remembered as told; as many as there may be slots."""

log = logging.getLogger(__name__)
_told: set[object] = set()


def readable(stored: Mapping[int, bytes]) -> dict[int, NetworkProfile]:
    """The profiles by slot; what is none is passed over, with an error in the log the first time."""
    found = {}
    for slot, raw in stored.items():
        try:
            found[slot] = msgspec.structs.replace(msgspec.json.decode(raw, type=NetworkProfile), slot=slot)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            _tell((slot, raw), f"the network profile in slot {slot} cannot be read and is passed over: {error}")
    return found


def in_order(
    stored: Mapping[int, bytes],
    priority: Iterable[str],
    last_good: int | None,
    otherwise: Iterable[NetworkProfile] = (),
) -> list[NetworkProfile]:
    """The profiles in their order of priority.

    Where that names none that can be read: the one that worked last (B10.FR.07), then the others, then `otherwise`.
    """
    found, order = readable(stored), list(priority)
    named = [found[int(slot)] for slot in order if slot.isdecimal() and int(slot) in found]
    if named:
        return named
    _tell(tuple(order), f"no slot of NetworkConfigurationPriority ({','.join(order)}) holds a profile: all are tried")
    rest = sorted(found.values(), key=lambda profile: (profile.slot != last_good, profile.slot))
    return rest or list(otherwise)


def _tell(what: object, text: str) -> None:
    if what not in _told and len(_told) < MAX_TOLD:
        _told.add(what)
        log.error("%s", text)
