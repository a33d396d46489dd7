"""A sample of twenty measurands: into rings, interval statistics and deadbands, compiled against plain Python."""

import tracemalloc
from collections import deque

from support.sampler_oracle import SamplerOracle

from hal._native.metering import Sampler

GROUP = "metering: a sample of 20 measurands"
VALUES = [230.0 + index for index in range(20)]
CAPACITY = 300


class Rings:
    """The least that plain Python can do: a deque and running numbers for each measurand."""

    def __init__(self) -> None:
        self.rings = [deque(maxlen=CAPACITY) for _ in VALUES]
        self.total = [0.0] * len(VALUES)
        self.low = [0.0] * len(VALUES)
        self.high = [0.0] * len(VALUES)

    def add(self, values, at):
        for index, value in enumerate(values):
            self.rings[index].append((at, value))
            self.total[index] += value
            if value < self.low[index]:
                self.low[index] = value
            if value > self.high[index]:
                self.high[index] = value


def ticking(sampler):
    """Adds samples a second apart."""
    now = 0.0

    def add():
        nonlocal now
        now += 1.0
        sampler.add(VALUES, now)

    return add


def test_sample_floor(benchmark, role):
    role(GROUP, "floor", "a list copied and kept in a deque")
    kept = deque(maxlen=CAPACITY)

    def add():
        kept.append(VALUES.copy())

    benchmark(add)


def test_sample(benchmark, role):
    role(GROUP, "ours", "Sampler.add, intervals of 15 min")
    sampler = Sampler(20, CAPACITY, 900.0)
    benchmark(ticking(sampler))
    benchmark.extra_info["metrics"]["allocated bytes"] = allocated(sampler, [1e9 + each for each in range(2000)])


def allocated(sampler, times):
    """The most memory that was in use at any time of some samples, beyond what was before them."""
    add, values = sampler.add, VALUES
    tracemalloc.start()
    try:
        for chunk in (iter(times[:1000]), iter(times[1000:])):  # the first makes what tracing itself keeps
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            for at in chunk:
                add(values, at)
            peak = tracemalloc.get_traced_memory()[1]
        return peak - before
    finally:
        tracemalloc.stop()


def test_sample_plain_python(benchmark, role):
    role(GROUP, "peer", "deques, sum, min and max in Python")
    benchmark(ticking(Rings()))


def test_sample_oracle(benchmark, role):
    role(GROUP, "peer", "the test oracle in Python")
    benchmark.pedantic(ticking(SamplerOracle(20, CAPACITY, 900.0)), rounds=200)


def test_window(benchmark, role):
    role("metering: average of the newest 60 of 300", "ours", "Sampler.window")
    sampler = Sampler(20, CAPACITY)
    add = ticking(sampler)
    for _ in range(CAPACITY):
        add()
    benchmark(sampler.window, 3, CAPACITY - 59.0)


def test_window_floor(benchmark, role):
    role("metering: average of the newest 60 of 300", "floor", "sum of a list of 60")
    values = VALUES * 3
    benchmark(lambda: (sum(values) / len(values), min(values), max(values)))
