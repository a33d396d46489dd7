"""Transactions found open at start: when they ended, what they have drawn by then, and whether they go on."""

from datetime import UTC, datetime, timedelta

import pytest
from support.hardware import FakeHardware

from ocpp.charge_point import MeterReading
from ocpp.clock import ManualClock
from ocpp.core.alive import ALIVE_INTERVAL_S
from ocpp.core.recovery import METER_WAIT_S
from ocpp.versions import OcppVersion

V16, V201 = OcppVersion.V16, OcppVersion.V201
VERSIONS = pytest.mark.parametrize("version", [V16, V201, OcppVersion.V21], ids=str)

UNSAMPLED = {"SampledDataCtrlr/TxUpdatedInterval": 0, "SampledDataCtrlr/TxEndedInterval": 0}
MEASURED = {**UNSAMPLED, "SampledDataCtrlr/TxEndedMeasurands": "Energy.Active.Import.Register"}
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(value: str) -> datetime:
    return datetime.fromisoformat(value)


class Cut:
    """A transaction in the middle of which the power goes, and the start after that."""

    def __init__(self, make_station, version, **variables) -> None:
        self._make, self.version = make_station, version
        self._variables = {**MEASURED, **variables}

    async def charge(self, seconds: float = 20, register: str = "1101.7") -> None:
        self.first = await self._make(self.version, variables=self._variables)
        await self.first.charge()
        self.first.meter(register)
        await self.first.clock.advance(seconds)
        self.cut_at = self.first.clock.now()
        await self.first.stop()

    async def restart(self, register: str | None = "1101.7", *, outage: float = 1, plugged=(), evses=1):
        clock = ManualClock(self.cut_at + timedelta(seconds=outage))
        self.second = await self._make(
            self.version, variables=self._variables, seed=2, clock=clock, start=False, evses=evses
        )
        if register is None:
            self.second.hardware.read_meter = lambda evse_id: MeterReading(())
        else:
            self.second.meter(register)
        import asyncio

        self.second.charge_point.start(plugged)
        self.second._task = asyncio.ensure_future(self.second.charge_point.run())
        await self.second.settle()
        return self.second

    def end(self) -> dict:
        """What is told of the end: when, which register, and when that was read."""
        if self.version is V16:
            stop = self.second.csms.of("StopTransaction")[0]
            closing = stop["transactionData"][-1]
            assert float(closing["sampledValue"][0]["value"]) // 1 == stop["meterStop"]
            return {"at": at(stop["timestamp"]), "register": stop["meterStop"], "read_at": at(closing["timestamp"])}
        ended = next(each for each in self.second.events if each["eventType"] == "Ended")
        closing = ended["meterValue"][-1]
        value = closing["sampledValue"][0]
        assert value["context"] == "Transaction.End"
        return {"at": at(ended["timestamp"]), "register": int(value["value"]), "read_at": at(closing["timestamp"])}


@VERSIONS
@pytest.mark.parametrize("plugged", [(), ((1, 1),)], ids=["cable out", "cable in"])
async def test_the_bill_ends_with_the_register_where_nothing_else_can_have_drawn(make_station, version, plugged):
    cut = Cut(make_station, version)
    await cut.charge()
    second = await cut.restart(outage=300, plugged=plugged)
    told = cut.end()
    assert told["register"] == 1101
    assert told["read_at"] == second.clock.now(), "the meter was read now"
    assert timedelta() <= cut.cut_at - told["at"] <= timedelta(seconds=ALIVE_INTERVAL_S), "it ended with the power"


@VERSIONS
async def test_a_register_that_fell_is_not_the_end(make_station, version):
    cut = Cut(make_station, version)
    await cut.charge(65, "1500")
    await cut.restart("3", plugged=[(1, 1)])
    told = cut.end()
    assert told["register"] == 1500
    assert told["read_at"] == START + timedelta(seconds=60), "when the last known reading was taken"
    assert told["at"] >= told["read_at"]


@VERSIONS
async def test_a_register_that_nobody_can_have_moved_so_far_is_not_the_end(make_station, version):
    cut = Cut(make_station, version)
    await cut.charge(65, "1500")
    await cut.restart("9000000")
    assert cut.end()["register"] == 1500


@VERSIONS
async def test_what_another_transaction_drew_is_not_billed(make_station, version):
    """A rescued database knows a transaction as open that was not."""
    cut = Cut(make_station, version)
    cut.first = first = await make_station(version, variables=cut._variables)
    await first.charge()
    first.meter("1500")
    await first.clock.advance(61)
    await first.present()
    await first.draw(flowing=False)
    await first.unplug()
    await first.clock.advance(10)
    await first.charge()
    first.meter("2500")
    await first.present()
    await first.draw(flowing=False)
    await first.unplug()
    oldest = first.database.one("SELECT id, data FROM transactions ORDER BY started_unix LIMIT 1")
    data = oldest[1].replace(b'"active":false,', b"").replace(b'"ended_at"', b'"was_ended_at"')
    with first.database.transaction():
        first.database.execute("UPDATE transactions SET active = 1, data = ? WHERE id = ?", (data, oldest[0]))
    cut.cut_at = first.clock.now()
    await first.stop()
    await cut.restart("2500")
    assert cut.end()["register"] == 1500


@VERSIONS
async def test_a_meter_that_was_not_read_yet_is_waited_for(make_station, version):
    cut = Cut(make_station, version)
    await cut.charge()
    second = await cut.restart(None)
    assert second.csms.of("StopTransaction") == second.events == []
    await second.clock.advance(2)
    second.meter("1101.7")
    second.hardware.read_meter = FakeHardware.read_meter.__get__(second.hardware)
    await second.clock.advance(1)
    told = cut.end()
    assert told["register"] == 1101
    assert cut.cut_at - told["at"] <= timedelta(seconds=ALIVE_INTERVAL_S)


@VERSIONS
async def test_a_meter_that_is_not_read_in_time_leaves_the_last_known_reading(make_station, version):
    cut = Cut(make_station, version)
    await cut.charge(65, "1500")
    second = await cut.restart(None)
    await second.clock.advance(METER_WAIT_S + 1)
    told = cut.end()
    assert (told["register"], told["read_at"]) == (1500, START + timedelta(seconds=60))


@VERSIONS
async def test_nothing_new_begins_before_the_old_has_ended(make_station, version):
    cut = Cut(make_station, version)
    await cut.charge(65, "1500")
    second = await cut.restart(None)
    await second.charge()
    told = [each for each in second.csms.actions if each in ("StartTransaction", "StopTransaction")]
    kinds = told if version is V16 else [each["eventType"] for each in second.events]
    assert kinds[:2] == (["StopTransaction", "StartTransaction"] if version is V16 else ["Ended", "Started"])
    assert cut.end()["register"] == 1500


@VERSIONS
async def test_a_second_cut_before_the_meter_was_read_keeps_the_end_of_the_first(make_station, version):
    cut = Cut(make_station, version)
    await cut.charge()
    first_cut = cut.cut_at
    second = await cut.restart(None, outage=100)
    await second.clock.advance(2)
    cut.cut_at = second.clock.now()
    await second.stop()
    await cut.restart(outage=100)
    told = cut.end()
    assert told["register"] == 1101
    assert told["at"] <= first_cut


@VERSIONS
async def test_a_register_that_falls_during_a_transaction_bills_nothing_negative(make_station, version):
    cut = Cut(make_station, version)
    cut.second = station = await make_station(version, variables=cut._variables)
    await station.charge()
    station.meter("1500")
    await station.clock.advance(61)
    station.meter("10")
    await station.present()
    await station.draw(flowing=False)
    told = cut.end()
    assert (told["register"], told["read_at"]) == (1500, START + timedelta(seconds=60))


# -- going on, or not ---------------------------------------------------------------------------------------------


@VERSIONS
@pytest.mark.req("E17.FR.02", "E17.FR.10")
async def test_the_interruption_counts_and_not_the_last_event(make_station, version):
    cut = Cut(make_station, version, **{"TxCtrlr/ResumptionTimeout": 15})
    await cut.charge(59)
    second = await cut.restart(plugged=[(1, 1)])
    assert second.csms.of("StopTransaction") == []
    assert "Ended" not in [kind for kind, _ in second.story]
    assert second.hardware.allowed


@VERSIONS
@pytest.mark.req("E17.FR.20")
async def test_an_interruption_longer_than_the_time_out_ends_the_transaction(make_station, version):
    cut = Cut(make_station, version, **{"TxCtrlr/ResumptionTimeout": 30})
    await cut.charge(59)
    await cut.restart(outage=31, plugged=[(1, 1)])
    assert cut.end()["at"] <= cut.cut_at


async def test_that_the_station_is_alive_costs_no_fsync(make_station):
    station = await make_station(variables=MEASURED)
    await station.charge()
    before = station.database.fsyncs
    await station.clock.advance(59)
    assert station.database.fsyncs == before


@pytest.mark.parametrize(("plugged", "state"), [((), "Idle"), (((1, 1),), "EVConnected")])
async def test_the_end_and_the_status_agree(make_station, plugged, state):
    cut = Cut(make_station, V201)
    await cut.charge()
    second = await cut.restart(plugged=plugged)
    ended = next(each for each in second.events if each["eventType"] == "Ended")
    assert ended["transactionInfo"]["chargingState"] == state
    assert second.statuses()[0] == ("Occupied" if plugged else "Available")


@VERSIONS
@pytest.mark.req("E17.FR.02", "E17.FR.10")
@pytest.mark.parametrize("seconds", [3, 20, 47, 300])
async def test_an_outage_of_a_second_is_one_of_a_second(make_station, version, seconds):
    cut = Cut(make_station, version, **{"TxCtrlr/ResumptionTimeout": 3})
    await cut.charge(seconds)
    second = await cut.restart(plugged=[(1, 1)])
    assert second.csms.of("StopTransaction") == []
    assert "Ended" not in [kind for kind, _ in second.story]


@pytest.mark.parametrize("content", [b"", b"soon", b"\xff\xfe", b"nan", b"9" * 100, b"-5"])
async def test_a_damaged_note_of_the_time_is_passed_over(make_station, content):
    cut = Cut(make_station, V201, **{"TxCtrlr/ResumptionTimeout": 3})
    await cut.charge(20)
    (cut.first.database.path.parent / "alive").write_bytes(content)
    await cut.restart(outage=60, plugged=[(1, 1)])
    assert cut.end()["at"] <= cut.cut_at


async def test_an_idle_station_notes_the_time_seldom(make_station):
    station = await make_station()
    note = station.database.path.parent / "alive"
    before = note.read_bytes()
    await station.clock.advance(250)
    assert note.read_bytes() == before
    await station.clock.advance(60)
    assert note.read_bytes() > before
