import pytest

from hal.self_test import Phase, SelfTest


@pytest.fixture
def test():
    return SelfTest(0.0, response_s=0.5, recovery_s=2.0)


def test_a_monitor_that_trips_and_lets_go_is_good(test):
    assert test.drives
    test.step(0.1, tripped=False)
    assert test.drives
    test.step(0.2, tripped=True)
    assert not test.drives
    test.step(0.3, tripped=True)
    assert not test.done
    test.step(0.4, tripped=False)
    assert (test.phase, test.drives) == (Phase.GOOD, False)


def test_one_that_does_not_trip_fails(test):
    test.step(0.5, tripped=False)
    assert not test.done
    test.step(0.51, tripped=False)
    assert (test.phase, test.reason, test.drives) == (Phase.FAILED, "it did not trip", False)


def test_one_that_does_not_let_go_fails(test):
    test.step(0.4, tripped=True)
    test.step(2.4, tripped=True)
    assert not test.done
    test.step(2.41, tripped=True)
    assert (test.phase, test.reason) == (Phase.FAILED, "it did not let go")


def test_what_has_ended_stays_as_it_is(test):
    test.fail("a pin fails")
    test.step(0.1, tripped=True)
    test.step(0.2, tripped=False)
    assert (test.phase, test.reason) == (Phase.FAILED, "a pin fails")
