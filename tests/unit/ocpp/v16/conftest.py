import pytest
from support.station import StationUnderTest

from ocpp.versions import OcppVersion


@pytest.fixture
async def make_station(tmp_path):
    """1.6 stations of any setting, stopped at the end."""
    made: list[StationUnderTest] = []

    async def make(*, start=True, folder="station", **options) -> StationUnderTest:
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        station = StationUnderTest(path, OcppVersion.V16, **options)
        made.append(station)
        return await station.start() if start else station

    yield make
    for station in made:
        await station.stop()


@pytest.fixture
async def station(make_station):
    return await make_station()
