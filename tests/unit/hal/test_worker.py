"""Threads of slow buses, with real threads: what is waited for is an event, never a time."""

import logging
import threading

import pytest

from hal.worker import MAX_JOBS, BusThread

PATIENCE_S = 10.0


@pytest.fixture
def worker():
    made = BusThread("/dev/i2c-1")
    yield made
    made.stop()


def test_periodic_jobs_run_again_and_again(worker):
    often = threading.Semaphore(0)
    worker.every(0.001, often.release)
    worker.start()
    assert all(often.acquire(timeout=PATIENCE_S) for _ in range(5))


def test_one_shot_jobs_run_once_in_their_order_and_off_the_callers_thread(worker):
    seen: list[tuple[int, str]] = []
    done = threading.Event()
    worker.start()
    for number in range(3):
        worker.soon(lambda number=number: seen.append((number, threading.current_thread().name)))
    worker.soon(done.set)
    assert done.wait(PATIENCE_S)
    assert [number for number, _ in seen] == [0, 1, 2]
    assert {name for _, name in seen} == {"bus /dev/i2c-1"}


def test_a_job_that_fails_stops_no_other_and_is_logged_once_until_it_works(worker, caplog):
    fails = [True]
    tried = threading.Semaphore(0)
    others = threading.Semaphore(0)

    def job() -> None:
        tried.release()
        if fails:
            raise OSError("NACK")

    worker.every(0.001, job)
    worker.every(0.001, others.release)
    with caplog.at_level(logging.ERROR):
        worker.start()
        assert all(tried.acquire(timeout=PATIENCE_S) for _ in range(5))
        assert all(others.acquire(timeout=PATIENCE_S) for _ in range(5))
        assert [record.getMessage() for record in caplog.records] == ["/dev/i2c-1: NACK"]
        fails.clear()
        assert all(tried.acquire(timeout=PATIENCE_S) for _ in range(3))
        fails.append(True)
        assert all(tried.acquire(timeout=PATIENCE_S) for _ in range(3))
    assert len(caplog.records) == 2


def test_so_many_wishes_and_no_more_wait_for_a_bus_that_hangs(worker):
    ran: list[int] = []
    for number in range(MAX_JOBS + 10):
        worker.soon(lambda number=number: ran.append(number))
    done = threading.Event()
    worker.every(0.001, lambda: done.set() if ran else None)
    worker.start()
    assert done.wait(PATIENCE_S)
    assert len(ran) == MAX_JOBS
    assert ran[-1] == MAX_JOBS + 9, "the newest counts"


def test_a_worker_that_never_started_stops():
    BusThread("x").stop()
