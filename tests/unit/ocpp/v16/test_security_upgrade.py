"""Raising the security profile by ChangeConfiguration (white paper A05)."""

import pytest
from support.station import StationUnderTest
from support.tls import NOW, Authority

from ocpp.clock import ManualClock
from ocpp.connectivity import NetworkProfile
from ocpp.security import certificates
from ocpp.security.certificate_folder import Kind
from ocpp.storage.security_events import SecurityEventRepository
from ocpp.versions import OcppVersion

PASSWORD = "0123456789abcdef"


def profile(security_profile=1, slot=1, password=PASSWORD, scheme="ws"):
    return NetworkProfile(
        slot=slot,
        url=f"{scheme}://csms:9000/ocpp",
        version=OcppVersion.V16,
        security_profile=security_profile,
        password=password,
    )


@pytest.fixture
async def make(tmp_path):
    made = []

    async def make(*profiles, start=True) -> StationUnderTest:
        station = StationUnderTest(
            tmp_path,
            OcppVersion.V16,
            clock=ManualClock(start=NOW),
            profiles=list(profiles),
            variables={"OCPPCommCtrlr/NetworkProfileConnectionAttempts": 2},
        )
        made.append(station)
        return await station.start() if start else station

    yield make
    for station in made:
        await station.stop()


def give_root(station):
    station.charge_point.strategy.context.certificates.store.put(Kind.CSMS_ROOT, [Authority("root").certificate])


def give_own(station):
    store = station.charge_point.strategy.context.certificates.store
    key = certificates.new_key()
    store.add_key(key)
    store.put(Kind.STATION, [Authority("root").issue("CS001", key)])


async def change(station, value) -> str:
    answer = await station.csms.call(
        station.clock, "ChangeConfiguration", {"key": "SecurityProfile", "value": str(value)}
    )
    return answer[2]["status"]


async def shown(station) -> str:
    answer = await station.csms.call(station.clock, "GetConfiguration", {"key": ["SecurityProfile"]})
    return answer[2]["configurationKey"][0]["value"]


@pytest.mark.req("1.6-A05.FR.01", "1.6-A00.FR.005")
@pytest.mark.parametrize("value", [0, 1])
async def test_lower_or_equal_is_rejected(make, value):
    station = await make(profile())
    assert await change(station, value) == "Rejected"
    await station.clock.advance(60)
    assert len(station.attempts) == 1
    assert await shown(station) == "1"


@pytest.mark.req("1.6-A05.FR.02")
@pytest.mark.parametrize("password", [None, "too short"])
async def test_without_a_fit_password_profiles_1_and_2_are_rejected(make, password):
    station = await make(profile(0, password=password))
    give_root(station)
    assert await change(station, 1) == "Rejected"
    assert await change(station, 2) == "Rejected"


@pytest.mark.req("1.6-A05.FR.03")
@pytest.mark.parametrize("value", [2, 3])
async def test_without_a_root_certificate_profiles_2_and_3_are_rejected(make, value):
    station = await make(profile())
    give_own(station)
    assert await change(station, value) == "Rejected"


@pytest.mark.req("1.6-A05.FR.04")
async def test_without_an_own_certificate_profile_3_is_rejected(make):
    station = await make(profile())
    give_root(station)
    assert await change(station, 3) == "Rejected"


@pytest.mark.req("1.6-A05.FR.05", "1.6-A05.FR.06", "1.6-A05.FR.07", "1.6-A00.FR.001", "1.6-A00.FR.311")
@pytest.mark.parametrize("value", [2, 3])
async def test_the_station_connects_again_with_the_higher_profile(make, value):
    station = await make(profile())
    give_root(station)
    give_own(station)
    old = station.csms.link
    assert await change(station, value) == "Accepted"
    assert not old.gone
    await station.clock.advance(2)
    assert old.gone
    assert (station.attempts[-1].security_profile, station.attempts[-1].url) == (value, "wss://csms:9000/ocpp")
    assert await shown(station) == str(value)
    assert await change(station, value - 1) == "Rejected"


@pytest.mark.req("1.6-A05.FR.05")
async def test_profile_0_becomes_1_with_a_password(make):
    station = await make(profile(0))
    assert await change(station, 1) == "Accepted"
    await station.clock.advance(2)
    assert (station.attempts[-1].security_profile, station.attempts[-1].url) == (1, "ws://csms:9000/ocpp")


@pytest.mark.req("1.6-A05.FR.08")
async def test_when_it_cannot_connect_the_profile_before_comes_back(make):
    station = await make(profile())
    give_root(station)
    station.refused_profiles = {2}
    assert await change(station, 2) == "Accepted"
    await station.clock.advance(60)
    assert [each.security_profile for each in station.attempts] == [1, 2, 2, 1]
    assert station.attempts[-1].url == "ws://csms:9000/ocpp"
    assert await shown(station) == "1"
    assert await change(station, 2) == "Accepted"


@pytest.mark.req("1.6-A05.FR.08")
async def test_the_way_back_survives_a_power_cut(make):
    station = await make(profile())
    give_root(station)
    station.refused_profiles = {2}
    await change(station, 2)
    await station.stop()
    again = await make(start=False)
    again.refused_profiles = {2}
    await again.start()
    await again.clock.advance(60)
    assert [each.security_profile for each in again.attempts] == [2, 2, 1]


async def test_a_slot_with_that_profile_is_taken_as_it_is(make):
    other = NetworkProfile(
        slot=2, url="wss://secure:9443/x", version=OcppVersion.V16, security_profile=2, password=PASSWORD
    )
    station = await make(profile(), other)
    give_root(station)
    assert await change(station, 2) == "Accepted"
    await station.clock.advance(2)
    assert station.attempts[-1].url == "wss://secure:9443/x"
    assert station.model.value("OCPPCommCtrlr/NetworkConfigurationPriority") == "2"


async def test_the_change_is_in_the_security_log(make):
    station = await make(profile())
    give_root(station)
    await change(station, 2)
    await station.clock.advance(2)
    events = [event.info for event in SecurityEventRepository(station.database).all()]
    assert events[-2:] == ["security profile 2 is tried", "security profile 2 is in force"]


@pytest.mark.req("1.6-A01.FR.11", "1.6-A01.FR.12")
async def test_a_changed_password_is_noted_without_the_password(make):
    station = await make(profile())
    secret = "f" * 40
    answer = await station.csms.call(station.clock, "ChangeConfiguration", {"key": "AuthorizationKey", "value": secret})
    assert answer[2]["status"] == "Accepted"
    events = [(event.type, event.info) for event in SecurityEventRepository(station.database).all()]
    assert ("ReconfigurationOfSecurityParameters", "BasicAuthPassword changed") in events
    assert not any(secret in info for _, info in events)
