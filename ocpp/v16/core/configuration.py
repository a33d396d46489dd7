"""GetConfiguration, ChangeConfiguration, ClearCache, DataTransfer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ocpp.core.context import Context
from ocpp.device_model.keys import KeyView
from ocpp.errors import StorageError
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler

log = logging.getLogger(__name__)


class Configuration:
    """Configuration keys, and the small calls of the Core profile."""

    def __init__(self, context: Context, keys: KeyView) -> None:
        self._context = context
        self.keys = keys

    @property
    def actions(self) -> Mapping[str, Handler]:
        """The calls answered here."""
        return {
            "GetConfiguration": self.get_configuration,
            "ChangeConfiguration": self.change_configuration,
            "ClearCache": self.clear_cache,
            "DataTransfer": self.data_transfer,
        }

    def get_configuration(self, request: v16.GetConfigurationRequest) -> v16.GetConfigurationResponse:
        """GetConfiguration (1.6 section 5.8)."""
        if not request.key:
            return v16.GetConfigurationResponse(configuration_key=self.keys.told(_key_value) or None)
        found, unknown = self.keys.get(request.key)
        values = [_key_value(each.name, each.read_only, each.value) for each in found]
        return v16.GetConfigurationResponse(
            configuration_key=values or None, unknown_key=[name[:50] for name in unknown] or None
        )

    def change_configuration(self, request: v16.ChangeConfigurationRequest) -> v16.ChangeConfigurationResponse:
        """ChangeConfiguration (1.6 section 5.3)."""
        outcome = self.keys.set(request.key, request.value)
        return v16.ChangeConfigurationResponse(status=v16.ConfigurationStatus(outcome.value))

    def clear_cache(self, request: v16.ClearCacheRequest) -> v16.ClearCacheResponse:
        """ClearCache (1.6 section 5.4): what is cached is forgotten, whether the cache is in use or not."""
        try:
            self._context.authorizer.clear_cache()
        except StorageError as error:
            log.error("the authorization cache cannot be cleared: %s", error)
            return v16.ClearCacheResponse(status=v16.ClearCacheStatus("Rejected"))
        return v16.ClearCacheResponse(status=v16.ClearCacheStatus("Accepted"))

    async def data_transfer(self, request: v16.DataTransferRequest) -> v16.DataTransferResponse:
        """DataTransfer (1.6 section 5.6): hand the data to the vendor's handler."""
        handler = self._context.data_transfer.get(request.vendor_id)
        if handler is None:
            return v16.DataTransferResponse(status=v16.DataTransferStatus("UnknownVendorId"))
        status, data = await handler(request.message_id, request.data)
        return v16.DataTransferResponse(
            status=v16.DataTransferStatus(status), data=str(data) if data is not None else None
        )

    async def send_data(self, vendor_id: str, message_id: str | None, data: str | None) -> tuple[str, Any]:
        """DataTransfer to the Central System (1.6 section 4.3); raises RpcError."""
        request = v16.DataTransferRequest(vendor_id=vendor_id, message_id=message_id, data=data)
        response: v16.DataTransferResponse = await self._context.rpc.call(request)
        return response.status.value, response.data


def _key_value(name: str, read_only: bool, value: str | None) -> v16.KeyValue:
    return v16.KeyValue(key=name, readonly=read_only, value=value)
