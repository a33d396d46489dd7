"""A station in service for a long simulated time: sessions, lost connections, outages, power cuts, firmware updates.

Every transaction that the far end hears of is booked, so that one which is lost, doubled or re-numbered shows; memory and files
are measured at the end of each day.
"""

import asyncio
import gc
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from ocpp.charge_point import InstallOutcome
from ocpp.clock import ManualClock
from ocpp.messages import catalogue
from ocpp.rpc.session import Session
from ocpp.versions import OcppVersion
from support.csms import ScriptedCsms
from support.file_server import FileServer
from support.links import FakeLink
from support.memory import resident_kib
from support.station import StationUnderTest

EVSES = 2
HOURS_A_SESSION = 3
"""Two hours of charging and one of waiting for the next car."""

KEPT = 64
"""Frames that the far end remembers; with all of them, it would be its memory that is measured."""

VARIABLES = {"SampledDataCtrlr/TxUpdatedInterval": "300", "AlignedDataCtrlr/Interval": "900"}
QUARTER_S = 900

WARM_UP_DAYS = 7
"""Everything that happens at all has happened once by then, and what is kept of it is there."""

MISTAKES = (
    b"",
    b"hello",
    b"[2",
    b'[2,"m","Reset",{}]',
    b'[2,"m","Reset",{"type":"Never"}]',
    b'[2,"m","Reset",[1]]',
    b'[2,"m","NoSuchAction",{}]',
    b'[2,"m","DataTransfer",{"vendorId":1}]',
    b'[3,"m",{}]',
    b'[3,"m",null]',
    b'[4,"m"]',
    b'[9,"m",{}]',
    b'[2,"m","\xff",{}]',
)
"""Frames that a station refuses, each in its own way."""

MISTAKES_AN_HOUR = 5
"""Rounds of them."""

MOST_OBJECTS_MORE = 1000
"""Between two days of which one came after a restart; a leak of one object an hour would be seen after six weeks, of one a
message in two days."""

MOST_MIB_MORE = 2.0
MOST_KIB_MORE = 256.0


@dataclass
class Ledger:
    """What the CSMS books of transactions: each begins once, counts on without a gap and ends once."""

    begun: int = 0
    ended: int = 0
    repeated: int = 0
    """Messages that came again since their answer was lost."""
    open: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def begin(self, transaction: str) -> None:
        """A transaction begins, with its message number 0."""
        if transaction in self.open:
            self.faults.append(f"{transaction} begins twice")
        self.begun += 1
        self.open[transaction] = 0

    def go_on(self, transaction: str, number: int | None = None) -> None:
        """A message about one that is going on; `number` should be the next one."""
        last = self.open.get(transaction)
        if last is None:
            self.faults.append(f"{transaction} is not known")
        elif number is not None and number <= last:
            self.repeated += 1
        elif number is not None and number != last + 1:
            self.faults.append(f"{transaction}: {number} comes after {last}")
        if number is not None:
            self.open[transaction] = max(number, last or 0)

    def end(self, transaction: str, number: int | None = None) -> None:
        """Its last message."""
        self.go_on(transaction, number)
        self.open.pop(transaction, None)
        self.ended += 1


class BookingCsms(ScriptedCsms):
    """Accepts everything, books transactions, and remembers only the newest frames."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.total = 0

    async def _receive(self, frame: bytes) -> None:
        message = json.loads(frame)
        if message[0] == 2 and self.link is not None and not self.link.gone:
            self.total += 1
            self._book(message[2], message[3])
        await super()._receive(frame)
        if len(self.frames) > KEPT:
            del self.frames[:-KEPT], self.calls[:-KEPT]
        while len(self.results) > KEPT:
            self.results.pop(next(iter(self.results)))

    def _book(self, action: str, payload: dict[str, Any]) -> None:
        book = self.ledger
        if action == "TransactionEvent":
            transaction, number = payload["transactionInfo"]["transactionId"], payload["seqNo"]
            if payload["eventType"] == "Started" and number == 0:
                book.begin(transaction)
            elif payload["eventType"] == "Ended":
                book.end(transaction, number)
            else:
                book.go_on(transaction, number)
        elif action == "StartTransaction":
            book.begin(str(self.next_transaction_id + 1))
        elif action == "StopTransaction":
            book.end(str(payload["transactionId"]))
        elif action == "MeterValues" and "transactionId" in payload:
            book.go_on(str(payload["transactionId"]))


class Installer:
    """Takes any image and asks for a restart; the firmware after it is found to run."""

    interrupts = True
    reconnects = False

    def __init__(self) -> None:
        self.installed = 0

    async def install(self, image: Path) -> InstallOutcome:
        self.installed += 1
        return InstallOutcome.NEEDS_RESTART

    async def confirm(self) -> bool:
        return True


@dataclass(frozen=True)
class Day:
    """What was there at the end of a day."""

    number: int
    sessions: int
    messages: int
    objects: int
    """Objects that the garbage collector tracks."""
    mib: float
    """Resident memory of the whole process, the far end and the test with it."""
    database_kib: float
    log_kib: float
    """SQLite's write-ahead log, which is folded into the database at some 2 MB."""


ID = "5a1f7f2e-0d5b-4e3c-9d0c-3f1a2b4c5d6e"

BROKEN_ANSWERS = (b"", b",null", b",[]", b',{"status":', b',{"status":17}', b',{"status":"Sideways"},{}')
"""What stands behind the id of an answer to a DataTransfer, of which nothing can be used."""


def refuse(version: OcppVersion, rounds: int) -> tuple[int, float]:
    """Refused frames and broken answers by the million; gives how many, and by how many MiB the process grew."""
    session = Session(catalogue(version))
    request = catalogue(version).request_type("DataTransfer")(vendor_id="org.example")
    answers = [b'[3,"' + ID.encode() + b'"' + end + b"]" for end in BROKEN_ANSWERS]
    before = 0.0
    for number in range(rounds):
        for frame in MISTAKES:
            session.receive(frame)
        for frame in answers:
            session.call(ID, request)
            session.receive(frame)
        if number == rounds // 10:  # by then everything that is kept at all has been made
            gc.collect()
            before = resident_kib() / 1024
    return rounds * (len(MISTAKES) + len(answers)), resident_kib() / 1024 - before


class Soak:
    """A station with two EVSEs; `run` lets days go by, with what happens every so many of them."""

    def __init__(
        self,
        place: Path,
        version: OcppVersion,
        server: FileServer,
        *,
        outage_every: int = 3,
        cut_every: int = 5,
        update_every: int = 7,
    ) -> None:
        self.csms = BookingCsms()
        self.installer = Installer()
        self.sessions = 0
        self.cuts = 0
        self.outages = 0
        self.mistakes = 0
        self._outage_every, self._cut_every, self._update_every = outage_every, cut_every, update_every
        self._place = place
        self._version = version
        self._firmware = 1
        self._location = server.offer("/firmware.bin", b"new firmware" * 1000)
        self._server = server
        self._energy_wh = 0
        self._station = self._powered(ManualClock())

    def _powered(self, clock: ManualClock) -> StationUnderTest:
        made = StationUnderTest(
            self._place,
            self._version,
            evses=EVSES,
            clock=clock,
            variables=VARIABLES,
            installer=self.installer,
            firmware_version=str(self._firmware),
        )
        made.csms, self.csms.now = self.csms, lambda: clock.now().isoformat().replace("+00:00", "Z")
        return made

    async def run(self, days: int) -> list[Day]:
        """Days of service, each with what it left behind."""
        await self._station.start()
        found = []
        for number in range(1, days + 1):
            await self._day(number)
            found.append(self._measure(number))
        await self._station.stop()
        return found

    async def _day(self, number: int) -> None:
        for hour in range(24):
            if hour % HOURS_A_SESSION == 0:
                await self._begin_sessions()
            elif hour % HOURS_A_SESSION == HOURS_A_SESSION - 1:
                await self._end_sessions()
            if hour in (4, 16):
                await self._lose_connection(timedelta(minutes=1))
            if hour == 9 and number % self._outage_every == 0:
                await self._lose_connection(timedelta(hours=4))
            if hour == 10 and number % self._cut_every == 0:
                await self._cut_power()
            if hour == 23 and (number + 1) % self._update_every == 0:
                await self._update_firmware()
            await self._hour()

    async def _hour(self) -> None:
        self._make_mistakes()
        for _ in range(4):
            self._energy_wh += 1840
            for evse in range(1, EVSES + 1):
                self._station.meter(str(self._energy_wh), evse)
            await self._station.clock.advance(QUARTER_S)

    def _make_mistakes(self) -> None:
        """The CSMS sends what cannot be understood."""
        link = self.csms.link
        if link is not None and not link.gone:
            for frame in MISTAKES * MISTAKES_AN_HOUR:
                link.feed(frame)
            link.feed(b"binary", text=False)
            self.mistakes += MISTAKES_AN_HOUR * len(MISTAKES) + 1

    async def _begin_sessions(self) -> None:
        for evse in range(1, EVSES + 1):
            await self._station.charge(evse)
            self.sessions += 1

    async def _end_sessions(self) -> None:
        for evse in range(1, EVSES + 1):
            await self._station.present(evse_ids=(evse,))
            await self._station.unplug(evse)

    async def _lose_connection(self, outage: timedelta) -> None:
        """The connection breaks, and can be made again after `outage`, though not by an hour later at the latest."""
        self.outages += 1
        await self._station.disconnect()
        self._station.clock.call_later(outage.total_seconds(), self._network_returns)

    def _network_returns(self) -> None:
        self._station.network_up = True

    async def _cut_power(self) -> None:
        """In the middle of sessions; the cars are gone when the power is back."""
        self.cuts += 1
        await self._start_again()

    async def _start_again(self) -> None:
        old = self._station
        await old.stop()
        self._station = self._powered(ManualClock(start=old.clock.now() + timedelta(minutes=2)))
        await self._station.start()

    async def _update_firmware(self) -> None:
        """The update is asked for between two sessions and found to run after the restart."""
        station, wanted = self._station, {"location": self._location}
        earlier = (station.clock.now() - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
        if self._version is OcppVersion.V16:
            payload: dict[str, Any] = {**wanted, "retrieveDate": earlier}
        else:
            payload = {"requestId": self._firmware, "firmware": {**wanted, "retrieveDateTime": earlier}}
        await self.csms.call(station.clock, "UpdateFirmware", payload)
        await self._until(lambda: self.csms.answer_to_last_call)
        assert self.csms.answer_to_last_call[0] == 3, self.csms.answer_to_last_call
        await self._until(lambda: station.restarts)
        self._firmware += 1
        await self._start_again()

    async def _until(self, condition: Callable[[], object]) -> None:
        """The download runs in a thread of its own, which takes real time and little of the station's."""
        for _ in range(5000):
            if condition():
                return
            await asyncio.sleep(0.002)
            await self._station.clock.advance(0.06)
        raise AssertionError(f"it did not come about; the last calls were {self.csms.calls[-5:]}")

    def faults(self, days: Sequence[Day]) -> list[str]:
        """What a station must not do in all that time; memory and files are compared with those of the first week."""
        book, early, last = self.csms.ledger, days[min(len(days), WARM_UP_DAYS) - 1], days[-1]
        found = list(book.faults)
        if not self.sessions == book.begun == book.ended:
            found.append(f"{self.sessions} sessions, but {book.begun} transactions begun and {book.ended} ended")
        if last.objects > early.objects + MOST_OBJECTS_MORE:
            found.append(f"{early.objects} objects after {early.number} days, {last.objects} after {last.number}")
        if last.mib > early.mib + MOST_MIB_MORE:
            found.append(f"{early.mib:.1f} MiB after {early.number} days, {last.mib:.1f} after {last.number}")
        if last.database_kib > early.database_kib + MOST_KIB_MORE:
            found.append(f"{early.database_kib:.0f} KiB after {early.number} days, {last.database_kib:.0f} at the end")
        return found

    def _measure(self, number: int) -> Day:
        self._forget()
        gc.collect()
        sizes = {path.suffix: path.stat().st_size / 1024 for path in self._place.iterdir()}
        return Day(
            number=number,
            sessions=self.sessions,
            messages=self.csms.total,
            objects=len(gc.get_objects()),
            mib=resident_kib() / 1024,
            database_kib=sizes[".db"],
            log_kib=sizes.get(".db-wal", 0.0),
        )

    def _forget(self) -> None:
        """What the test's own parts remember is not the station's."""
        hardware = self._station.hardware
        hardware.stops.clear()
        hardware.indications.clear()
        self._station.attempts.clear()
        self._server.requests.clear()
        link = self.csms.link
        if isinstance(link, FakeLink):
            link.sent.clear()
