import random

import pytest

from ocpp.connectivity.backoff import MAX_WAIT_S, Backoff


def backoff(minimum: float = 10, random_range: float = 0, repeat_times: int = 3) -> Backoff:
    return Backoff(lambda: minimum, lambda: random_range, lambda: repeat_times, random.Random(1))


def test_the_wait_doubles_as_often_as_configured_and_stays_there():
    waits = backoff()
    assert [waits.next() for _ in range(6)] == [10, 20, 40, 80, 80, 80]


def test_a_random_part_within_the_range_is_added_anew_each_time():
    waits = backoff(random_range=5)
    first = [waits.next() - 10 * 2 ** min(n, 3) for n in range(20)]
    assert all(0 <= extra <= 5 for extra in first)
    assert len(set(first)) > 10


def test_a_success_starts_over():
    waits = backoff()
    waits.next()
    waits.next()
    waits.reset()
    assert waits.next() == 10


@pytest.mark.parametrize("repeat_times", [-1, 0])
def test_no_repeats_means_the_minimum_always(repeat_times):
    waits = backoff(repeat_times=repeat_times)
    assert [waits.next() for _ in range(3)] == [10, 10, 10]


def test_a_wrong_configuration_keeps_nobody_offline_for_more_than_a_day():
    waits = backoff(minimum=3600, repeat_times=1000)
    assert max(waits.next() for _ in range(100)) == MAX_WAIT_S
