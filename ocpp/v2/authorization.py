"""C. Authorization: asking the CSMS about tokens, and clearing the cache."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.core.identity import LONGEST_TOKEN, AuthorizationInfo, IdToken
from ocpp.errors import StorageError
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler
from ocpp.v2 import translation
from ocpp.versions import OcppVersion

log = logging.getLogger(__name__)


class Authorization:
    """Functional block C."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {"ClearCache": self.clear_cache}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.authorizer.ask_csms = self.ask
        self._context.authorizer.longest = self._longest_token

    def _longest_token(self) -> int:
        """Offline nobody knows which version the CSMS will speak when the queue is delivered: the shorter one counts."""
        catalogue = self._context.rpc.catalogue
        return LONGEST_TOKEN[catalogue.version if catalogue is not None else OcppVersion.V201]

    async def ask(self, token: IdToken) -> AuthorizationInfo:
        """Authorize.req for a presented token (C01.FR.02); raises RpcError."""
        request = v2.AuthorizeRequest(id_token=translation.id_token_message(token))
        response: v2.AuthorizeResponse = await self._context.rpc.call(request)
        self._context.driver_texts.learn(token, translation.personal_texts(response.id_token_info))
        return translation.authorization_info(response.id_token_info)

    def clear_cache(self, request: v2.ClearCacheRequest) -> v2.ClearCacheResponse:
        """C11; Rejected when the cache is switched off or the disk does not take it (C11.FR.04, .05)."""
        cleared = self._context.authorizer.caches
        if cleared:
            try:
                self._context.authorizer.clear_cache()
            except StorageError as error:
                log.error("the authorization cache cannot be cleared: %s", error)
                cleared = False
        return v2.ClearCacheResponse(status=v2.ClearCacheStatusEnum("Accepted" if cleared else "Rejected"))
