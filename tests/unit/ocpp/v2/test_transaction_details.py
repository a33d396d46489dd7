"""What transaction events carry, and what happens to the cable."""

from decimal import Decimal

import pytest
from support.station import CARD

from ocpp.charge_point import Fault, Sample
from ocpp.core import metering

REFUSED = {"idTokenInfo": {"status": "Invalid"}}
EV_CONNECTED = {"TxCtrlr/TxStartPoint": "EVConnected", "TxCtrlr/TxStopPoint": "EVConnected"}
AUTHORIZED = {"TxCtrlr/TxStartPoint": "Authorized", "TxCtrlr/TxStopPoint": "Authorized"}


def amperes(*values: str) -> tuple[Sample, ...]:
    return tuple(Sample("Current.Import", Decimal(value), "A", f"L{n}") for n, value in enumerate(values, 1))


@pytest.mark.req("E01.FR.14")
async def test_a_second_connector_of_an_evse_waits_until_the_first_is_free(make_station):
    station = await make_station(connectors=2)
    await station.charge()
    told = len(station.events)
    await station.plug(1, connector_id=2)
    await station.present("OTHER")
    assert len(station.events) == told
    assert station.csms.of("StatusNotification")[-1]["connectorStatus"] == "Occupied"
    await station.unplug(1, connector_id=1)
    await station.present("OTHER")
    assert station.story[-2:] == [("Ended", "EVCommunicationLost"), ("Started", "Authorized")]
    assert station.events[-1]["evse"] == {"id": 1, "connectorId": 2}


@pytest.mark.req("E01.FR.14")
async def test_a_second_connector_that_is_unplugged_again_leaves_the_first_alone(make_station):
    station = await make_station(connectors=2)
    await station.charge()
    told = len(station.events)
    await station.plug(1, connector_id=2)
    await station.unplug(1, connector_id=2)
    assert len(station.events) == told
    assert station.hardware.allowed


@pytest.mark.req("E01.FR.18", "E01.FR.19", "E02.FR.13")
async def test_every_change_of_the_charging_state_is_told(station):
    await station.charge()
    await station.draw(flowing=False)
    await station.draw()
    station.charge_point.fault_raised(1, 1, Fault("HighTemperature"))
    await station.draw(flowing=False)
    states = [event["transactionInfo"]["chargingState"] for event in station.events]
    assert states == ["EVConnected", "Charging", "SuspendedEV", "Charging", "SuspendedEVSE"]
    assert {event["triggerReason"] for event in station.events[1:]} == {"ChargingStateChanged"}


@pytest.mark.req("E02.FR.18", "E02.FR.19", "E03.FR.13", "E03.FR.14")
async def test_the_phases_in_use_are_told_as_the_meter_sees_them(make_station):
    station = await make_station(variables={"SampledDataCtrlr/TxUpdatedInterval": 10})
    await station.charge()
    assert "numberOfPhasesUsed" not in station.events[0]
    assert "numberOfPhasesUsed" not in station.events[-1], "the meter has not told: what is wired is no measurement"
    station.hardware.more[1] = amperes("16.0", "15.9", "16.1")
    await station.clock.advance(10)
    station.hardware.more[1] = amperes("16.0", "0.1", "0.0")
    await station.clock.advance(10)
    assert [event["numberOfPhasesUsed"] for event in station.events[-2:]] == [3, 1]
    await station.draw(flowing=False)
    assert "numberOfPhasesUsed" not in station.events[-1]


@pytest.mark.req("E02.FR.01", "E02.FR.20", "E01.FR.10")
async def test_whoever_is_authorized_during_a_transaction_is_told_next_and_the_refused_are_not(make_station):
    station = await make_station(variables=EV_CONNECTED)
    await station.plug()
    station.csms.script("Authorize", REFUSED)
    await station.present("STRANGER")
    assert station.story == [("Started", "CablePluggedIn")]
    assert "idToken" not in station.events[0]
    await station.present()
    assert station.story[1:] == [("Updated", "Authorized")]
    assert station.events[1]["idToken"]["idToken"] == CARD


@pytest.mark.req("E09.FR.01")
async def test_after_the_cable_was_pulled_the_same_driver_may_go_on_and_nobody_else(make_station):
    points = {"TxCtrlr/TxStartPoint": "EVConnected", "TxCtrlr/TxStopPoint": "ParkingBayOccupancy"}
    station = await make_station(variables=points)
    station.charge_point.bay_changed(1, True)
    await station.charge()
    await station.unplug()
    assert station.story[-1] == ("Updated", "EVCommunicationLost")
    await station.plug()
    assert not station.hardware.allowed
    await station.present("STRANGER")
    assert not station.hardware.allowed
    await station.present()
    assert station.hardware.allowed
    assert station.story[-1] == ("Updated", "Authorized")
    assert len({event["transactionInfo"]["transactionId"] for event in station.events}) == 1


# -- the cable --------------------------------------------------------------------------------------------------------


@pytest.mark.req("E06.FR.10", "E07.FR.07")
async def test_the_cable_is_let_go_once_no_energy_flows(station):
    await station.charge()
    await station.present()
    assert station.hardware.locked == {(1, 1)}
    await station.draw(flowing=False)
    assert station.story[-1] == ("Ended", "StopAuthorized")
    assert station.hardware.locked == set()


@pytest.mark.req("E08.FR.01", "E08.FR.03", "E08.FR.04")
async def test_offline_the_cable_is_let_go_the_same_way(station):
    await station.charge()
    await station.disconnect()
    await station.present()
    assert not station.hardware.allowed
    await station.draw(flowing=False)
    assert station.hardware.locked == set()
    await station.reconnect()
    assert station.story[-1] == ("Ended", "StopAuthorized")


KEPT = {"OCPPCommCtrlr/UnlockOnEVSideDisconnect": "false"}


@pytest.mark.req("E09.FR.03")
@pytest.mark.parametrize("online", [True, False], ids=["online", "offline"])
async def test_a_cable_pulled_at_the_ev_is_kept_for_whoever_charged(make_station, online):
    station = await make_station(variables=KEPT)
    await station.charge()
    await station.unplug()
    assert station.hardware.locked == {(1, 1)}
    if not online:
        await station.disconnect()
    await station.present("STRANGER")
    assert station.hardware.locked == {(1, 1)}
    await station.present()
    assert station.hardware.locked == set()


@pytest.mark.req("E09.FR.03", "E08.FR.02")
async def test_a_kept_cable_may_be_fetched_by_the_group(make_station):
    group = {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "FAMILY", "type": "Central"}}}
    station = await make_station(variables=KEPT)
    station.csms.script("Authorize", group, group)
    station.csms.script("TransactionEvent", group)
    await station.charge()
    await station.unplug()
    await station.present("OTHERCARD")
    assert station.hardware.locked == set()


@pytest.mark.req("E10.FR.01")
@pytest.mark.parametrize("unlock", ["true", "false"])
async def test_while_a_transaction_waits_for_the_ev_the_cable_stays_until_the_driver_comes(make_station, unlock):
    waits = {"TxCtrlr/StopTxOnEVSideDisconnect": "false", "OCPPCommCtrlr/UnlockOnEVSideDisconnect": unlock}
    station = await make_station(variables={**AUTHORIZED, **waits, "TxCtrlr/EVConnectionTimeOut": 30})
    await station.charge()
    await station.unplug()
    await station.clock.advance(31)
    assert station.hardware.locked == {(1, 1)}
    assert station.story[-1][0] == "Updated"
    await station.present()
    assert station.story[-1] == ("Ended", "StopAuthorized")
    assert station.hardware.locked == set()


@pytest.mark.req("E10.FR.02")
async def test_with_a_fixed_cable_a_transaction_does_not_wait_longer_than_the_time_out(make_station):
    waits = {"TxCtrlr/StopTxOnEVSideDisconnect": "false", "TxCtrlr/EVConnectionTimeOut": 30}
    station = await make_station(variables={**AUTHORIZED, **waits})
    station.hardware.locks = False
    await station.charge()
    await station.unplug()
    await station.clock.advance(31)
    assert station.story[-1] == ("Ended", "EVConnectTimeout")


# -- refused tokens ---------------------------------------------------------------------------------------------------


@pytest.mark.req("E05.FR.02")
async def test_a_refused_driver_s_transaction_ends_with_the_energy_where_that_is_a_stop_point(make_station):
    points = {"TxCtrlr/TxStopPoint": "EnergyTransfer", "TxCtrlr/StopTxOnInvalidId": "false"}
    station = await make_station(variables={**points, "TxCtrlr/MaxEnergyOnInvalidId": 500})
    station.csms.script("TransactionEvent", REFUSED)
    await station.charge()
    station.meter("1500")
    await station.clock.advance(2)
    assert not station.hardware.allowed
    await station.draw(flowing=False)
    assert station.story[-1] == ("Ended", "ChargingStateChanged")
    assert station.events[-1]["transactionInfo"]["stoppedReason"] == "DeAuthorized"


# -- an EV that ends its session --------------------------------------------------------------------------------------


@pytest.mark.req("E15.FR.04")
@pytest.mark.parametrize("stop", ["Authorized", "PowerPathClosed", "EnergyTransfer"])
async def test_an_ev_ends_the_transaction(make_station, stop):
    station = await make_station(variables={"TxCtrlr/TxStopPoint": stop})
    await station.charge()
    station.charge_point.ev_session_stopped(1)
    await station.draw(flowing=False)
    assert station.story[-1] == ("Ended", "StopAuthorized")
    assert station.events[-1]["transactionInfo"] | {"transactionId": ""} == {
        "transactionId": "",
        "chargingState": "EVConnected",
        "stoppedReason": "StoppedByEV",
    }
    assert station.hardware.locked == set()


@pytest.mark.req("E15.FR.05")
async def test_an_ev_ends_only_the_authorization_where_that_is_no_stop_point(make_station):
    station = await make_station(variables=EV_CONNECTED)
    await station.charge()
    told = len(station.events)
    station.charge_point.ev_session_stopped(1)
    assert not station.hardware.allowed
    await station.draw(flowing=False)
    assert station.story[told:] == [("Updated", "StopAuthorized")]
    assert station.events[-1]["transactionInfo"]["chargingState"] == "EVConnected"


@pytest.mark.req("E15.FR.04")
async def test_an_ev_that_ends_its_session_after_the_driver_changes_nothing(make_station):
    station = await make_station(variables=EV_CONNECTED)
    await station.charge()
    await station.present()
    await station.draw(flowing=False)
    told = len(station.events)
    station.charge_point.ev_session_stopped(1)
    await station.settle()
    assert len(station.events) == told


# -- samples that give way --------------------------------------------------------------------------------------------


@pytest.mark.req("E06.FR.12", "E07.FR.09", "E08.FR.10", "E09.FR.06", "E10.FR.05", "E12.FR.08", "E15.FR.02")
async def test_a_long_transaction_keeps_the_begin_and_the_end_and_thins_what_lies_between(make_station, monkeypatch):
    monkeypatch.setattr(metering, "MAX_ENDED_SAMPLES", 4)
    station = await make_station(variables={"SampledDataCtrlr/TxEndedInterval": 10})
    await station.charge()
    for number in range(1, 5):
        station.meter(str(1000 + number))
        await station.clock.advance(10)
    station.meter("1005")
    await station.present()
    await station.draw(flowing=False)
    values = [value["sampledValue"][0] for value in station.events[-1]["meterValue"]]
    assert [value["value"] for value in values] == [1000.0, 1002.0, 1004.0, 1005.0]
    assert [values[0]["context"], values[-1]["context"]] == ["Transaction.Begin", "Transaction.End"]


# -- a cable that was pulled while the power was gone -----------------------------------------------------------------


@pytest.mark.req("E09.FR.01")
@pytest.mark.parametrize(
    ("points", "goes_on", "told"),
    [
        (EV_CONNECTED, "false", ("Ended", "EVCommunicationLost")),
        (AUTHORIZED, "true", ("Ended", "EVCommunicationLost")),
        (AUTHORIZED, "false", ("Updated", "EVCommunicationLost")),
        ({**EV_CONNECTED, "TxCtrlr/TxStopPoint": "ParkingBayOccupancy"}, "true", ("Updated", "EVCommunicationLost")),
    ],
)
async def test_an_ev_that_is_gone_after_a_power_cut_is_one_that_was_unplugged(make_station, points, goes_on, told):
    lasting = {"TxCtrlr/ResumptionTimeout": 600, "TxCtrlr/StopTxOnEVSideDisconnect": goes_on}
    first = await make_station(variables={**points, **lasting})
    await first.charge()
    await first.stop()
    second = await make_station(variables={**points, **lasting}, seed=2)
    await second.clock.advance(11)
    assert second.story[-1] == told
    assert second.events[-1]["transactionInfo"]["transactionId"] == first.events[0]["transactionInfo"]["transactionId"]
    assert [event["seqNo"] for event in second.events] == list(
        range(len(first.events), len(first.events) + len(second.events))
    )
    assert not second.hardware.allowed
