"""Network connection profiles set by the CSMS (B09, B10), and what security profiles they may lead to (A05)."""

import msgspec
import pytest

from ocpp.connectivity import NetworkProfile
from ocpp.station.configuration import load
from ocpp.storage.network_slots import NetworkSlotRepository
from ocpp.versions import OcppVersion

PRIORITY = "OCPPCommCtrlr/NetworkConfigurationPriority"
PASSWORD = "0123456789abcdef"


def profile(slot=1, security_profile=1, url="ws://csms"):
    return NetworkProfile(
        slot=slot, url=url, version=OcppVersion.V201, security_profile=security_profile, password=PASSWORD
    )


async def ask(station, action, payload):
    answer = await station.csms.call(station.clock, action, payload)
    assert answer[0] == 3, answer
    return answer[2]


async def set_profile(station, slot=2, security_profile=2, **more):
    data = {
        "ocppVersion": "OCPP20",
        "ocppInterface": "Wired0",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": f"{'ws' if security_profile < 2 else 'wss'}://elsewhere/ocpp",
        "messageTimeout": 30,
        "securityProfile": security_profile,
        **more,
    }
    return await ask(station, "SetNetworkProfile", {"configurationSlot": slot, "connectionData": data})


async def set_order(station, order):
    wish = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "NetworkConfigurationPriority"},
        "attributeValue": order,
    }
    answer = await ask(station, "SetVariables", {"setVariableData": [wish]})
    return answer["setVariableResult"][0]["attributeStatus"]


@pytest.mark.req("B09.FR.06")
def test_a_station_has_at_least_two_slots(tmp_path):
    file = tmp_path / "station.toml"
    network = '[[network]]\nurl = "ws://csms"\nversion = "2.0.1"\nsecurity_profile = 0\n'
    file.write_text(f'[station]\nid = "CS001"\n{network}[[evse]]\n[[evse.connector]]\n')
    assert load(file).station["network_slots"] >= 2


@pytest.mark.req("B09.FR.03")
async def test_a_disk_that_does_not_take_a_profile_is_a_failure(make_station):
    station = await make_station(profiles=[profile()], variables={PRIORITY: "1"})
    station.database.query("PRAGMA query_only = 1")
    answer = await set_profile(station, security_profile=1)
    station.database.query("PRAGMA query_only = 0")
    assert answer["status"] == "Failed"
    assert answer["statusInfo"]["reasonCode"] == "InternalError"
    assert (await set_profile(station, security_profile=1))["status"] == "Accepted"


@pytest.mark.req("B10.FR.10")
async def test_over_another_profile_the_station_introduces_itself_again(make_station):
    profiles = [profile(1), profile(2, 2, "wss://other")]
    station = await make_station(
        profiles=profiles,
        variables={PRIORITY: "1,2", "OCPPCommCtrlr/NetworkProfileConnectionAttempts": 1},
    )
    await station.disconnect()
    await station.reconnect()
    assert station.csms.counts["BootNotification"] == 1
    station.refused_profiles.add(1)
    await station.disconnect()
    await station.reconnect()
    assert station.attempts[-1].slot == 2
    assert station.csms.counts["BootNotification"] == 2


@pytest.mark.req("A05.FR.10", "B09.FR.04", "A00.FR.005")
@pytest.mark.parametrize("current", [2, 3])
async def test_nothing_leads_to_a_lower_security_profile(make_station, current):
    station = await make_station(profiles=[profile(1, current, "wss://csms"), profile(2, current - 1, "wss://csms")])
    refused = await set_profile(station, security_profile=current - 1)
    assert refused["status"] == "Rejected"
    assert refused["statusInfo"]["reasonCode"] == "NoSecurityDowngrade"
    assert await set_order(station, "2,1") == "Rejected"


ALLOWED = {"SecurityCtrlr/AllowSecurityProfileDowngrade": "true"}


@pytest.mark.req("A05.FR.08", "A00.FR.005")
async def test_from_3_to_2_where_that_is_allowed(make_station):
    station = await make_station(profiles=[profile(1, 3, "wss://csms")], variables={**ALLOWED, PRIORITY: "1"})
    station.charge_point.strategy.context.upgrade.missing = lambda wanted: ""
    assert (await set_profile(station, security_profile=2))["status"] == "Accepted"
    assert await set_order(station, "2,1") == "Accepted"
    await station.charge_point.connectivity.reconnect()
    await station.settle()
    assert station.attempts[-1].security_profile == 2
    assert station.model.value("SecurityCtrlr/SecurityProfile") == "2"


@pytest.mark.req("A05.FR.09", "B09.FR.31", "A00.FR.005")
@pytest.mark.parametrize("current", [2, 3])
async def test_never_to_1(make_station, current):
    station = await make_station(
        profiles=[profile(1, current, "wss://csms"), profile(2, 1)], variables={**ALLOWED, PRIORITY: "1"}
    )
    refused = await set_profile(station, security_profile=1)
    assert (refused["status"], refused["statusInfo"]["reasonCode"]) == ("Rejected", "NoSecurityDowngrade")
    assert await set_order(station, "2,1") == "Rejected"


@pytest.mark.req("B09.FR.02")
@pytest.mark.parametrize(
    "more",
    [
        {"ocppCsmsUrl": "ws://csms/ocpp#a"},
        {"ocppCsmsUrl": "ws://user@csms/ocpp"},
        {"ocppCsmsUrl": "ws://csms:99999/ocpp"},
        {"ocppCsmsUrl": "ws://[::1/ocpp"},
        {"ocppCsmsUrl": "ws://a b/ocpp"},
        {"ocppCsmsUrl": "http://csms/ocpp"},
        {"ocppCsmsUrl": ""},
        {"messageTimeout": 0},
        {"messageTimeout": -30},
        {"messageTimeout": 10**9},
    ],
)
async def test_a_profile_that_could_never_work_is_rejected_and_the_slot_stays_as_it_was(make_station, more):
    station = await make_station(profiles=[profile()], variables={PRIORITY: "1"})
    answer = await set_profile(station, security_profile=1, **more)
    assert answer["status"] == "Rejected"
    assert answer["statusInfo"]["reasonCode"] == "InvalidNetworkConf"
    assert await set_order(station, "2,1") == "Rejected"


@pytest.mark.req("B10.FR.02")
async def test_slots_that_hold_what_is_no_profile_cannot_be_put_first(make_station):
    station = await make_station(profiles=[profile()], variables={PRIORITY: "1"})
    slots = NetworkSlotRepository(station.database)
    for number, ruin in ((2, b"{"), (3, msgspec.json.encode(profile(3, url="ws://csms#a")))):
        slots.put(number, ruin)
        assert await set_order(station, f"{number},1") == "Rejected"
    assert (await set_profile(station, slot=2, security_profile=1))["status"] == "Accepted"


@pytest.mark.req("B10.FR.07")
async def test_a_station_whose_order_names_only_slots_that_are_dead_returns_to_the_one_that_worked(make_station):
    station = await make_station(profiles=[profile()], variables={PRIORITY: "1"}, seed=3)
    assert (await set_profile(station, slot=2, security_profile=1))["status"] == "Accepted"
    assert await set_order(station, "2") == "Accepted"
    opened, station.charge_point.connectivity._open_link = station.charge_point.connectivity._open_link, None

    async def only_the_first(asked, identity, versions):
        if asked.slot == 2:
            station.attempts.append(asked)
            raise ValueError("whatever")
        return await opened(asked, identity, versions)

    station.charge_point.connectivity._open_link = only_the_first
    station.csms.link.abort()
    await station.clock.advance(3600)
    assert station.attempts[-1].slot == 1
    assert station.charge_point.connection.state == "connected"
