import asyncio
import random

import pytest
from support.links import FakeLink, FakeNetwork
from support.model import FakeModel

from ocpp.clock import ManualClock
from ocpp.connectivity import ConnectivityManager, NetworkProfile
from ocpp.connectivity.manager import PONG_TIMEOUT_S, PROVED_AFTER_S
from ocpp.errors import ConnectError, HandshakeRefused, SubprotocolRefused
from ocpp.versions import OcppVersion

V16, V201, V21 = OcppVersion
REFUSED = ConnectError("connection refused")


def profile(slot: int = 1, version: OcppVersion = V201, **more) -> NetworkProfile:
    return NetworkProfile(slot=slot, url=f"ws://csms{slot}", version=version, password="0123456789abcdef", **more)


class Station:
    def __init__(self, *outcomes, profiles=None, major=None, last_good=None, stored=(), **settings) -> None:
        self.clock = ManualClock()
        self.network = FakeNetwork(*outcomes)
        self.profiles = profiles or [profile()]
        self.settled: int | None = major
        defaults = {"RetryBackOffWaitMinimum": 10, "RetryBackOffRepeatTimes": 2, "NetworkProfileConnectionAttempts": 2}
        self.manager = ConnectivityManager(
            identity="CS001",
            profiles=lambda: self.profiles,
            model=FakeModel(**{**defaults, **settings}),
            clock=self.clock,
            rng=random.Random(1),
            open_link=self.network.open,
            attend=self.attend,
            major=lambda: self.settled,
            exhausted=self.note_exhausted,
            last_good=last_good,
            stored={each.slot: each for each in stored}.get,
        )
        self.exhausted = 0
        self.served: list[FakeLink] = []

    def note_exhausted(self) -> None:
        self.exhausted += 1

    async def attend(self, link, profile) -> None:
        self.served.append(link)
        while await link.incoming.get() is not None:
            pass

    async def __aenter__(self) -> "Station":
        self.task = asyncio.ensure_future(self.manager.run())
        await self.clock.settle()
        return self

    async def __aexit__(self, *exc) -> None:
        await self.manager.stop()
        await self.clock.settle()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def test_connects_at_once_and_offers_the_expected_version_and_its_siblings():
    async with Station(V201) as station:
        assert station.network.attempts == [(1, (V21, V201))]
        assert station.manager.status.state == "connected"
        assert station.manager.status.version is V201


async def test_the_offer_of_the_profile_is_what_is_offered():
    offer = (V21, V201, V16)
    async with Station(V16, profiles=[profile(offer=offer)]) as station:
        assert station.network.attempts == [(1, offer)]
        assert station.manager.status.version is V16


@pytest.mark.parametrize(
    "refusal",
    [SubprotocolRefused("the CSMS picked none"), HandshakeRefused(400, "HTTP 400"), HandshakeRefused(500, "x")],
)
async def test_a_csms_that_cannot_negotiate_is_asked_for_exactly_the_expected_version(refusal):
    async with Station(refusal, V201, V201) as station:
        assert station.network.attempts == [(1, (V21, V201)), (1, (V201,))]
        station.served[0].drop()
        await station.clock.advance(11)
        assert station.network.attempts[-1] == (1, (V201,)), "what worked is remembered"


@pytest.mark.parametrize("status", [401, 403, 404, 503])
async def test_a_refusal_that_has_nothing_to_do_with_versions_waits_for_the_back_off(status):
    async with Station(HandshakeRefused(status, f"HTTP {status}")) as station:
        assert len(station.network.attempts) == 1
        assert f"HTTP {status}" in station.manager.status.last_error


async def test_once_a_major_version_is_settled_the_other_is_never_offered():
    async with Station(V201, profiles=[profile(offer=(V21, V201, V16))], major=2) as station:
        assert station.network.attempts == [(1, (V21, V201))]


async def test_failures_are_retried_with_growing_waits():
    async with Station(REFUSED, REFUSED, REFUSED, V201) as station:
        for seconds, attempts in ((9, 1), (1, 2), (19, 2), (1, 3), (39, 3), (1, 4)):
            await station.clock.advance(seconds)
            assert len(station.network.attempts) == attempts
        assert station.manager.status.state == "connected"


async def test_after_a_loss_the_first_attempt_waits_the_minimum():
    async with Station(V201, V201) as station:
        station.served[0].drop()
        await station.clock.advance(9)
        assert len(station.served) == 1
        await station.clock.advance(1)
        assert len(station.served) == 2


@pytest.mark.req("B10.FR.03")
async def test_each_profile_gets_its_number_of_attempts_in_order_of_priority():
    async with Station(profiles=[profile(1), profile(2)]) as station:
        await station.clock.advance(200)
        assert [slot for slot, _ in station.network.attempts[:4]] == [1, 1, 2, 2]


@pytest.mark.req("B10.FR.07")
async def test_when_every_profile_fails_the_one_that_worked_last_is_tried_again():
    outcomes = [REFUSED, REFUSED, V201, REFUSED, REFUSED, V201]
    async with Station(*outcomes, profiles=[profile(1), profile(2)]) as station:
        await station.clock.advance(40)
        assert station.manager.status.slot == 2
        station.served[0].drop()
        await station.clock.advance(200)
        assert station.manager.status.slot == 2
        assert station.manager.status.state == "connected"


@pytest.mark.req("B10.FR.07", "B10.FR.08", "B10.FR.09")
async def test_it_goes_on_for_ever_with_the_one_that_worked_last_and_with_all_of_them_in_turn():
    async with Station(REFUSED, REFUSED, V201, profiles=[profile(1), profile(2)]) as station:
        await station.clock.advance(40)
        station.served[0].drop()
        station.network.attempts.clear()
        await station.clock.advance(2000)
        slots = [slot for slot, _ in station.network.attempts]
        assert slots[:16] == [2, 2, 2, 2, 1, 1, 2, 2, 2, 2, 1, 1, 2, 2, 2, 2]
        assert station.exhausted >= 4


@pytest.mark.req("A02.FR.28")
async def test_it_tells_when_the_only_profile_was_tried_in_vain():
    async with Station() as station:
        await station.clock.advance(200)
        assert station.exhausted >= 2


async def test_pings_go_out_at_the_interval_and_a_missing_pong_ends_the_connection():
    async with Station(V201, V201, WebSocketPingInterval=30) as station:
        link = station.served[0]
        await station.clock.advance(61)
        assert link.pings == 2
        link.answers_pings = False
        await station.clock.advance(30 + PONG_TIMEOUT_S)
        assert link.aborted
        assert "pings" in station.manager.status.last_error
        await station.clock.advance(10)
        assert len(station.served) == 2


async def test_no_pings_while_the_interval_is_zero():
    async with Station(V201) as station:
        await station.clock.advance(3600)
        assert station.served[0].pings == 0


async def test_a_network_taken_away_drops_the_connection_and_given_back_connects_at_once():
    async with Station(V201, V201) as station:
        await station.manager.set_up(False)
        await station.clock.advance(3600)
        assert station.served[0].aborted
        assert len(station.network.attempts) == 1
        await station.manager.set_up(True)
        await station.clock.settle()
        assert len(station.served) == 2


async def test_stopping_closes_with_going_away():
    async with Station(V201) as station:
        await station.manager.stop()
        await station.clock.settle()
        assert station.served[0].closed == (1001, "the station stops")
        assert station.task.done()


async def test_without_any_profile_the_station_goes_on_offline():
    async with Station() as station:
        station.profiles.clear()
        await station.clock.advance(200)
        assert not station.task.done()
        assert "no network profile" in station.manager.status.last_error


def test_the_connection_url_ends_with_the_percent_encoded_identity():
    assert profile().connection_url("RDAM 123") == "ws://csms1/RDAM%20123"
    assert NetworkProfile(slot=1, url="ws://h/ocpp/", version=V201).connection_url("a/b") == "ws://h/ocpp/a%2Fb"


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("x"), UnicodeError("x"), AssertionError(), OSError("x"), RecursionError()]
)
async def test_whatever_an_attempt_raises_is_a_failed_attempt_and_the_next_slot_is_tried(error):
    profiles = [profile(1), profile(2)]
    async with Station(error, error, V201, profiles=profiles, RetryBackOffRandomRange=0) as station:
        assert type(error).__name__ in station.manager.status.last_error
        await station.clock.advance(60)
        assert [slot for slot, _ in station.network.attempts] == [1, 1, 2]
        assert station.manager.status.state == "connected"


async def test_what_goes_wrong_while_a_connection_is_served_ends_that_connection_only():
    async with Station(V201, V201, RetryBackOffRandomRange=0) as station:
        calls = []

        async def broken(link, profile):
            calls.append(profile.slot)
            raise RuntimeError("a defect")

        station.manager._attend = broken
        station.network.links[0].drop()
        await station.clock.advance(30)
        assert calls == [1]
        assert station.network.links[-1].aborted
        assert not station.task.done()


@pytest.mark.parametrize("part", ["_connected", "_failed", "_exhausted", "_profiles", "_major"])
async def test_whatever_goes_wrong_around_an_attempt_is_followed_by_the_next(part, caplog):
    outcomes = [V201, REFUSED, REFUSED, V201]
    async with Station(*outcomes, RetryBackOffRandomRange=0) as station:
        whole = getattr(station.manager, part)

        def broken(*args):
            raise RuntimeError("a defect")

        setattr(station.manager, part, broken)
        station.network.links[0].drop()
        await station.clock.advance(200)
        assert not station.task.done()
        setattr(station.manager, part, whole)
        station.network.outcomes = [V201] * 3
        await station.clock.advance(200)
        assert station.manager.status.state == "connected"
        assert "RuntimeError" in caplog.text


@pytest.mark.req("B10.FR.07")
async def test_when_the_order_of_priority_names_only_dead_slots_the_one_that_worked_last_is_tried():
    dead = ConnectError("refused")
    outcomes = [dead, dead, V201]
    station = Station(*outcomes, profiles=[profile(2)], last_good=1, stored=[profile(1)], RetryBackOffRandomRange=0)
    async with station:
        await station.clock.advance(100)
        assert [slot for slot, _ in station.network.attempts] == [2, 2, 1]
        assert station.manager.status.slot == 1


@pytest.mark.req("B10.FR.08")
async def test_when_that_one_is_dead_too_the_priority_is_tried_again():
    station = Station(profiles=[profile(2)], last_good=1, stored=[profile(1)], RetryBackOffRandomRange=0)
    async with station:
        await station.clock.advance(400)
        assert [slot for slot, _ in station.network.attempts][:8] == [2, 2, 1, 1, 2, 2, 1, 1]


async def test_connections_that_are_accepted_and_die_at_once_are_failures_in_a_row():
    async with Station(*[V201] * 20, RetryBackOffRandomRange=0) as station:
        waits = []
        for number in range(5):
            station.served[number].drop()
            waited = 0
            while len(station.served) == number + 1:
                await station.clock.advance(1)
                waited += 1
            waits.append(waited)
        assert waits == [10, 20, 40, 40, 40]
        await station.clock.advance(PROVED_AFTER_S)
        station.served[-1].drop()
        await station.clock.advance(10)
        assert len(station.served) == 7
