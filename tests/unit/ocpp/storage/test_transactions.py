import pytest
from msgspec.structs import replace

from ocpp.storage.database import Database
from ocpp.storage.messages import MessageRepository
from ocpp.storage.transactions import TransactionRecord, TransactionRepository

RECORD = TransactionRecord(
    id="T1",
    evse_id=1,
    connector_id=2,
    major=2,
    csms_id=None,
    active=True,
    seq_no=0,
    data=b'{"state":"Charging"}',
    started_unix=1_700_000_000.5,
)


@pytest.fixture
def transactions(database):
    return TransactionRepository(database)


def ended(number: int) -> TransactionRecord:
    return replace(RECORD, id=f"T{number}", active=False, started_unix=float(number))


def wait_for(database: Database, transaction: str) -> int:
    return MessageRepository(database).add(
        major=2,
        action="TransactionEvent",
        payload=b"{}",
        transaction=transaction,
        droppable=False,
        created_unix=0.0,
        run="run",
        clock_unset=False,
    )


def test_a_transaction_comes_back_as_it_was_saved(transactions):
    transactions.save(RECORD)
    assert transactions.get("T1") == RECORD
    assert transactions.get("T2") is None


def test_a_transaction_without_evse_can_be_saved(transactions):
    record = replace(RECORD, evse_id=None, connector_id=None)
    transactions.save(record)
    assert transactions.get("T1") == record


def test_saving_again_replaces_what_may_change(transactions):
    transactions.save(RECORD)
    changed = replace(RECORD, evse_id=2, connector_id=1, active=False, seq_no=9, data=b"{}", csms_id=5)
    transactions.save(changed)
    assert transactions.get("T1") == changed


def test_saving_again_keeps_the_start(transactions):
    transactions.save(RECORD)
    transactions.save(replace(RECORD, started_unix=1.0, major=1))
    assert transactions.get("T1") == RECORD


def test_an_id_given_by_the_csms_is_never_unset(transactions):
    transactions.save(RECORD)
    transactions.set_csms_id("T1", 4711)
    transactions.save(replace(RECORD, seq_no=3))
    found = transactions.get("T1")
    assert (found.csms_id, found.seq_no) == (4711, 3)


def test_the_id_of_the_csms_is_durable_for_the_stop_message_needs_it(database, transactions):
    transactions.save(RECORD)
    assert database.fsyncs == 0
    transactions.set_csms_id("T1", 4711)
    assert database.fsyncs == 1


def test_a_transaction_is_found_by_the_id_of_the_csms(transactions):
    transactions.save(replace(RECORD, csms_id=-1))
    assert transactions.by_csms_id(-1).id == "T1"
    assert transactions.by_csms_id(2) is None


def test_when_a_csms_used_an_id_twice_the_running_transaction_is_meant_then_the_newest(transactions):
    transactions.save(replace(ended(1), csms_id=7))
    transactions.save(replace(ended(3), csms_id=7))
    assert transactions.by_csms_id(7).id == "T3"
    transactions.save(replace(ended(2), csms_id=7, active=True))
    assert transactions.by_csms_id(7).id == "T2"


def test_the_running_ones_are_told_oldest_first(transactions):
    for number, active in ((3, True), (1, True), (2, False)):
        transactions.save(replace(ended(number), active=active))
    assert [record.id for record in transactions.active()] == ["T1", "T3"]


def test_running_ones_survive_a_restart(path):
    database = Database.open(path)
    TransactionRepository(database).save(RECORD)
    database.close()
    database = Database.open(path)
    assert TransactionRepository(database).active() == [RECORD]
    database.close()


def test_only_the_newest_ended_ones_are_kept_and_running_ones_always(transactions):
    for number in range(1, 6):
        transactions.save(ended(number))
    transactions.save(replace(RECORD, id="running", started_unix=0.0))
    transactions.prune(2)
    assert [number for number in range(1, 6) if transactions.get(f"T{number}")] == [4, 5]
    assert transactions.get("running") is not None


def test_an_ended_one_whose_messages_still_wait_is_kept_until_they_are_gone(database, transactions):
    transactions.save(ended(1))
    order = wait_for(database, "T1")
    transactions.prune(0)
    assert transactions.get("T1") is not None
    MessageRepository(database).remove([order])
    transactions.prune(0)
    assert transactions.get("T1") is None


# -- samples ----------------------------------------------------------------------------------------------------------


def add_samples(transactions: TransactionRepository, count: int, transaction: str = "T1") -> None:
    for number in range(1, count + 1):
        transactions.add_sample(transaction, b"%d" % number)


def numbers(transactions: TransactionRepository, transaction: str = "T1") -> list[int]:
    return [int(sample) for sample in transactions.samples(transaction)]


def test_samples_are_kept_in_order_and_per_transaction(transactions):
    add_samples(transactions, 3)
    add_samples(transactions, 1, "T2")
    assert numbers(transactions) == [1, 2, 3]
    assert (transactions.sample_count("T1"), transactions.sample_count("T2")) == (3, 1)


@pytest.mark.req("E06.FR.13", "E07.FR.10", "E08.FR.11", "E09.FR.07", "E10.FR.06", "E12.FR.09", "E15.FR.03", "J02.FR.20")
def test_thinning_drops_every_second_sample_but_never_the_first_or_last(transactions):
    add_samples(transactions, 6)
    add_samples(transactions, 4, "T2")
    transactions.thin_samples("T1")
    assert numbers(transactions) == [1, 3, 5, 6]
    assert numbers(transactions, "T2") == [1, 2, 3, 4]


@pytest.mark.parametrize("count", range(3))
def test_thinning_leaves_two_samples_or_fewer_alone(transactions, count):
    add_samples(transactions, count)
    transactions.thin_samples("T1")
    assert transactions.sample_count("T1") == count


def test_thinning_ends_at_the_first_and_the_last(transactions):
    add_samples(transactions, 50)
    for _ in range(10):
        transactions.thin_samples("T1")
    assert numbers(transactions) == [1, 50]


def test_samples_are_dropped_with_their_last_message(transactions):
    add_samples(transactions, 3)
    add_samples(transactions, 1, "T2")
    transactions.drop_samples("T1")
    assert (numbers(transactions), numbers(transactions, "T2")) == ([], [1])


def test_a_sample_costs_no_fsync(database, transactions):
    add_samples(transactions, 10)
    assert database.fsyncs == 0
