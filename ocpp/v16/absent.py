"""Calls of feature profiles that this station does not have, answered as 1.6 prescribes for that case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ocpp.core.context import Block
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler

_ANSWERS: dict[str, Handler] = {
    "GetLocalListVersion": lambda request: v16.GetLocalListVersionResponse(list_version=-1),
    "SendLocalList": lambda request: v16.SendLocalListResponse(status=v16.UpdateStatus("NotSupported")),
    "SetChargingProfile": lambda request: v16.SetChargingProfileResponse(
        status=v16.ChargingProfileStatus("NotSupported")
    ),
}
"""These have a word for "not supported"; every other call gets a CALLERROR."""


class AbsentProfiles:
    """Answers what none of the profiles that are there answers."""

    def __init__(self, present: Iterable[Block]) -> None:
        there = {action for block in present for action in block.actions}
        self._actions = {action: handler for action, handler in _ANSWERS.items() if action not in there}

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return self._actions

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
