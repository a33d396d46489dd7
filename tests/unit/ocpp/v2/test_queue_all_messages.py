"""OCPPCommCtrlr.QueueAllMessages: notifications made offline reach the CSMS too, in order, and give way first."""

import pytest

ALL = {"OCPPCommCtrlr/QueueAllMessages": "true", "AuthCtrlr/OfflineTxForUnknownIdEnabled": "true"}


@pytest.mark.parametrize(("queue_all", "expected"), [("true", ["Occupied", "Available"]), ("false", [])])
async def test_status_changes_of_an_absence(make_station, queue_all, expected):
    station = await make_station(variables={**ALL, "OCPPCommCtrlr/QueueAllMessages": queue_all})
    await station.disconnect()
    told = len(station.statuses())
    await station.plug()
    await station.unplug()
    await station.clock.advance(10)
    await station.reconnect()
    assert station.statuses()[told:] == expected


async def test_everything_keeps_its_order(make_station):
    station = await make_station(variables=ALL)
    await station.disconnect()
    said = len(station.csms.calls)
    await station.plug()
    await station.present()
    await station.reconnect()
    actions = [action for action in station.csms.actions[said:] if action in ("StatusNotification", "TransactionEvent")]
    assert actions[:2] == ["StatusNotification", "TransactionEvent"]


async def test_notifications_survive_a_power_cut(make_station):
    first = await make_station(variables=ALL)
    await first.disconnect()
    await first.plug()
    await first.stop()
    second = await make_station(variables=ALL)
    assert "Occupied" in second.statuses()


async def test_a_full_queue_drops_notifications_before_any_transaction_message(make_station):
    station = await make_station(variables=ALL)
    await station.disconnect()
    outbox = station.charge_point.strategy.outbox
    await station.plug()
    await station.present()
    outbox._max_messages = len(outbox)
    await station.draw()
    rows = station.database.query("SELECT action FROM messages")
    assert {action for (action,) in rows} == {"TransactionEvent"}
    assert len(rows) >= 2


async def test_notifications_are_no_messages_about_transactions(make_station):
    station = await make_station(variables=ALL)
    await station.disconnect()
    await station.plug()
    assert station.charge_point.queued_messages == 1
    assert not station.charge_point.strategy.outbox.has_transaction()
