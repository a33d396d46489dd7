"""A station that is killed at random, before a CSMS that loses answers: nothing is lost, doubled or reordered.

`make kills` does the same for longer.
"""

import pytest
from support.kills import Book, Kills

from ocpp.versions import OcppVersion

KILLS = 6
SECONDS = 20.0


@pytest.mark.parametrize(
    ("version", "resumes"), [(OcppVersion.V16, False), (OcppVersion.V16, True), (OcppVersion.V201, True)]
)
@pytest.mark.req("E04.FR.01", "E04.FR.02", "1.6-3.7.1")
def test_after_random_kills_the_book_is_right(tmp_path, version, resumes):
    kills = Kills(tmp_path, version, seed=7, resumes=resumes)
    try:
        found = kills.run(SECONDS, most_kills=KILLS)
        assert not any(found.values()), found
        assert kills.kills > 1
        assert kills.csms.book.entries
        assert not kills.csms.violations
    finally:
        kills.close()


def event(number: int, kind: str = "Updated", transaction: str = "T1", **more) -> dict:
    return {"eventType": kind, "seqNo": number, "transactionInfo": {"transactionId": transaction}, **more}


def booked(*events: dict) -> Book:
    book = Book()
    for each in events:
        book.event(each)
    return book


STARTED, ENDED = event(0, "Started", idToken={"idToken": "A"}), event(2, "Ended")


@pytest.mark.parametrize(
    ("events", "shown", "wrong"),
    [
        ((STARTED, event(1), ENDED), {"T1": None}, set()),
        ((STARTED, STARTED, event(1), ENDED | {"offline": True}, ENDED), {"T1": None}, set()),
        ((STARTED, event(1), ENDED), {"T1": None, "T2": None}, {"lost"}),
        ((STARTED, ENDED), {"T1": None}, {"lost"}),
        ((STARTED, event(1)), {"T1": None}, {"lost"}),
        ((event(1), ENDED), {}, {"lost", "reordered"}),
        ((STARTED, event(1), ENDED, event(3)), {"T1": None}, {"reordered"}),
        ((STARTED, event(1), event(1, timestamp="later"), ENDED), {"T1": None}, {"doubled"}),
        ((STARTED, event(1), ENDED, event(2, "Ended", timestamp="later")), {"T1": None}, {"doubled"}),
        ((STARTED, event(3), event(1), ENDED), {"T1": None}, {"lost", "reordered"}),
        (
            (STARTED, event(1), ENDED, event(0, "Started", "T2", idToken={"idToken": "A"})),
            {"T1": None},
            {"lost", "doubled"},
        ),
    ],
)
def test_the_book_notices_what_is_wrong(events, shown, wrong):
    assert {name for name, found in booked(*events).faults(shown).items() if found} == wrong


def test_the_book_of_1_6_knows_a_repetition_by_its_content():
    start = {"connectorId": 1, "idTag": "A", "meterStart": 5, "timestamp": "2026-01-01T00:00:00Z"}
    stop = {"transactionId": 1, "meterStop": 25, "timestamp": "2026-01-01T01:00:00Z"}
    book = Book()
    assert book.start(start) == book.start(start) == 1
    book.more("StopTransaction", stop)
    book.more("StopTransaction", stop)
    assert not any(book.faults({"own": 1}).values())
    assert book.faults({"own": 1, "another": None})["lost"]
    assert book.faults({"own": 2})["lost"]
    assert book.billed_wh() == 20
    assert (book.messages, book.repeated) == (4, 2)
    book.more("StopTransaction", stop | {"meterStop": 30})
    assert book.faults({"own": 1})["doubled"]
    assert book.start(start | {"meterStart": 6}) == 2
    assert book.faults({})["lost"]
