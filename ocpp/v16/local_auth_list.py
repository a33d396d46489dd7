"""The Local Auth List Management profile (1.6 sections 3.5.2, 5.10 and 5.15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ocpp.core.context import Context
from ocpp.core.identity import UNTYPED, IdToken
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler
from ocpp.v16 import translation

CONFLICT = "LocalListConflict"


class LocalAuthList:
    """Feature profile Local Auth List Management. `tell_conflict` reports an error code at connector 0."""

    def __init__(self, context: Context, tell_conflict: Callable[[str, str], None]) -> None:
        self._context = context
        self._tell_conflict = tell_conflict

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"SendLocalList": self.send_local_list, "GetLocalListVersion": self.get_local_list_version}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.authorizer.conflict = self._conflict

    def send_local_list(self, request: v16.SendLocalListRequest) -> v16.SendLocalListResponse:
        """SendLocalList."""
        the_list = self._context.local_list
        if not the_list.enabled:
            return v16.SendLocalListResponse(status=v16.UpdateStatus("NotSupported"))
        entries = [
            (
                IdToken(entry.id_tag, UNTYPED),
                translation.authorization_info(entry.id_tag_info) if entry.id_tag_info is not None else None,
            )
            for entry in request.local_authorization_list or ()
        ]
        change = the_list.replace if request.update_type == "Full" else the_list.update
        outcome = change(request.list_version, entries)
        return v16.SendLocalListResponse(status=v16.UpdateStatus(outcome.value))

    def get_local_list_version(self, request: v16.GetLocalListVersionRequest) -> v16.GetLocalListVersionResponse:
        """GetLocalListVersion: 0 for an empty list."""
        return v16.GetLocalListVersionResponse(list_version=self._context.local_list.version)

    def _conflict(self, token: IdToken) -> None:
        self._tell_conflict(CONFLICT, "the Central System disagrees with the list")
