import pytest
from support.conformance import Setup

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
