"""A sample of the control pilot, from peak voltages to a confirmed state, compiled against plain Python."""

from support.level_oracle import LevelOracle

from hal._native.sampling import LevelDecoder

GROUP = "pilot: a sample from volts to state"


def test_sample_floor(benchmark, role):
    role(GROUP, "floor", "a comparison of two numbers")
    benchmark(lambda: 6.02 >= 4.5)


def test_sample(benchmark, role):
    role(GROUP, "ours", "LevelDecoder.see")
    decoder = LevelDecoder()
    benchmark(lambda: decoder.see(6.02, -11.9, True))


def test_sample_oracle(benchmark, role):
    role(GROUP, "peer", "the test oracle in Python")
    oracle = LevelOracle()
    benchmark(lambda: oracle.see(6.02, -11.9, True))
