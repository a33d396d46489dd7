"""Parts without pins, for a wired station of which only the wiring matters. Named in `hal.drivers.BUILT_IN` by tests."""

import math

from hal.iec61851 import PilotState
from hal.parts import Part, Role

DRIVERS = {
    "fake-pilot": "support.fake_parts:FakePilot",
    "fake-contactor": "support.fake_parts:FakeContactor",
    "fake-reader": "support.fake_parts:FakeReader",
    "fake-lock": "support.fake_parts:FakeLock",
    "fake-tamper": "support.fake_parts:FakeTamper",
    "fake-bay": "support.fake_parts:FakeBay",
    "fake-lamp": "support.fake_parts:FakeLamp",
}


class FakePilot(Part):
    role = Role.PILOT
    state = PilotState.A
    seen_at = math.inf
    ventilated = False

    def offer(self, current_a):
        pass

    def fail(self, failed):
        pass

    def wrong(self, now):
        return ""


class FakeContactor(Part):
    role = Role.CONTACTOR
    closed = False
    switches_phases = False

    def wrong(self, now):
        return ""

    def unpowered(self, now):
        return ""

    def close(self):
        self.closed = True

    def open(self):
        self.closed = False


class FakeReader(Part):
    role = Role.READER
    problem = ""

    def wrong(self, now):
        return self.problem


class FakeLock(Part):
    role = Role.LOCK
    problem = ""

    def wrong(self, now):
        return self.problem


class FakeTamper(Part):
    role = Role.TAMPER


class FakeBay(Part):
    role = Role.BAY


class FakeLamp(Part):
    role = Role.INDICATOR
    shown = ""

    def indicate(self, state):
        self.shown = state
