"""The Core profile, by use cases: transactions, status, configuration, remote control."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.context import Context
from ocpp.device_model.keys import KeyView
from ocpp.rpc.endpoint import Handler
from ocpp.rpc.outbox import Outbox
from ocpp.v16.core.configuration import Configuration
from ocpp.v16.core.remote_control import RemoteControl
from ocpp.v16.core.status import Status
from ocpp.v16.core.transactions import Transactions


class Core:
    """Feature profile Core (1.6 sections 4 and 5)."""

    def __init__(self, context: Context, outbox: Outbox, keys: KeyView) -> None:
        self.status = Status(context)
        self.transactions = Transactions(context, outbox)
        self.configuration = Configuration(context, keys)
        self.remote_control = RemoteControl(context)

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {
            **self.status.actions,
            **self.configuration.actions,
            **self.remote_control.actions,
        }

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self.status.callbacks_complete()
        self.transactions.callbacks_complete()
