"""A card that is presented while it is being looked at: at another EVSE it counts, at the same one once."""

import logging

import pytest

from ocpp.versions import OcppVersion

VERSIONS = pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201, OcppVersion.V21], ids=str)


async def slow_station(make_station, version, **options):
    """The CSMS has not answered the first Authorize yet."""
    station = await make_station(version, evses=2, **options)
    await station.plug(1)
    await station.plug(2)
    station.csms.script("Authorize", None)
    await station.present(evse_ids=(1,))
    return station


@VERSIONS
async def test_at_a_second_evse_it_is_looked_at_as_well(make_station, version):
    station = await slow_station(make_station, version)
    await station.present(evse_ids=(2,))
    await station.clock.advance(31)
    assert station.csms.counts["Authorize"] == 2
    assert 2 in station.hardware.allowed


@VERSIONS
async def test_offline_rules_decide_for_both(make_station, version):
    station = await slow_station(make_station, version, variables={"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true"})
    station.csms.script("Authorize", None)
    await station.present(evse_ids=(2,))
    await station.clock.advance(62)
    assert set(station.hardware.allowed) == {1, 2}


@VERSIONS
async def test_at_the_same_evse_it_counts_once_and_the_log_says_so(make_station, version, caplog):
    caplog.set_level(logging.INFO)
    station = await slow_station(make_station, version)
    await station.present(evse_ids=(1,))
    assert "is being looked at already" in caplog.text
    await station.clock.advance(31)
    assert station.csms.counts["Authorize"] == 1
