"""Parts without pins for a wired EVSE with a meter that signs. Named in `hal.drivers.BUILT_IN` by tests."""

import math

from hal.iec61851 import PilotState
from hal.interfaces import Reading
from hal.parts import Part, Role

DRIVERS = {
    "still-pilot": "support.signing_station:StillPilot",
    "still-contactor": "support.signing_station:StillContactor",
    "signing-meter": "support.signing_station:SigningMeter",
}


class StillPilot(Part):
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


class StillContactor(Part):
    role = Role.CONTACTOR
    closed = False
    switches_phases = False

    def close(self):
        self.closed = True

    def open(self):
        self.closed = False

    def wrong(self, now):
        return ""

    def unpowered(self, now):
        return ""


class SigningMeter(Part):
    """Signs when the test says so."""

    role = Role.METER
    signs = True
    read_at = math.inf

    def read(self):
        return Reading(())

    def begin_session(self, done):
        self.sign = done

    def end_energy(self, done):
        self.sign = done

    def end_session(self):
        pass
