"""Parts that are not there when the station starts: told, looked for, and taken once they are."""

import asyncio
import logging

import pytest

from hal.errors import BusError, ClaimError, DriverError, PartsError
from ocpp.clock import ManualClock
from ocpp.station.missing_parts import RETRY_S, MissingParts

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
