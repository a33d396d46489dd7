"""Calls of feature profiles that this station does not have, answered as 1.6 prescribes for that case."""

from collections.abc import Mapping

from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler


class AbsentProfiles:
    """Local Auth List Management and Smart Charging have a status for "not supported"; the others get a CALLERROR."""

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {
            "GetLocalListVersion": lambda request: v16.GetLocalListVersionResponse(list_version=-1),
            "SendLocalList": lambda request: v16.SendLocalListResponse(status=v16.UpdateStatus("NotSupported")),
            "SetChargingProfile": lambda request: v16.SetChargingProfileResponse(
                status=v16.ChargingProfileStatus("NotSupported")
            ),
        }

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
