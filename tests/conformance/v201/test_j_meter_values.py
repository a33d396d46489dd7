"""Meter values (block J)."""

from datetime import datetime
from itertools import pairwise

import pytest
from support.v201 import value as variable_value
from support.visit import Visit

ENERGY = "Energy.Active.Import.Register"
MEASURANDS = [ENERGY, "Power.Active.Import", "Current.Import", "Voltage", "SoC"]
ALL = ",".join(MEASURANDS)
QUIET = {
    "SampledDataCtrlr/TxUpdatedInterval": 0,
    "SampledDataCtrlr/TxUpdatedMeasurands": ALL,
    "AlignedDataCtrlr/Interval": 0,
    "AlignedDataCtrlr/Measurands": ALL,
}
IN_USE = {"AlignedDataCtrlr/SendDuringIdle": False}


@pytest.fixture(autouse=True)
def only_the_state_of_charge_is_measured_in_the_ev(csms):
    yield
    for message in (*csms.all("MeterValues"), *csms.all("TransactionEvent")):
        for sample in samples(*message.get("meterValue", ())):
            assert sample.get("location") != "EV" or sample["measurand"] == "SoC"


def samples(*values: dict) -> list[dict]:
    return [sample for value in values for sample in value["sampledValue"]]


def holds(value: dict, context: str, measurands: list[str] = MEASURANDS, *, idle: bool = False) -> None:
    """A meter value of that context has every configured measurand, on each phase that the meter measures."""
    assert {sample["context"] for sample in value["sampledValue"]} == {context}
    told = {(sample.get("measurand", ENERGY), sample.get("phase")) for sample in value["sampledValue"]}
    for measurand in measurands:
        phases = {"Current.Import": ("L1", "L2", "L3"), "Voltage": ("L1-N", "L2-N", "L3-N")}.get(measurand, (None,))
        if measurand != "SoC" or not idle:
            assert {(measurand, phase) for phase in phases} <= told


def spacing(values: list[dict]) -> set[float]:
    times = [datetime.fromisoformat(value["timestamp"]) for value in values]
    return {(later - earlier).total_seconds() for earlier, later in pairwise(times)}


@pytest.mark.tc("TC_J_01_CS")
@pytest.mark.req("J01.FR.01", "J01.FR.02", "J01.FR.03", "J01.FR.06", "J01.FR.07", "J01.FR.08", "J01.FR.14")
def test_tc_j_01_nobody_charges(csms, visit):
    visit(variables={**QUIET, "AlignedDataCtrlr/Interval": 1}, station="main_meter = true")
    for _ in range(3):
        message = csms.expect("MeterValues", evseId={1, 2})
        holds(message["meterValue"][0], "Sample.Clock", idle=True)
    main = csms.expect("MeterValues", evseId=0)["meterValue"][0]
    holds(main, "Sample.Clock", [ENERGY, "Power.Active.Import", "Current.Import"])


@pytest.mark.tc("TC_J_02_CS")
@pytest.mark.req("J01.FR.02", "J01.FR.14", "J01.FR.22")
def test_tc_j_02_somebody_charges(csms, visit):
    driver = visit(variables={**QUIET, **IN_USE, "SampledDataCtrlr/RegisterValuesWithoutPhases": False})
    driver.charge()
    every(csms, 1)
    for _ in range(2):
        event = driver.event("MeterValueClock")
        holds(event["meterValue"][0], "Sample.Clock")
    csms.mark()
    holds(csms.expect("MeterValues", evseId=2)["meterValue"][0], "Sample.Clock", idle=True)
    assert not csms.since("MeterValues") or all(message["evseId"] == 2 for message in csms.since("MeterValues"))


def every(csms, seconds: int) -> None:
    wish = {"component": {"name": "AlignedDataCtrlr"}, "variable": {"name": "Interval"}, "attributeValue": str(seconds)}
    answer = csms.call("SetVariables", {"setVariableData": [wish]})
    assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"


def charged(csms, driver: Visit, kept: int = 2) -> list[dict]:
    """EnergyTransferStarted until so many values have been kept, ParkingBayUnoccupied; the last event's values."""
    driver.charge()
    csms.nothing("BootNotification", within=kept + 0.3)
    driver.leave()
    return driver.events[-1]["meterValue"]


@pytest.mark.tc("TC_J_03_CS")
@pytest.mark.req("E06.FR.11", "E07.FR.08")
def test_tc_j_03_clock_aligned_values_of_the_whole_transaction(csms, visit):
    settings = {
        "AlignedDataCtrlr/TxEndedInterval": 1,
        "AlignedDataCtrlr/TxEndedMeasurands": ALL,
        "SampledDataCtrlr/TxEndedMeasurands": "",
    }
    values = charged(csms, visit(variables={**QUIET, **settings}))
    assert len(values) >= 2
    for value in values:
        holds(value, "Sample.Clock")
    assert spacing(values) == {1.0}


SIGNED = {"signed": {"start": "c3RhcnQ=", "end": "ZW5k", "now": "bm93", "public_key": "b2NhOmJhc2UxNg=="}}


@pytest.mark.tc("TC_J_04_CS")
@pytest.mark.req("J01.FR.21")
@pytest.mark.parametrize("rule", ["Never", "OncePerTransaction", "EveryMeterValue"])
def test_tc_j_04_signed_clock_aligned_values(csms, visit, rule):
    settings = {
        "AlignedDataCtrlr/TxEndedInterval": 1,
        "AlignedDataCtrlr/SignReadings": True,
        "SampledDataCtrlr/TxEndedMeasurands": "",
        "OCPPCommCtrlr/PublicKeyWithSignedMeterValue": rule,
    }
    driver = visit(variables={**QUIET, **settings})
    driver.station.post("/api/sim/evses/1/meter", SIGNED)
    values = charged(csms, driver)
    for value in values:
        holds(value, "Sample.Clock", [ENERGY])
    assert spacing(values) == {1.0}
    signed_by(values, rule, *["bm93"] * len(values))


def signed_by(values: list[dict], rule: str, *data: str) -> None:
    """Each value is signed, byte for byte as by the meter, with the public key where the rule wants it."""
    signatures = [sample["signedMeterValue"] for sample in samples(*values) if "signedMeterValue" in sample]
    assert [each["signedMeterData"] for each in signatures] == list(data)
    key = SIGNED["signed"]["public_key"]
    keys = {"Never": [""], "OncePerTransaction": [key, ""], "EveryMeterValue": [key]}[rule]
    assert [each["publicKey"] for each in signatures] == (keys + [keys[-1]] * len(data))[: len(data)]


@pytest.mark.tc("TC_J_06_CS")
@pytest.mark.req("J01.FR.20")
def test_tc_j_06_only_while_nobody_charges(csms, visit):
    driver = visit(variables={**QUIET, "AlignedDataCtrlr/Interval": 1, "AlignedDataCtrlr/SendDuringIdle": True})
    holds(csms.expect("MeterValues")["meterValue"][0], "Sample.Clock", idle=True)
    driver.charge()
    csms.mark()
    csms.nothing("MeterValues", "TransactionEvent", within=2.2)
    driver.leave()
    holds(csms.expect("MeterValues")["meterValue"][0], "Sample.Clock", idle=True)


@pytest.mark.tc("TC_J_07_CS")
@pytest.mark.req("J02.FR.01", "J02.FR.02", "J02.FR.03", "J02.FR.04", "E01.FR.09", "E02.FR.09")
@pytest.mark.parametrize("start", ["EVConnected", "PowerPathClosed", "EnergyTransfer"])
def test_tc_j_07_the_begin_with_the_first_event(visit, start):
    driver = visit(start, variables={**QUIET, "SampledDataCtrlr/TxStartedMeasurands": ALL})
    driver.connect()
    driver.charge()
    holds(driver.events[0]["meterValue"][0], "Transaction.Begin")


@pytest.mark.tc("TC_J_08_CS")
@pytest.mark.req("J02.FR.02", "J02.FR.03", "J02.FR.04", "E01.FR.16", "E01.FR.17", "E03.FR.11")
def test_tc_j_08_the_begin_once_the_evse_is_known(csms, visit):
    driver = visit("Authorized", variables={**QUIET, "SampledDataCtrlr/TxStartedMeasurands": ALL})
    driver.station.post("/api/sim/tokens", {"id": driver.card})
    csms.expect("Authorize")
    driver.event("Authorized")
    driver.authorized = True
    assert "evse" not in driver.events[0]
    driver.charge()
    first = next(event for event in driver.events if "evse" in event)
    holds(first["meterValue"][0], "Transaction.Begin")


@pytest.mark.tc("TC_J_09_CS")
@pytest.mark.req("J02.FR.02", "J02.FR.03", "J02.FR.04", "J02.FR.11", "E02.FR.10", "E03.FR.08")
def test_tc_j_09_periodic_values(csms, visit):
    driver = visit(variables={**QUIET, "SampledDataCtrlr/TxUpdatedInterval": 2})
    driver.charge()
    values = [driver.event("MeterValuePeriodic")["meterValue"][0] for _ in range(3)]
    for value in values:
        holds(value, "Sample.Periodic")
    assert spacing(values) == {2.0}


@pytest.mark.tc("TC_J_10_CS")
@pytest.mark.req("J02.FR.02", "J02.FR.03", "J02.FR.04", "E06.FR.11", "E07.FR.08")
def test_tc_j_10_sampled_values_of_the_whole_transaction(csms, visit):
    settings = {
        "SampledDataCtrlr/TxEndedInterval": 1,
        "SampledDataCtrlr/TxEndedMeasurands": ALL,
        "AlignedDataCtrlr/TxEndedMeasurands": "",
    }
    begin, *periodic, end = charged(csms, visit(variables={**QUIET, **settings}))
    holds(begin, "Transaction.Begin")
    assert len(periodic) >= 2
    for value in periodic:
        holds(value, "Sample.Periodic")
    assert spacing([begin, *periodic]) == {1.0}
    holds(end, "Transaction.End")


@pytest.mark.tc("TC_J_11_CS")
@pytest.mark.req("J02.FR.21")
@pytest.mark.parametrize("rule", ["Never", "OncePerTransaction", "EveryMeterValue"])
def test_tc_j_11_signed_sampled_values(csms, visit, rule):
    settings = {
        "SampledDataCtrlr/TxEndedInterval": 1,
        "SampledDataCtrlr/SignReadings": True,
        "SampledDataCtrlr/SignStartedReadings": False,
        "OCPPCommCtrlr/PublicKeyWithSignedMeterValue": rule,
    }
    driver = visit(variables={**QUIET, **settings}, simulation="signed_meter = true")
    driver.station.post("/api/sim/evses/1/meter", SIGNED)
    begin, *periodic, end = charged(csms, driver)
    for value in periodic:
        holds(value, "Sample.Periodic", [ENERGY])
    holds(end, "Transaction.End", [ENERGY])
    assert variable_value(csms, "FiscalMetering@1/PublicKey") == SIGNED["signed"]["public_key"]
    signed_by([begin, *periodic, end], rule, "c3RhcnQ=", *["bm93"] * len(periodic), "ZW5k")
