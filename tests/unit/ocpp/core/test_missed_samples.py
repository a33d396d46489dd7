"""A program that did not run for a while (SIGSTOP, suspend) has missed what it would have measured: no bursts afterwards."""

from collections import Counter

import pytest

from ocpp.versions import OcppVersion

V16 = OcppVersion.V16
VERSIONS = pytest.mark.parametrize("version", [V16, OcppVersion.V201], ids=str)
ENERGY = "Energy.Active.Import.Register"
SAMPLED = {
    "SampledDataCtrlr/TxUpdatedInterval": 1,
    "SampledDataCtrlr/TxUpdatedMeasurands": ENERGY,
    "SampledDataCtrlr/TxEndedInterval": 1,
    "SampledDataCtrlr/TxEndedMeasurands": ENERGY,
}
ALIGNED = {
    "AlignedDataCtrlr/Interval": 2,
    "AlignedDataCtrlr/Measurands": ENERGY,
    "AlignedDataCtrlr/TxEndedInterval": 2,
    "AlignedDataCtrlr/TxEndedMeasurands": ENERGY,
}


async def freeze(station, seconds: float) -> None:
    """Time goes on, the program does not."""
    station.clock._monotonic += seconds
    await station.clock.advance(0)


def values(station):
    """Of meter values in the order in which they were told: when they were taken, and why."""
    messages = station.csms.of("MeterValues") + station.events
    found = [value for each in messages for value in each.get("meterValue", ())]
    return [(value["timestamp"], value["sampledValue"][0].get("context", "Sample.Periodic")) for value in found]


@VERSIONS
async def test_periodic_samples(make_station, version):
    station = await make_station(version, variables=SAMPLED)
    await station.charge()
    await station.clock.advance(3)
    before = len(values(station))
    await freeze(station, 15.4)
    assert len(values(station)) - before == 1, "one of now, none of then"
    await station.clock.advance(3)
    after = [moment for moment, _ in values(station)[before:]]
    assert len(after) == 4
    assert max(Counter(after).values()) <= 2
    kept = station.charge_point.strategy.store
    (transaction,) = station.charge_point.strategy.charging.transactions
    assert kept.sample_count(transaction.id) <= 3 + 4 + 1


@VERSIONS
async def test_the_grid_of_the_samples_stays(make_station, version):
    station = await make_station(version, variables={**SAMPLED, "SampledDataCtrlr/TxUpdatedInterval": 10})
    await station.charge()
    await freeze(station, 34)
    before = len(values(station))
    await station.clock.advance(5.5)
    assert len(values(station)) == before
    await station.clock.advance(1)
    assert len(values(station)) == before + 1


@VERSIONS
@pytest.mark.parametrize("charging", [True, False])
async def test_clock_aligned_samples(make_station, version, charging):
    station = await make_station(version, variables=ALIGNED)
    if charging:
        await station.charge()
    await station.clock.advance(4)
    before = len(values(station))
    now = station.clock.now()
    await freeze(station, 15)
    assert values(station)[before:] == []
    await station.clock.advance(4)
    told = [moment for moment, context in values(station)[before:] if context == "Sample.Clock"]
    assert len(told) == len(set(told)) == 2
    assert min(told) > now.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("kind", ["Periodic", "PeriodicClockAligned"])
async def test_periodic_monitors(make_station, kind):
    station = await make_station(OcppVersion.V21)
    wish = {
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "Power"},
        "type": kind,
        "value": 2,
        "severity": 8,
    }
    answer = await station.csms.call(station.clock, "SetVariableMonitoring", {"setMonitoringData": [wish]})
    assert answer[2]["setMonitoringResult"][0]["status"] == "Accepted", answer
    await station.clock.advance(4)
    before = len(station.csms.of("NotifyEvent"))
    await freeze(station, 15)
    assert len(station.csms.of("NotifyEvent")) - before <= 1


@VERSIONS
async def test_heartbeats(make_station, version):
    station = await make_station(version)
    station.model.integer("OCPPCommCtrlr/HeartbeatInterval").set(2)
    await station.clock.advance(4)
    before = station.csms.counts["Heartbeat"]
    await freeze(station, 15)
    assert station.csms.counts["Heartbeat"] - before <= 1
