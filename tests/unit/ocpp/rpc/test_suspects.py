"""Messages with which connections die: counted, put off, and forgiven once they are answered."""

import pytest

from ocpp.clock import ManualClock
from ocpp.rpc.suspects import FIRST_WAIT_S, MAX_KNOWN, MAX_WAIT_S, SUSPECT_AFTER, Suspects


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def suspects(clock):
    return Suspects(clock.monotonic)


def die(suspects, key="X", times=1):
    for _ in range(times):
        suspects.died(key, key)
        suspects.ended()


def test_one_connection_may_die_for_any_reason(suspects):
    die(suspects, times=SUSPECT_AFTER - 1)
    assert "X" not in suspects
    die(suspects)
    assert "X" in suspects
    assert "Y" not in suspects


def test_the_wait_doubles_up_to_a_day_and_runs_out(suspects, clock):
    die(suspects, times=SUSPECT_AFTER)
    for doublings in range(20):
        assert suspects.wait("X") == min(FIRST_WAIT_S * 2**doublings, MAX_WAIT_S)
        die(suspects)
    clock.tick(MAX_WAIT_S)
    assert suspects.wait("X") == 0
    assert "X" in suspects


def test_the_log_names_the_message(suspects, caplog):
    die(suspects, times=SUSPECT_AFTER)
    assert "died with X in flight" in caplog.text


def test_an_answer_forgives(suspects):
    die(suspects, times=5)
    suspects.answered("X")
    assert "X" not in suspects
    assert suspects.wait("X") == 0


def test_a_connection_that_dies_of_something_else_ends_the_wait_and_not_the_suspicion(suspects):
    die(suspects, times=SUSPECT_AFTER)
    die(suspects, "Y")
    assert suspects.wait("X") == 0
    assert "X" in suspects
    die(suspects)
    assert suspects.wait("X") == 2 * FIRST_WAIT_S


def test_only_so_many_are_remembered(suspects):
    for number in range(MAX_KNOWN + 5):
        die(suspects, str(number), SUSPECT_AFTER)
    assert sum(str(number) in suspects for number in range(MAX_KNOWN + 5)) == MAX_KNOWN
