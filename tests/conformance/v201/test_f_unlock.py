"""Remote control (block F): a connector is unlocked."""

import pytest
from support.v201 import charging, connect, stop

pytestmark = pytest.mark.req("F05.FR.01")


def unlock(csms, connector: int = 1) -> str:
    return csms.call("UnlockConnector", {"evseId": 1, "connectorId": connector})["status"]


@pytest.mark.tc("TC_F_05_CS")
@pytest.mark.req("F05.FR.02")
def test_tc_f_05_not_while_somebody_charges(csms, station):
    charging(csms, station)
    assert unlock(csms) == "OngoingAuthorizedTransaction"
    assert station.transaction()["state"] == "Charging"
    assert station.status()["evses"][0]["connectors"][0]["locked"]


@pytest.mark.tc("TC_F_06_CS")
@pytest.mark.req("F05.FR.04")
@pytest.mark.parametrize("after", ["plugging in", "charging"])
def test_tc_f_06_without_transaction(csms, station, after):
    if after == "charging":
        stop(csms, station, charging(csms, station))
    else:
        connect(csms, station)
    assert unlock(csms) == "Unlocked"
    assert not station.status()["evses"][0]["connectors"][0]["locked"]


@pytest.mark.tc("TC_F_07_CS")
@pytest.mark.req("F05.FR.06")
@pytest.mark.usefixtures("station")
def test_tc_f_07_without_a_cable(csms):
    assert unlock(csms) == "Unlocked"


@pytest.mark.tc("TC_F_10_CS")
@pytest.mark.req("F05.FR.03")
@pytest.mark.usefixtures("station")
def test_tc_f_10_an_unknown_connector(csms):
    assert unlock(csms, 999) == "UnknownConnector"
