"""D. The local authorization list."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.local_list import LocalList as List
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler
from ocpp.v2 import translation


class LocalList:
    """Functional block D."""

    def __init__(self, context: Context) -> None:
        self._list: List = context.local_list

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"SendLocalList": self.send_local_list, "GetLocalListVersion": self.get_local_list_version}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""

    def send_local_list(self, request: v2.SendLocalListRequest) -> v2.SendLocalListResponse:
        """D01."""
        entries = [
            (
                translation.id_token(entry.id_token),
                translation.authorization_info(entry.id_token_info) if entry.id_token_info is not None else None,
            )
            for entry in request.local_authorization_list or ()
        ]
        change = self._list.replace if request.update_type == "Full" else self._list.update
        outcome = change(request.version_number, entries)
        return v2.SendLocalListResponse(status=v2.SendLocalListStatusEnum(outcome.value))

    def get_local_list_version(self, request: v2.GetLocalListVersionRequest) -> v2.GetLocalListVersionResponse:
        """D02."""
        return v2.GetLocalListVersionResponse(version_number=self._list.version)
