"""Groups of tokens: who may stop whose transaction, wherever the station heard of the group."""

import logging

import pytest
from support.station import CARD

from ocpp.versions import OcppVersion

V16 = OcppVersion.V16
VERSIONS = pytest.mark.parametrize("version", [V16, OcppVersion.V201, OcppVersion.V21], ids=str)
SPOUSE = "DEADBEEF"
KEPT = {"OCPPCommCtrlr/UnlockOnEVSideDisconnect": "false"}


def info(version, group="FAMILY", status="Accepted", **more):
    if version is V16:
        return {"idTagInfo": {"status": status, **({"parentIdTag": group} if group else {})}, **more}
    grouped = {"groupIdToken": {"idToken": group, "type": "Central"}} if group else {}
    return {"idTokenInfo": {"status": status, **grouped}}


def script_transaction(station, *answers):
    if station.version is V16:
        station.csms.script("StartTransaction", *({**each, "transactionId": 7} for each in answers))
    else:
        station.csms.script("TransactionEvent", *answers)


def running(station) -> int:
    return len(station.charge_point.strategy.charging.transactions)


async def charge_and_learn(make_station, version, **options):
    """The group is told by the answer to the transaction's begin alone."""
    station = await make_station(version, **options)
    await station.plug()
    station.csms.script("Authorize", info(version, None))
    script_transaction(station, info(version))
    await station.present()
    await station.draw()
    assert running(station) == 1
    return station


@VERSIONS
@pytest.mark.req("C09.FR.03", "C09.FR.12", "1.6-3.10")
async def test_a_group_told_with_the_transaction_stops_it(make_station, version):
    station = await charge_and_learn(make_station, version)
    station.csms.script("Authorize", info(version))
    await station.present(SPOUSE)
    assert station.hardware.allowed == {}
    await station.draw(flowing=False)
    assert running(station) == 0


@VERSIONS
@pytest.mark.req("C09.FR.03")
async def test_it_does_so_after_a_restart(make_station, version):
    lasting = {"TxCtrlr/ResumptionTimeout": 600, "TxCtrlr/EVConnectionTimeOut": 0}
    first = await charge_and_learn(make_station, version, variables=lasting)
    await first.stop()
    second = await make_station(version, variables=lasting, seed=2, start=False)
    second.charge_point.evses[1].connectors[0].plugged = True
    await second.start()
    assert running(second) == 1
    second.csms.script("Authorize", info(version))
    await second.present(SPOUSE)
    assert running(second) == 0


@VERSIONS
@pytest.mark.req("C09.FR.11")
@pytest.mark.parametrize("group", ["STRANGERS", None])
async def test_another_group_or_none_does_not(make_station, version, group):
    station = await charge_and_learn(make_station, version)
    station.csms.script("Authorize", info(version, group))
    await station.present(SPOUSE)
    assert station.hardware.allowed


@VERSIONS
async def test_who_stops_for_the_family_begins_nothing_elsewhere(make_station, version):
    station = await charge_and_learn(make_station, version, evses=2)
    station.csms.script("Authorize", info(version))
    await station.present(SPOUSE)
    assert station.hardware.allowed == {}
    await station.draw(flowing=False)
    await station.plug(2)
    assert station.hardware.allowed == {}, "nobody has asked to charge at the other one"


@VERSIONS
@pytest.mark.req("E09.FR.03")
async def test_a_cable_kept_for_its_owner_is_given_to_the_group(make_station, version):
    station = await make_station(version, variables=KEPT)
    await station.plug()
    script_transaction(station, info(version))
    await station.present()
    await station.unplug()
    assert station.hardware.locked
    station.csms.script("Authorize", info(version))
    await station.present(SPOUSE)
    assert not station.hardware.locked


@VERSIONS
@pytest.mark.parametrize(
    ("prepare", "why"),
    [("in use", "is in use"), ("out of service", "is out of service"), ("late", "nobody identified in time")],
)
async def test_the_log_says_why_an_accepted_token_may_not_charge(make_station, version, caplog, prepare, why):
    caplog.set_level(logging.INFO)
    station = await make_station(version, variables={"TxCtrlr/EVConnectionTimeOut": 30})
    if prepare == "out of service":
        station.charge_point.strategy.context.availability.change(False)
    elif prepare == "late":
        await station.plug()
        await station.clock.advance(31)
    else:
        await station.charge()
    await station.present(SPOUSE)
    line = next(each for each in caplog.messages if "may not charge here" in each)
    assert why in line
    assert "Accepted" not in line
    assert CARD not in line
