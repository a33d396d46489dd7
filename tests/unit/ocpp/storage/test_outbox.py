"""The outbox over its repository: what it holds in memory is what is on disk, whatever became of a transaction."""

import json

import pytest

from ocpp.clock import ManualClock
from ocpp.errors import StorageError
from ocpp.messages import catalogue, v2
from ocpp.rpc.outbox import Outbox
from ocpp.storage.messages import MessageRepository
from ocpp.versions import OcppVersion


class Retry:
    def attempts(self) -> int:
        return 1

    def interval(self) -> float:
        return 1.0


def outbox(database, bound: int = 100) -> Outbox:
    return Outbox(database, ManualClock(), major=2, run="run", retry=Retry(), max_messages=bound)


def put(box: Outbox, transaction: str | None = "T1", *, droppable: bool = False) -> bool:
    return box.put(v2.HeartbeatRequest(), transaction, droppable=droppable)


def put_and_fail(database, box: Outbox) -> None:
    with database.transaction():
        put(box)
        put(box)
        raise ZeroDivisionError


def test_messages_of_a_transaction_that_failed_are_not_counted(database):
    box = outbox(database)
    put(box)
    before = box.last_order
    with pytest.raises(ZeroDivisionError):
        put_and_fail(database, box)
    assert (len(box), box.last_order) == (1, before)
    put(box)
    assert (len(box), box.last_order) == (MessageRepository(database).count(), before + 1)


def test_what_made_room_for_a_message_that_was_not_taken_is_still_there(database, monkeypatch):
    box = outbox(database, bound=3)
    for _ in range(3):
        put(box, droppable=True)

    def full(*arguments: object, **named: object) -> int:
        raise StorageError("disk full")

    monkeypatch.setattr(MessageRepository, "add", full)
    with pytest.raises(StorageError), database.transaction():
        put(box)
    assert len(box) == MessageRepository(database).count() == 3


@pytest.mark.req("E04.FR.08")
def test_a_message_that_gave_way_while_in_flight_is_counted_once_only(database):
    box = outbox(database, bound=2)
    put(box, droppable=True)
    put(box)
    box.courier = Courier()
    stored, request = box.head()
    put(box)
    box.delivered(stored, request, None)
    assert len(box) == MessageRepository(database).count() == 2


class Courier:
    def prepare(self, stored, request):
        return request

    def delivered(self, stored, request, response) -> None:
        pass

    def given_up(self, stored, request, error) -> None:
        pass


STOP = {"transactionId": 7, "meterStop": 1400, "timestamp": "2026-01-01T01:00:00Z"}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (STOP | {"idTag": "A" * 30}, STOP | {"idTag": "A" * 30}),
        (STOP | {"reason": "SomethingElse"}, STOP),
        (STOP | {"unknown": 1}, STOP),
        (STOP | {"transactionData": []}, STOP | {"transactionData": []}),
    ],
)
def test_a_stored_message_that_breaks_its_schema_goes_out_all_the_same(database, payload, expected):
    MessageRepository(database).add(
        major=1,
        action="StopTransaction",
        payload=json.dumps(payload).encode(),
        transaction="T1",
        droppable=False,
        created_unix=0.0,
        run="run",
        clock_unset=False,
    )
    box = Outbox(database, ManualClock(), major=1, run="run", retry=Retry())
    box.courier = Courier()
    found = box.head()
    assert found is not None
    assert json.loads(catalogue(OcppVersion.V16).encode(found[1])) == expected
