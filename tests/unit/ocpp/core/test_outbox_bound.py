"""The bound of the queue while a message is in flight."""

import pytest
from support.station import StationUnderTest


@pytest.fixture
async def station(tmp_path):
    station = StationUnderTest(
        tmp_path, variables={"TxCtrlr/TxStartPoint": "EVConnected", "SampledDataCtrlr/TxUpdatedInterval": 1}
    )
    yield await station.start()
    await station.stop()


@pytest.mark.req("E04.FR.07", "E04.FR.08")
async def test_a_message_that_gives_way_while_it_is_in_flight_is_not_counted_twice(station):
    outbox = station.charge_point.strategy.outbox
    await station.charge()
    station.csms.script("TransactionEvent", None)
    await station.clock.advance(1)
    assert len(outbox) == 1
    in_flight = outbox.head()[0]
    outbox._max_messages = 1
    await station.clock.advance(1)
    rows = [row[0] for row in station.database.query("SELECT position FROM messages")]
    assert in_flight.order not in rows
    assert station.csms.link is not None
    station.csms.link.feed(f'[3,"{station.csms.frames[-1][1]}",{{}}]')
    await station.settle()
    assert len(outbox) == len(station.database.query("SELECT position FROM messages"))
    await station.clock.advance(5)
    assert len(outbox) == 0
