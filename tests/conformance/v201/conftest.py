import pytest
from support.conformance import Setup
from support.visit import Visit

from ocpp.versions import OcppVersion


@pytest.fixture
def setup(tmp_path):
    setup = Setup(tmp_path, OcppVersion.V201)
    yield setup
    setup.close()


@pytest.fixture
def csms(setup):
    return setup.csms


@pytest.fixture
def station(setup):
    """An ordinary station with two EVSEs of one connector, accepted."""
    return setup.start(evses=2)


@pytest.fixture
def visit(setup):
    """Starts a station with these start and stop points, and somebody's visit there."""

    def begin(start="PowerPathClosed", stop="PowerPathClosed", *, bay=False, evse="", variables=None, **options):
        points = {"TxCtrlr/TxStartPoint": start, "TxCtrlr/TxStopPoint": stop}
        sensor = "bay_sensor = true\n" if bay else ""
        station = setup.start(evses=2, evse=sensor + evse, variables={**points, **(variables or {})}, **options)
        return Visit(setup.csms, station, start, stop, bay=bay)

    return begin
