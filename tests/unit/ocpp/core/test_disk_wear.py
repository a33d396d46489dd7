"""How often a charging session makes the disk write through; docs/common/storage.md states these numbers."""

import pytest
from support.station import StationUnderTest

from ocpp.versions import OcppVersion


async def fsyncs_of_a_session(tmp_path, version, updates: int) -> int:
    station = StationUnderTest(tmp_path, version, variables={"SampledDataCtrlr/TxUpdatedInterval": 60})
    await station.start()
    before = station.database.fsyncs
    await station.charge()
    for n in range(updates):
        station.meter(str(2000 + n))
        await station.clock.advance(60)
    await station.present()
    await station.draw(flowing=False)
    await station.unplug()
    wear = station.database.fsyncs - before
    assert station.charge_point.queued_messages == 0
    await station.stop()
    return wear


@pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201], ids=str)
async def test_the_stated_number_of_fsyncs(tmp_path, version):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    without = await fsyncs_of_a_session(tmp_path / "a", version, 0)
    with_ten = await fsyncs_of_a_session(tmp_path / "b", version, 10)
    assert (without, with_ten - without) == {OcppVersion.V16: (4, 10), OcppVersion.V201: (3, 10)}[version]
