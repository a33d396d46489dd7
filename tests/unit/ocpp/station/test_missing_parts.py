"""Parts that are not there when the station starts: told, looked for, and taken once they are."""

import asyncio
import logging

import pytest

from hal.errors import BusError, ClaimError, DriverError, PartsError
from ocpp.clock import ManualClock
from ocpp.station.missing_parts import GRACE_S, LOOK_S, RETRY_S, MissingParts, with_parts

GONE = PartsError({"M1": BusError("/dev/ttyUSB0 cannot be opened"), "FE": BusError("FE is silent")})


class Listener:
    def __init__(self):
        self.faults = []

    def fault(self, evse_id, connector_id, kind, *, active, info, vendor_code):
        self.faults.append((evse_id, connector_id, kind, active, info))


class Opened:
    stopped = False

    def stop(self):
        self.stopped = True


@pytest.fixture
def bench():
    class Bench:
        clock, listener, found = ManualClock(), Listener(), []
        attempts = [GONE, GONE, PartsError({"FE": BusError("FE is silent")})]
        opened = Opened()

        def again(self):
            if self.attempts:
                raise self.attempts.pop(0)
            return self.opened

    bench = Bench()
    bench.listener.faults = []
    bench.found = []
    bench.parts = MissingParts(
        2, GONE, listener=bench.listener, clock=bench.clock, again=bench.again, found=lambda: bench.found.append(1)
    )
    return bench


async def test_every_evse_is_faulted_and_every_part_named(bench, caplog):
    bench.parts.start()
    assert [fault[:4] for fault in bench.listener.faults] == [
        (1, 0, "InternalError", True),
        (2, 0, "InternalError", True),
    ]
    for name in ("M1", "FE"):
        assert all(name in fault[4] for fault in bench.listener.faults)
    bench.parts.stop()


async def test_they_are_looked_for_until_they_are_there_and_what_is_new_is_said(bench, caplog):
    caplog.set_level(logging.INFO)
    bench.parts.start()
    for turn in range(4):
        assert not bench.found, turn
        await bench.clock.advance(RETRY_S)
        await asyncio.sleep(0)
    assert (bench.found, bench.opened.stopped) == ([1], True)
    said = [record.getMessage() for record in caplog.records]
    assert sum("FE is silent" in each for each in said) == 1
    bench.parts.stop()


async def test_nothing_can_be_done_meanwhile(bench):
    evse = bench.parts.evse(1)
    evse.allow_energy(32, 3)
    assert evse.read_meter().quantities == ()
    assert (await evse.lock(1), await evse.unlock(1)) == (False, False)
    with pytest.raises(LookupError, match="EVSE 3"):
        bench.parts.evse(3)
    assert bench.parts.plugged == []


def test_a_part_that_is_described_wrongly_is_no_matter_of_waiting():
    assert not GONE.wrong
    assert PartsError({"a": BusError("gone"), "b": DriverError("no such driver")}).wrong
    assert PartsError({"a": ClaimError("claimed twice")}).wrong
    assert str(GONE) == "M1: /dev/ttyUSB0 cannot be opened\nFE is silent"


class Start:
    """A start of the program, which misses its parts or not."""

    def __init__(self, clock, hurried):
        self.clock, self.hurried, self.closed = clock, hurried, False

    def close(self):
        self.closed = True


@pytest.mark.parametrize("there_after", [1, 4, None])
async def test_a_transaction_that_is_open_has_its_parts_waited_for_a_little(there_after):
    clock = ManualClock()
    starts = [Start(clock, True)]

    def make():
        starts.append(Start(clock, hurried=len(starts) != there_after))
        return starts[-1]

    waiting = asyncio.ensure_future(with_parts(starts[0], make, lambda: False))
    await clock.advance(60)
    taken = await waiting
    assert taken is starts[-1]
    assert not taken.closed
    assert all(each.closed for each in starts[:-1])
    assert len(starts) - 1 == (there_after if there_after is not None else GRACE_S / LOOK_S)


async def test_nobody_waits_for_parts_while_the_program_is_stopped_or_nothing_is_open():
    clock = ManualClock()
    for start, stopping in ((Start(clock, True), True), (Start(clock, False), False)):
        assert await with_parts(start, lambda: None, lambda stopping=stopping: stopping) is start
