import pytest

from ocpp.storage.database import Database
from ocpp.storage.security_events import MAX_EVENTS, SecurityEventRepository


@pytest.fixture
def events(database):
    return SecurityEventRepository(database)


def types(events: SecurityEventRepository, limit: int = 10_000) -> list[str]:
    return [event.type for event in events.unsent(limit)]


@pytest.mark.req("A04.FR.01")
def test_an_event_that_the_csms_does_not_know_survives_a_restart(path):
    database = Database.open(path)
    SecurityEventRepository(database).add("StartupOfTheDevice", 1_700_000_000.5, "cold start")
    assert database.fsyncs == 1
    database.close()
    database = Database.open(path)
    (event,) = SecurityEventRepository(database).unsent(10)
    assert (event.type, event.at_unix, event.info) == ("StartupOfTheDevice", 1_700_000_000.5, "cold start")
    database.close()


def test_the_oldest_are_told_first_and_no_more_than_asked_for(events):
    for name in "ABC":
        events.add(name, 0.0, "")
    assert types(events, 2) == ["A", "B"]


def test_an_event_the_csms_knows_is_not_told_again(events):
    events.add("A", 0.0, "")
    events.add("B", 0.0, "")
    events.mark_sent(events.unsent(1)[0].position)
    assert types(events) == ["B"]


def test_the_log_is_bounded_and_the_oldest_give_way(database, events):
    with database.transaction():
        for number in range(MAX_EVENTS + 3):
            events.add(str(number), 0.0, "")
    assert types(events) == [str(number) for number in range(3, MAX_EVENTS + 3)]
    assert database.one("SELECT count(*) FROM security_events") == (MAX_EVENTS,)
