"""What `hal._native.metering.Sampler` does, in plain Python and the plainest way."""

import math


class SamplerOracle:
    def __init__(self, measurands, capacity, interval_s=0.0, deadbands=None):
        self.capacity = capacity
        self.interval_s = interval_s
        self.deadbands = deadbands or [0.0] * measurands
        self.offset_s = 0.0
        self.samples: list[tuple[float, list[float]]] = []
        self.told = [math.nan] * measurands
        self.has_moved = [False] * measurands
        self.running: list[list[float]] = []
        self.done: list[list[float]] = []
        self.number: int | None = None
        self.done_number = math.nan
        self.from_begin = self.interval_whole = False

    def align(self, offset_s):
        if abs(offset_s - self.offset_s) > 1.0:
            self.from_begin = False
        self.offset_s = offset_s

    def add(self, values, at):
        values = [value if math.isfinite(value) else math.nan for value in values]
        if self.interval_s:
            number = math.floor((at + self.offset_s) / self.interval_s)
            if number != self.number:
                if self.number is not None:
                    follows = number == self.number + 1
                    self.done, self.done_number, self.running = self.running, self.number, []
                    self.interval_whole, self.from_begin = self.from_begin and follows, follows
                self.number = number
            self.running.append(values)
        self.samples = [*self.samples, (at, values)][-self.capacity :]
        for index, value in enumerate(values):
            told = self.told[index]
            self.has_moved[index] = not math.isnan(value) and not abs(value - told) <= self.deadbands[index]
            if self.has_moved[index]:
                self.told[index] = value
        return sum(self.has_moved)

    def moved(self, index):
        return self.has_moved[index]

    def newest(self, index):
        return self.samples[-1][1][index] if self.samples else math.nan

    def window(self, index, since):
        return _summary([values[index] for at, values in self.samples if at >= since])

    def interval(self, index):
        return _summary([values[index] for values in self.done])

    @property
    def interval_begin(self):
        return self.done_number * self.interval_s


def _summary(values):
    values = [value for value in values if not math.isnan(value)]
    return (len(values), sum(values) / len(values), min(values), max(values)) if values else (0, 0.0, 0.0, 0.0)
