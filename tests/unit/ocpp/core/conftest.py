import pytest
from support.station import StationUnderTest

from ocpp.versions import OcppVersion


@pytest.fixture
async def make_station(tmp_path):
    """Stations of any version and setting, stopped at the end."""
    made: list[StationUnderTest] = []

    async def make(version=OcppVersion.V201, *, start=True, folder="station", **options) -> StationUnderTest:
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        station = StationUnderTest(path, version, **options)
        made.append(station)
        return await station.start() if start else station

    yield make
    for station in made:
        await station.stop()
