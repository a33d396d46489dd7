"""The message repository against a plain list, over any sequence of calls, roll-backs and restarts."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from ocpp.storage.database import Database
from ocpp.storage.messages import MessageRepository, StoredMessage

TRANSACTIONS = st.sampled_from(["T1", "T2", None])
RUNS = st.sampled_from(["run-1", "run-2"])
MAJORS = st.sampled_from([1, 2])


@dataclass
class GivenUp(Exception):
    """The caller of a transaction fails after its writes."""


class MessageQueue(RuleBasedStateMachine):
    @initialize()
    def open(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "station.db"
        self.model: list[StoredMessage] = []
        self.greatest = 0
        self.reopen_database()

    def reopen_database(self):
        self.database = Database.open(self.path)
        self.messages = MessageRepository(self.database)

    def teardown(self):
        self.database.close()
        self.directory.cleanup()

    def put(self, major, transaction, droppable, run, clock_unset, payload):
        order = self.messages.add(
            major=major,
            action="A",
            payload=payload,
            transaction=transaction,
            droppable=droppable,
            created_unix=1.5,
            run=run,
            clock_unset=clock_unset,
        )
        assert order > self.greatest
        return StoredMessage(
            order, major, "A", payload, transaction, droppable, 0, 1.5, run, clock_unset, 0.0, offline=False
        )

    @rule(
        major=MAJORS,
        transaction=TRANSACTIONS,
        droppable=st.booleans(),
        run=RUNS,
        clock_unset=st.booleans(),
        payload=st.binary(max_size=8),
    )
    def add(self, **fields):
        message = self.put(**fields)
        self.greatest = message.order
        self.model.append(message)

    @rule(transaction=TRANSACTIONS)
    def add_and_fail(self, transaction):
        try:
            with self.database.transaction():
                self.put(2, transaction, False, "run-1", False, b"")
                raise GivenUp
        except GivenUp:
            pass

    @rule(choice=st.lists(st.integers(0, 12), max_size=3))
    def remove(self, choice):
        gone = {self.model[index].order for index in choice if index < len(self.model)}
        self.messages.remove(gone)
        self.model = [message for message in self.model if message.order not in gone]

    @rule(index=st.integers(0, 12))
    def record_attempt(self, index):
        if index < len(self.model):
            message = self.model[index]
            assert self.messages.record_attempt(message.order) == message.attempts + 1
            self.model[index] = replace(message, attempts=message.attempts + 1)

    @rule()
    def mark_offline(self):
        self.messages.mark_offline()
        self.model = [replace(message, offline=True) for message in self.model]

    @rule(run=RUNS, seconds=st.sampled_from([-5.0, 0.25, 1e9]))
    def correct_times(self, run, seconds):
        hit = [message.run == run and message.clock_unset for message in self.model]
        assert self.messages.correct_times(run, seconds) == sum(hit)
        self.model = [
            replace(message, clock_unset=False, correction_s=message.correction_s + seconds) if wrong else message
            for message, wrong in zip(self.model, hit, strict=True)
        ]

    @rule(major=MAJORS)
    def drop_for_major(self, major):
        assert self.messages.drop_for_major(major) == sum(message.major == major for message in self.model)
        self.model = [message for message in self.model if message.major != major]

    @rule()
    def thin_out(self):
        seen: dict[str | None, int] = {}
        kept = []
        for message in self.model:
            if message.droppable:
                seen[message.transaction] = seen.get(message.transaction, 0) + 1
                if seen[message.transaction] % 2 == 1:
                    continue
            kept.append(message)
        assert self.messages.thin_out() == len(self.model) - len(kept)
        self.model = kept

    @rule()
    def restart(self):
        self.database.close()
        self.reopen_database()

    @invariant()
    def everything_is_as_the_list_says(self):
        if not hasattr(self, "messages"):
            return
        assert self.messages.first(1000) == self.model
        assert self.messages.first(2) == self.model[:2]
        assert self.messages.count() == len(self.model)
        assert self.messages.last_order() == (self.model[-1].order if self.model else 0)
        for transaction in ("T1", "T2"):
            assert self.messages.has_transaction(transaction) == any(
                message.transaction == transaction for message in self.model
            )


TestMessageQueue = MessageQueue.TestCase
TestMessageQueue.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
