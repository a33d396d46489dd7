"""One transfer of a file on its way: its thread, its sockets, its pace, and its end, whatever the peer does.

The work runs in a thread, on sockets that are made by `Transfer.connect` alone. So `cancel` ends it at once: its sockets
are shut, nothing is written or sent any more, and whoever waits is told without waiting for the thread, which a name
server may keep for a while.
"""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from ocpp import blocking

TIMEOUT_S = 60.0
"""Without any progress for so long a transfer has failed."""

CONNECT_TIMEOUT_S = 20.0
"""For one of a host's addresses."""

WINDOW_S = 60.0
MIN_BYTES_PER_S = 256
"""What moves in every such window at least, looking up and logging in included: a fourth of what GPRS gives on a bad day.
A peer that sends a byte now and then, or reads one, is none that a station waits for."""

LONGEST_S = 6 * 3600.0
"""The end of any transfer: an image of 100 MB takes four hours at 64 kbit/s."""

LOOK_S = 0.5
"""How often the pace is looked at."""

BAD_MESSAGE, PERMISSION_DENIED, NOT_SUPPORTED, FAILURE = (
    "BadMessage",
    "PermissionDenied",
    "NotSupportedOperation",
    "UploadFailure",
)
"""Why a transfer failed, in the words of UploadLogStatusEnumType."""

Barred = Callable[[str, int], str]
"""Why an address (in digits) and port must not be connected to; "" for one that may be."""

T = TypeVar("T")


class TransferError(Exception):
    """The file did not arrive; `kind` is one of the four words above."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Cancelled(Exception):
    """Somebody no longer wants the transfer."""


def nothing_barred(address: str, port: int) -> str:
    """See `Barred`: any address may be connected to."""
    return ""


class Pace:
    """Whether enough moves: see `WINDOW_S`, `MIN_BYTES_PER_S` and `LONGEST_S`."""

    def __init__(self, now: float) -> None:
        self._began = self._mark = now
        self._moved = 0

    def wrong(self, now: float, moved: int) -> str:
        """What is wrong at a moment (monotonic) at which `moved` bytes have moved in all; "" for nothing."""
        if now - self._began > LONGEST_S:
            return f"it is not done after {LONGEST_S / 3600:g} h"
        if now - self._mark >= WINDOW_S:
            if moved - self._moved < MIN_BYTES_PER_S * (now - self._mark):
                return f"fewer than {MIN_BYTES_PER_S} bytes a second moved for {WINDOW_S:g} s"
            self._mark, self._moved = now, moved
        return ""


class Transfer:
    """Made, run and cancelled in the loop's thread, once; `connect`, `check` and `count` are for the work's own thread."""

    def __init__(self, barred: Barred = nothing_barred) -> None:
        self._barred = barred
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._ended = False
        self._outcome: asyncio.Future[Any] | None = None
        self.moved = 0
        """Bytes of the file so far."""

    # -- in the loop's thread -------------------------------------------------------------------------------------

    async def run(self, work: "Callable[[Transfer], T]") -> T:
        """Carry `work` out in a thread; gives what it gives. Raises what it raises, Cancelled, and TransferError when it
        is too slow or too many are under way. Nothing of it goes on in any of these cases.
        """
        try:
            self.check()
            outcome = blocking.start(partial(_work_of, self, work))
        except OSError as error:
            raise TransferError(FAILURE, error.strerror or str(error)) from error
        self._outcome, pace = outcome, Pace(time.monotonic())
        try:
            while not outcome.done():
                await asyncio.wait({outcome}, timeout=LOOK_S)
                if not outcome.done() and (wrong := pace.wrong(time.monotonic(), self.moved)):
                    raise TransferError(FAILURE, wrong)
            return outcome.result()
        finally:
            self._shut()
            outcome.cancel()

    def cancel(self) -> None:
        """Nobody wants it any more: `run` raises Cancelled at once."""
        self._shut()
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_exception(Cancelled())

    def _shut(self) -> None:
        with self._lock:
            self._ended = True
            sockets, self._sockets = self._sockets, []
        for each in sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for it, which `close` does not
            except OSError:
                continue  # not connected, or closed by its owner

    # -- in the work's thread -------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether it is over, well or not."""
        return self._ended

    def check(self) -> None:
        """Raise Cancelled when the transfer is to end."""
        if self._ended:
            raise Cancelled

    def count(self, moved: int) -> None:
        """So many bytes more have moved. Raises Cancelled."""
        self.check()
        self.moved += moved

    def watch(self, connection: socket.socket) -> None:
        """A connection that ends with the transfer. Raises Cancelled, with the connection closed."""
        with self._lock:
            if not self._ended:
                self._sockets = [each for each in self._sockets if each.fileno() >= 0]
                self._sockets.append(connection)
                return
        connection.close()
        raise Cancelled

    def connect(self, host: str, port: int) -> socket.socket:
        """Connect to a host, at an address that was looked at: what its name means is asked once.

        Raises OSError, Cancelled, and TransferError when one of its addresses is barred.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for *_, address in found:
            reason = self._barred(str(address[0]), port)
            if reason:
                raise TransferError(BAD_MESSAGE, reason)
        failure: OSError = OSError(f"{host} has no address")
        for family, kind, protocol, _, address in found:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(CONNECT_TIMEOUT_S)
                self.watch(connection)
                connection.connect(address)
            except OSError as error:
                connection.close()
                self.check()
                failure = error
            else:
                connection.settimeout(TIMEOUT_S)
                return connection
        raise failure


_here = threading.local()
"""The transfer that the thread works for."""


class _TlsSocket(ssl.SSLSocket):
    """A TLS connection that ends with its transfer, in the middle of the handshake as well."""

    def do_handshake(self, block: bool = False) -> None:
        """See `ssl.SSLSocket.do_handshake`."""
        _here.transfer.watch(self)
        super().do_handshake(block)


def watched(context: ssl.SSLContext) -> ssl.SSLContext:
    """The context, whose connections made in a transfer's thread end with the transfer."""
    context.sslsocket_class = _TlsSocket
    return context


def _work_of(transfer: Transfer, work: Callable[[Transfer], T]) -> T:
    _here.transfer = transfer
    return work(transfer)
