"""Which meter values go where, in transactions and outside of them."""

import base64
from decimal import Decimal

import pytest

from ocpp.charge_point import MeterReading, Sample, SignedReading

ENERGY = "Energy.Active.Import.Register"
START, END, NOW = (
    SignedReading(data, "ECDSA-secp256r1-SHA256", encoding, "b2NhOmJhc2UxNg==")
    for data, encoding in (("T0NNRnx7ICJGViIgOiAiMS4wIn18", "OCMF"), ("AQIDBA==", "EDL"), ('\u00e4 \\ "', "OCMF"))
)
SIGNED = {"SampledDataCtrlr/SignReadings": "true", "AuthCtrlr/OfflineTxForUnknownIdEnabled": "true"}
POINTS = {"TxCtrlr/TxStartPoint": "Authorized", "TxCtrlr/TxStopPoint": "Authorized"}


def entries(*values: dict) -> list[dict]:
    return [entry for value in values for entry in value["sampledValue"]]


def of(event: dict, context: str) -> list[dict]:
    """What an event carries of a context."""
    return [entry for entry in entries(*event.get("meterValue", ())) if entry["context"] == context]


def signatures(event: dict, context: str) -> list[dict]:
    return [entry["signedMeterValue"] for entry in of(event, context) if "signedMeterValue" in entry]


# -- begin and end of every kind of transaction -----------------------------------------------------------------------


async def cable_first(station):
    await station.charge()
    await station.present()
    await station.draw(flowing=False)


async def card_first(station):
    await station.present()
    await station.plug()
    await station.draw()
    await station.present()
    await station.draw(flowing=False)


async def offline(station):
    await station.disconnect()
    await cable_first(station)
    await station.reconnect()


async def ended_offline(station):
    await station.charge()
    await station.disconnect()
    await station.present()
    await station.draw(flowing=False)
    await station.reconnect()


async def refused(station):
    station.csms.script("TransactionEvent", {"idTokenInfo": {"status": "Invalid"}})
    await station.charge()
    await station.draw(flowing=False)


async def pulled(station):
    await station.charge()
    await station.unplug()


async def pulled_and_plugged_again(station):
    station.model.set_inside(station.model.entry("TxCtrlr/StopTxOnEVSideDisconnect"), "false")
    await station.charge()
    await station.unplug()
    await station.plug()
    await station.draw()
    await station.present()
    await station.draw(flowing=False)


async def ended_by_the_ev(station):
    await station.charge()
    station.charge_point.ev_session_stopped(1)
    await station.draw(flowing=False)


@pytest.mark.parametrize(
    "visit",
    [
        pytest.param(
            cable_first, marks=pytest.mark.req("E02.FR.09", "E02.FR.14", "E06.FR.11", "E07.FR.08", "E07.FR.12")
        ),
        pytest.param(card_first, marks=pytest.mark.req("E03.FR.07", "E03.FR.10")),
        pytest.param(
            offline,
            marks=pytest.mark.req("E04.FR.04", "E04.FR.05", "E04.FR.10", "E12.FR.07", "E12.FR.10"),
        ),
        pytest.param(ended_offline, marks=pytest.mark.req("E08.FR.08", "E08.FR.09", "E08.FR.12", "E11.FR.08")),
        pytest.param(refused, marks=pytest.mark.req("E05.FR.04", "E05.FR.05", "E05.FR.06")),
        pytest.param(pulled, marks=pytest.mark.req("E09.FR.04", "E09.FR.05", "E09.FR.08")),
        pytest.param(pulled_and_plugged_again, marks=pytest.mark.req("E10.FR.03", "E10.FR.04", "E10.FR.07")),
        pytest.param(ended_by_the_ev, marks=pytest.mark.req("E15.FR.01")),
    ],
    ids=lambda visit: visit.__name__,
)
async def test_every_transaction_tells_begin_and_end_signed_byte_for_byte(make_station, visit):
    station = await make_station(variables={**SIGNED, **POINTS})
    station.hardware.signed[1] = (START, END)
    await visit(station)
    started, *_, ended = station.events
    assert [event["seqNo"] for event in station.events] == list(range(len(station.events)))
    for event, context in ((started, "Transaction.Begin"), (ended, "Transaction.Begin"), (ended, "Transaction.End")):
        assert [entry["measurand"] for entry in of(event, context)] == [ENERGY]
    assert signatures(started, "Transaction.Begin") == signatures(ended, "Transaction.Begin") == [told(START)]
    assert signatures(ended, "Transaction.End") == [told(END)]


def told(signed: SignedReading) -> dict:
    return {
        "signedMeterData": signed.data,
        "signingMethod": signed.signing_method,
        "encodingMethod": signed.encoding_method,
        "publicKey": signed.public_key,
    }


@pytest.mark.req("E01.FR.17", "E02.FR.21", "E03.FR.11", "E04.FR.11", "E05.FR.08")
@pytest.mark.parametrize("online", [True, False], ids=["online", "offline"])
@pytest.mark.parametrize("status", ["Accepted", "Invalid"])
async def test_the_begin_is_told_once_the_evse_is_known(make_station, online, status):
    stays = {"TxCtrlr/TxStartPoint": "Authorized", "TxCtrlr/TxStopPoint": "EVConnected"}
    station = await make_station(evses=2, variables={**SIGNED, **stays})
    station.hardware.signed[2] = (START, END)
    if not online:
        await station.disconnect()
    station.csms.script("TransactionEvent", {"idTokenInfo": {"status": status}})
    await station.present()
    await station.plug(2)
    await station.draw(2)
    if not online:
        await station.reconnect()
    assert "meterValue" not in station.events[0]
    first = next(event for event in station.events if "evse" in event)
    assert (first["eventType"], first["evse"]) == ("Updated", {"id": 2, "connectorId": 1})
    assert signatures(first, "Transaction.Begin") == [told(START)]


@pytest.mark.req("E04.FR.06", "E11.FR.03", "E12.FR.03", "E03.FR.08", "E02.FR.10")
async def test_offline_the_samples_are_those_that_are_configured(make_station):
    configured = {
        "SampledDataCtrlr/TxUpdatedInterval": 60,
        "SampledDataCtrlr/TxUpdatedMeasurands": f"Voltage,{ENERGY}",
        "AuthCtrlr/OfflineTxForUnknownIdEnabled": "true",
    }
    station = await make_station(variables=configured)
    await station.disconnect()
    await station.charge()
    await station.clock.advance(125)
    await station.reconnect()
    sampled = [event for event in station.events if event["triggerReason"] == "MeterValuePeriodic"][:2]
    for event in sampled:
        assert event["offline"] is True
        assert [entry["measurand"] for entry in of(event, "Sample.Periodic")] == ["Voltage", ENERGY]


# -- signatures and keys ----------------------------------------------------------------------------------------------


@pytest.mark.req("J02.FR.21", "E02.FR.14")
@pytest.mark.parametrize("started", ["true", "false"])
@pytest.mark.parametrize("updated", ["true", "false"])
async def test_what_is_signed_beside_the_end_is_configured(make_station, started, updated):
    configured = {
        "SampledDataCtrlr/SignStartedReadings": started,
        "SampledDataCtrlr/SignUpdatedReadings": updated,
        "SampledDataCtrlr/TxUpdatedInterval": 10,
    }
    station = await make_station(variables={**SIGNED, **configured})
    station.hardware.signed[1] = (START, END, NOW)
    await station.charge()
    await station.clock.advance(10)
    assert signatures(station.events[0], "Transaction.Begin") == ([told(START)] if started == "true" else [])
    assert signatures(station.events[-1], "Sample.Periodic") == ([told(NOW)] if updated == "true" else [])


async def test_nothing_is_signed_where_that_is_switched_off(make_station):
    station = await make_station(variables={"SampledDataCtrlr/SignUpdatedReadings": "true"})
    station.hardware.signed[1] = (START, END, NOW)
    await cable_first(station)
    assert not [
        entry for event in station.events for entry in entries(*event.get("meterValue", ())) if "signed" in entry
    ]


@pytest.mark.req("J02.FR.21")
@pytest.mark.parametrize(
    ("rule", "keys"),
    [("Never", [False] * 3), ("OncePerTransaction", [True, False, False]), ("EveryMeterValue", [True] * 3)],
)
async def test_the_public_key_is_told_as_often_as_configured(make_station, rule, keys):
    configured = {"OCPPCommCtrlr/PublicKeyWithSignedMeterValue": rule, "SampledDataCtrlr/TxUpdatedInterval": 0}
    station = await make_station(variables={**SIGNED, **configured})
    station.hardware.signed[1] = (START, END)
    for _ in range(2):
        before = len(station.events)
        await cable_first(station)
        await station.unplug()
        found = [
            bool(entry["signedMeterValue"]["publicKey"])
            for event in station.events[before:]
            for entry in entries(*event.get("meterValue", ()))
            if "signedMeterValue" in entry
        ]
        assert found == keys


async def test_a_signature_without_a_measurand_is_not_told(make_station):
    station = await make_station(variables={**SIGNED, "SampledDataCtrlr/TxStartedMeasurands": ""})
    station.hardware.signed[1] = (START, END)
    await station.charge()
    assert "meterValue" not in station.events[0]


async def test_a_signature_goes_with_the_register_that_it_signs(make_station):
    station = await make_station(variables={**SIGNED, "SampledDataCtrlr/TxStartedMeasurands": f"Voltage,{ENERGY}"})
    station.hardware.signed[1] = (START, END)
    await station.charge()
    signed = [entry["measurand"] for entry in of(station.events[0], "Transaction.Begin") if "signedMeterValue" in entry]
    assert signed == [ENERGY]


@pytest.mark.req("J01.FR.21")
@pytest.mark.parametrize("signs", ["true", "false"])
async def test_clock_aligned_values_are_signed_where_that_is_configured(make_station, signs):
    configured = {"AlignedDataCtrlr/SignReadings": signs, "AlignedDataCtrlr/Interval": 60}
    station = await make_station(variables=configured)
    station.hardware.signed[1] = (START, END, NOW)
    await station.clock.advance(60)
    [entry] = entries(*station.csms.of("MeterValues")[0]["meterValue"])
    assert entry.get("signedMeterValue") == (told(NOW) if signs == "true" else None)


def test_the_example_key_of_the_signed_meter_values_paper_is_base64():
    assert base64.b64decode(START.public_key) == b"oca:base16"


# -- what a value says ------------------------------------------------------------------------------------------------


EVERYTHING = f"{ENERGY},Power.Active.Import,Current.Import,Voltage,SoC"
MORE = (
    Sample(ENERGY, Decimal("300.1"), "Wh", "L1"),
    Sample(ENERGY, Decimal("699.9"), "Wh", "L2"),
    Sample("Current.Import", Decimal("16.0"), "A", "L1"),
    Sample("Current.Import", Decimal("9.5"), "A", "L2"),
    Sample("SoC", Decimal("44"), "Percent", location="EV"),
)


@pytest.mark.req("J01.FR.05", "J01.FR.06", "J01.FR.07", "J01.FR.08", "J01.FR.09", "J01.FR.10", "J01.FR.11", "J01.FR.17")
async def test_a_clock_aligned_value_says_what_where_on_which_phase_and_when(make_station):
    configured = {"AlignedDataCtrlr/Measurands": EVERYTHING, "AlignedDataCtrlr/Interval": 60}
    station = await make_station(variables=configured)
    station.hardware.more[1] = MORE
    await station.clock.advance(61)
    [value] = station.csms.of("MeterValues")[0]["meterValue"]
    check_everything(value, "Sample.Clock")
    assert value["timestamp"].endswith("00:01:00Z")


@pytest.mark.req("J02.FR.02", "J02.FR.03", "J02.FR.04", "J02.FR.05", "J02.FR.06", "J02.FR.07", "J02.FR.18")
async def test_a_sampled_value_says_what_where_on_which_phase_and_when(make_station):
    configured = {"SampledDataCtrlr/TxUpdatedMeasurands": EVERYTHING, "SampledDataCtrlr/TxUpdatedInterval": 60}
    station = await make_station(variables=configured)
    station.hardware.more[1] = MORE
    await station.charge()
    await station.clock.advance(60)
    [value] = station.events[-1]["meterValue"]
    check_everything(value, "Sample.Periodic", power=7360.0)
    assert value["timestamp"] == station.events[-1]["timestamp"]


def check_everything(value: dict, context: str, power: float = 0.0) -> None:
    """All of one reading, the phases as the meter counts them, in one value with one time stamp."""
    found = [
        (each["measurand"], each.get("phase"), each["value"], each.get("location", "Outlet"))
        for each in value["sampledValue"]
    ]
    assert found == [
        (ENERGY, None, 1000.0, "Outlet"),
        ("Power.Active.Import", None, power, "Outlet"),
        ("Current.Import", "L1", 16.0, "Outlet"),
        ("Current.Import", "L2", 9.5, "Outlet"),
        ("Voltage", "L1-N", 230.1, "Outlet"),
        ("SoC", None, 44.0, "EV"),
    ]
    assert {each["context"] for each in value["sampledValue"]} == {context}


async def test_the_phases_of_the_register_are_told_where_that_is_wanted(make_station):
    station = await make_station(variables={"SampledDataCtrlr/RegisterValuesWithoutPhases": "false"})
    station.hardware.more[1] = MORE
    await station.charge()
    assert [entry.get("phase") for entry in of(station.events[0], "Transaction.Begin")] == [None, "L1", "L2"]


@pytest.mark.req("J02.FR.16", "J02.FR.17")
async def test_the_register_is_told_as_it_stands_and_never_starts_anew(station):
    station.meter("123456.7")
    await station.charge()
    station.meter("124000.3")
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    await station.charge()
    found = [entry["value"] for event in station.events for entry in entries(*event.get("meterValue", ()))]
    registers = [value for value in found if value > 100000]
    assert registers[0] == 123456.7
    assert of(station.events[-2], "Transaction.Begin")[0]["value"] == 124000.3, "where the one before has ended"
    assert sorted(set(registers)) == [123456.7, 124000.3]


@pytest.mark.req("J02.FR.22", "J01.FR.02")
async def test_every_transaction_tells_of_its_own_meter(make_station):
    station = await make_station(evses=2, variables={"SampledDataCtrlr/TxUpdatedInterval": 60})
    station.meter("1111", 1)
    station.meter("2222", 2)
    await station.charge(1)
    await station.plug(2)
    await station.present("OTHER", (2,))
    await station.draw(2)
    await station.clock.advance(60)
    for event in station.events:
        energies = {entry["value"] for entry in entries(*event.get("meterValue", ())) if entry["measurand"] == ENERGY}
        assert energies <= {{1: 1111.0, 2: 2222.0}[event["evse"]["id"]]}


# -- clock-aligned values and transactions ----------------------------------------------------------------------------


@pytest.mark.req("J01.FR.19", "J01.FR.20")
@pytest.mark.parametrize(
    ("where", "told"),
    [("AlignedDataCtrlr@1", ["MeterValues 2"]), ("AlignedDataCtrlr", []), (None, ["1", "MeterValues 2"])],
)
async def test_clock_aligned_values_are_held_back_during_transactions_as_configured(make_station, where, told):
    configured = {"AlignedDataCtrlr/Interval": 60, "SampledDataCtrlr/TxUpdatedInterval": 0}
    if where is not None:
        configured[f"{where}/SendDuringIdle"] = "true"
    station = await make_station(evses=2, variables=configured)
    await station.charge(1)
    before = len(station.events)
    await station.clock.advance(61)
    found = [str(event["evse"]["id"]) for event in station.events[before:]]
    found += [f"MeterValues {message['evseId']}" for message in station.csms.of("MeterValues")]
    assert found == told


MAIN = MeterReading((Sample(ENERGY, Decimal("98765.4"), "Wh", location="Inlet"),))


@pytest.mark.req("J01.FR.03", "J01.FR.04")
async def test_the_main_meter_is_told_as_evse_0(make_station):
    station = await make_station(variables={"AlignedDataCtrlr/Interval": 60})
    station.hardware.main_meter = MAIN
    await station.clock.advance(61)
    [main] = [message for message in station.csms.of("MeterValues") if message["evseId"] == 0]
    [entry] = entries(*main["meterValue"])
    assert (entry["value"], entry["location"], entry["context"]) == (98765.4, "Inlet", "Sample.Clock")


@pytest.mark.req("J01.FR.20")
async def test_the_main_meter_is_held_back_too_while_somebody_charges(make_station):
    configured = {"AlignedDataCtrlr/Interval": 60, "AlignedDataCtrlr/SendDuringIdle": "true"}
    station = await make_station(variables=configured)
    station.hardware.main_meter = MAIN
    await station.charge()
    await station.clock.advance(61)
    assert station.csms.of("MeterValues") == []


async def test_clock_aligned_values_for_the_end_have_an_interval_of_their_own(make_station):
    configured = {
        "AlignedDataCtrlr/Interval": 0,
        "AlignedDataCtrlr/TxEndedInterval": 300,
        "SampledDataCtrlr/TxEndedMeasurands": "",
    }
    station = await make_station(variables=configured)
    await station.charge()
    await station.clock.advance(905)
    await station.present()
    await station.draw(flowing=False)
    times = [value["timestamp"][11:] for value in station.events[-1]["meterValue"]]
    assert times == ["00:05:00Z", "00:10:00Z", "00:15:00Z"]
