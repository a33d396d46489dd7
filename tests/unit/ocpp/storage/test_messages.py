import tracemalloc

import pytest

from ocpp.storage.database import Database
from ocpp.storage.messages import MessageRepository


@pytest.fixture
def messages(database):
    return MessageRepository(database)


def add(messages: MessageRepository, **changes) -> int:
    fields = {
        "major": 2,
        "action": "TransactionEvent",
        "payload": b"{}",
        "transaction": "T1",
        "droppable": False,
        "created_unix": 1_700_000_000.25,
        "run": "run-1",
        "clock_unset": False,
    }
    return messages.add(**(fields | changes))


def orders(messages: MessageRepository) -> list[int]:
    return [message.order for message in messages.first(1000)]


def test_a_message_comes_back_as_it_was_put(messages):
    payload = '{"energy": 1234.5670, "text": "\u20ac"}'.encode()
    order = add(messages, payload=payload, droppable=True, clock_unset=True)
    (message,) = messages.first(10)
    assert message.order == order
    assert message.payload == payload
    assert (message.major, message.action, message.transaction) == (2, "TransactionEvent", "T1")
    assert (message.droppable, message.clock_unset, message.offline) == (True, True, False)
    assert (message.created_unix, message.run) == (1_700_000_000.25, "run-1")
    assert (message.attempts, message.correction_s) == (0, 0.0)


def test_a_message_may_belong_to_no_transaction(messages):
    add(messages, transaction=None)
    assert messages.first(1)[0].transaction is None


def test_adding_is_durable_and_removing_is_not(database, messages):
    order = add(messages)
    assert database.fsyncs == 1
    messages.remove([order])
    assert database.fsyncs == 1


def test_the_oldest_come_first_and_no_more_than_asked_for(messages):
    given = [add(messages) for _ in range(5)]
    assert [message.order for message in messages.first(3)] == given[:3]
    assert messages.first(0) == []


def test_an_order_is_never_used_again(messages):
    first = [add(messages) for _ in range(3)]
    messages.remove(first)
    assert add(messages) > max(first)


def test_an_order_is_never_used_again_after_a_restart(path):
    database = Database.open(path)
    last = [add(MessageRepository(database)) for _ in range(3)][-1]
    MessageRepository(database).remove([1, 2, 3])
    database.close()
    database = Database.open(path)
    assert add(MessageRepository(database)) > last
    database.close()


def test_removing_what_is_not_there_changes_nothing(messages):
    order = add(messages)
    messages.remove([order + 1, 999])
    messages.remove([])
    assert orders(messages) == [order]


def test_the_newest_order_is_known_and_zero_for_an_empty_queue(messages):
    assert messages.last_order() == 0
    add(messages)
    newest = add(messages)
    assert messages.last_order() == newest


@pytest.mark.req("E13.FR.02")
def test_attempts_are_counted_per_message_and_survive(path):
    database = Database.open(path)
    messages = MessageRepository(database)
    first, second = add(messages), add(messages)
    assert [messages.record_attempt(first), messages.record_attempt(first)] == [1, 2]
    database.close()
    database = Database.open(path)
    messages = MessageRepository(database)
    assert [message.attempts for message in messages.first(2)] == [2, 0]
    assert messages.record_attempt(second) == 1
    database.close()


def test_an_attempt_of_a_message_that_is_gone_counts_nothing(messages):
    assert messages.record_attempt(77) == 0


@pytest.mark.req("E14.FR.04")
def test_whether_a_transaction_has_messages_waiting(messages):
    order = add(messages, transaction="T1")
    assert messages.has_transaction("T1")
    assert not messages.has_transaction("T2")
    messages.remove([order])
    assert not messages.has_transaction("T1")


@pytest.mark.req("E04.FR.03", "E11.FR.07")
def test_what_waits_when_the_connection_is_lost_is_marked_and_later_messages_are_not(messages):
    add(messages)
    messages.mark_offline()
    add(messages)
    assert [message.offline for message in messages.first(2)] == [True, False]


def test_messages_of_another_major_version_are_dropped_and_the_others_kept(messages):
    kept = [add(messages, major=2), add(messages, major=2)]
    add(messages, major=1)
    assert messages.drop_for_major(1) == 1
    assert orders(messages) == kept
    assert messages.drop_for_major(1) == 0


def test_time_stamps_of_the_run_with_the_wrong_clock_are_corrected_and_no_others(messages):
    add(messages, run="earlier", clock_unset=True)
    add(messages, run="now", clock_unset=True)
    add(messages, run="now", clock_unset=False)
    assert messages.correct_times("now", 3600.5) == 1
    assert [message.correction_s for message in messages.first(3)] == [0.0, 3600.5, 0.0]
    assert [message.clock_unset for message in messages.first(3)] == [True, False, False]


def test_time_stamps_are_corrected_once(messages):
    add(messages, run="now", clock_unset=True)
    messages.correct_times("now", 100)
    assert messages.correct_times("now", 100) == 0
    assert messages.first(1)[0].correction_s == 100.0


def test_a_correction_leaves_the_payload_alone(messages):
    add(messages, run="now", clock_unset=True, payload=b'{"timestamp":"1970-01-01T00:00:10Z"}')
    messages.correct_times("now", 1e9)
    assert messages.first(1)[0].payload == b'{"timestamp":"1970-01-01T00:00:10Z"}'


def transaction_of_events(messages: MessageRepository, name: str, updates: int) -> tuple[int, list[int], int]:
    started = add(messages, transaction=name)
    updated = [add(messages, transaction=name, droppable=True) for _ in range(updates)]
    return started, updated, add(messages, transaction=name)


@pytest.mark.req("E04.FR.07", "E04.FR.08", "E11.FR.04", "E11.FR.05", "E12.FR.04", "E12.FR.05", "J02.FR.12", "J02.FR.13")
def test_thinning_drops_the_first_third_and_fifth_intermediate_message_and_keeps_start_and_end(messages):
    started, updated, ended = transaction_of_events(messages, "T1", 5)
    assert messages.thin_out() == 3
    assert orders(messages) == [started, updated[1], updated[3], ended]


@pytest.mark.req("E04.FR.08")
def test_thinning_counts_each_transaction_for_itself(messages):
    one, two = add(messages, transaction="T1", droppable=True), add(messages, transaction="T2", droppable=True)
    three, four = add(messages, transaction="T1", droppable=True), add(messages, transaction="T2", droppable=True)
    assert messages.thin_out() == 2
    assert orders(messages) == [three, four]
    assert {one, two}.isdisjoint(orders(messages))


def test_thinning_again_and_again_leaves_what_must_not_be_dropped(messages):
    started, _, ended = transaction_of_events(messages, "T1", 100)
    rounds = 0
    while messages.thin_out():
        rounds += 1
    assert orders(messages) == [started, ended]
    assert rounds == 7


def test_a_message_and_what_belongs_to_it_are_written_together(database, messages):
    with database.transaction(durable=False):
        add(messages)
        assert database.fsyncs == 0
    assert database.fsyncs == 1


def test_the_first_of_a_hundred_thousand_messages_are_read_without_loading_the_others(database, messages):
    with database.transaction():
        for _ in range(100_000):
            add(messages, payload=b'{"fill":"%s"}' % (b"x" * 100))
    tracemalloc.start()
    found = messages.first(20)
    count = messages.count()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(found), count) == (20, 100_000)
    assert peak < 200_000


@pytest.mark.parametrize(
    ("sql", "plan"),
    [
        ("SELECT * FROM messages ORDER BY position LIMIT 1", "SCAN messages"),
        ("SELECT 1 FROM messages WHERE transaction_id = 'T' LIMIT 1", "USING COVERING INDEX messages_by_transaction"),
        ("SELECT max(position) FROM messages", "SEARCH messages"),
    ],
    ids=["oldest", "transaction", "newest"],
)
def test_looking_at_a_long_queue_neither_sorts_nor_searches_it(database, sql, plan):
    steps = [row[3] for row in database.query(f"EXPLAIN QUERY PLAN {sql}")]
    assert len(steps) == 1
    assert plan in steps[0]
