"""The first part of a station: what a connection needs until the CSMS has answered the BootNotification.

Endpoint, queue and boot alone introduce a station. Everything else, the domain and the blocks (`Strategy`), is made while
the CSMS thinks about its answer, and takes this part over.
"""

import uuid
from abc import ABC, abstractmethod
from datetime import datetime

from ocpp.core.boot import Boot, BootAnswer
from ocpp.core.boot_reason import BootReason
from ocpp.core.context import Signals
from ocpp.core.settings import TransactionRetry
from ocpp.core.surroundings import Surroundings
from ocpp.rpc.endpoint import Endpoint
from ocpp.rpc.outbox import Outbox
from ocpp.storage.state import StateRepository

IDLE_CONNECTION_S = 30.0
"""How long a connection over which nothing was said has to last to count as one: as long as the CSMS may take to answer."""


class Introduction(ABC):
    """One major version: the endpoint with its queue, BootNotification and Heartbeat."""

    major: int

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        clock, model = surroundings.clock, surroundings.model
        self.signals = Signals()
        self.boot_reason = BootReason(StateRepository(surroundings.database))
        self.endpoint = Endpoint(
            clock,
            message_timeout=surroundings.message_timeout,
            new_id=self.new_id,
            on_frame=surroundings.on_frame,
        )
        self.outbox = Outbox(
            surroundings.database,
            clock,
            major=self.major,
            run=surroundings.run,
            retry=TransactionRetry(model),
            wake=self.endpoint.wake,
            suspects=self.endpoint.suspects,
        )
        self.endpoint.outbox = self.outbox
        interval = model.integer("OCPPCommCtrlr/HeartbeatInterval")
        self.boot = Boot(
            clock,
            self.endpoint,
            self.signals,
            self.boot_reason,
            introduce=self.introduce,
            beat=self.beat,
            heartbeat_interval=lambda: interval.value,
            set_heartbeat_interval=interval.set,
        )
        interval.on_change(lambda _: self.boot.interval_changed())
        self.offline_since: float | None = None
        """Monotonic time since which the CSMS cannot be told anything; None before the first connection has gone."""
        self._connected_at = 0.0

    def new_id(self) -> str:
        """An id that no message or transaction of this station ever had before (E01.FR.08; OCPP-J 4.1.4)."""
        return str(uuid.UUID(int=self.surroundings.rng.getrandbits(128), version=4))

    @abstractmethod
    async def introduce(self, reason: str) -> BootAnswer:
        """Send a BootNotification. Raises RpcError."""

    @abstractmethod
    async def beat(self) -> datetime:
        """Send a Heartbeat; gives the CSMS's time. Raises RpcError."""

    def connected(self) -> None:
        """A connection is open."""
        self._connected_at = self.surroundings.clock.monotonic()
        self.signals.connected.emit()
        self.boot.connected()

    def disconnected(self) -> None:
        """The connection is gone."""
        self.boot.disconnected()
        if self.offline_since is None or self._was_of_use():
            self.offline_since = self.surroundings.clock.monotonic()
        self.signals.disconnected.emit()

    def _was_of_use(self) -> bool:
        """Whether the CSMS could be told anything over the connection that has gone (B04.FR.01): it answered, or was
        silent because it was asked nothing for a while. One that is accepted and closed at once ends no time offline.
        """
        endpoint = self.endpoint
        if endpoint.answered:
            return True
        return not endpoint.asked and self.surroundings.clock.monotonic() - self._connected_at >= IDLE_CONNECTION_S
