"""How much a connection takes in: a peer that floods, or does not read, costs bounded memory and no time of others.

The library reads what the network gives, makes frames of it all at once, and writes a pong for every ping. Here it is given
a slice at a time, with a turn for everybody else in between, and nothing while too much waits to be read or to be sent.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

from ocpp.device_model.standard.communication import MAX_FRAME_BYTES

if TYPE_CHECKING:
    import asyncio

SLICE_BYTES = 4096
"""Most messages are smaller and taken at once; two thousand empty frames are made of it within some milliseconds."""

MAX_QUEUED_FRAMES = 16
"""Messages read ahead; beyond it TCP slows the CSMS down."""

MAX_QUEUED_BYTES = 2 * MAX_FRAME_BYTES
"""The same in bytes. More than the largest message, of which the first half must not keep the second half out."""

MAX_UNSENT_BYTES = 256 * 1024
"""While the CSMS has so much to read, nothing is read of it, since every ping would add a pong."""

MAX_FRAGMENTS = 1024
"""Frames of one message, which may be empty; a message of the largest size in pieces of a kilobyte."""


class BoundedConnection(ClientConnection):
    """Bounded in everything; also remembers which messages were text, since the library does not tell."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.kinds: deque[bool] = deque()
        self._unfed = b""
        self._ended = False
        self._scheduled = False
        self._queue_full = False
        self._queued_bytes = 0
        self._fragments = 0
        super().__init__(*args, **kwargs)

    # -- what the network gives -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol.connection_made`."""
        super().connection_made(transport)
        self.recv_messages.pause, self.recv_messages.resume = self._queue_is_full, self._queue_has_room

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol.data_received`."""
        if not self._unfed and len(data) <= SLICE_BYTES:
            super().data_received(data)
            if self._blocked:
                self.transport.pause_reading()
            return
        self._unfed += data  # one read of the network at most: no more is read until it is gone
        self.transport.pause_reading()
        self._go_on()

    def eof_received(self) -> bool:  # type: ignore[override]
        """See `asyncio.Protocol.eof_received`; what has been read goes before the end."""
        self._ended = bool(self._unfed)
        if not self._ended:
            super().eof_received()
        return self._ended

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol.connection_lost`."""
        rest, self._unfed = self._unfed, b""
        if rest and not self._blocked:
            super().data_received(rest[:SLICE_BYTES])
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """See `asyncio.BaseProtocol.resume_writing`."""
        super().resume_writing()
        self._go_on()

    def process_event(self, event: Any) -> None:
        """See `websockets.asyncio.connection.Connection.process_event`."""
        if isinstance(event, Frame):
            self._queued_bytes += len(event.data) if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT) else 0
            if event.opcode in (Opcode.TEXT, Opcode.BINARY):
                self.kinds.append(event.opcode is Opcode.TEXT)
                self._fragments = 0
            elif event.opcode is Opcode.CONT:
                self._fragments += 1
                if self._fragments >= MAX_FRAGMENTS:
                    self.transport.abort()
                    return
        super().process_event(event)

    def taken(self, size: int) -> None:
        """A message of that size has been taken out of the queue."""
        was_over = self._queued_bytes > MAX_QUEUED_BYTES
        self._queued_bytes -= size
        if was_over:
            self._go_on()

    # -- slice by slice -------------------------------------------------------------------------------------------

    @property
    def _blocked(self) -> bool:
        return (
            self._queue_full
            or self._queued_bytes > MAX_QUEUED_BYTES
            or self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES
        )

    def _queue_is_full(self) -> None:
        self._queue_full = True
        self.transport.pause_reading()

    def _queue_has_room(self) -> None:
        self._queue_full = False
        self._go_on()

    def _go_on(self) -> None:
        if self._blocked or self._scheduled:
            return
        if self._unfed:
            self._scheduled = True
            self.loop.call_soon(self._feed)
        elif not self.transport.is_closing():
            self.transport.resume_reading()

    def _feed(self) -> None:
        self._scheduled = False
        if self._blocked or not self._unfed:
            return
        piece, self._unfed = self._unfed[:SLICE_BYTES], self._unfed[SLICE_BYTES:]
        super().data_received(piece)
        if self._unfed or not self._ended:
            self._go_on()
            return
        super().eof_received()
        self.transport.close()
