"""Parts without pins for a wired EVSE with a meter that signs. Named in `hal.drivers.BUILT_IN` by tests."""

import math

from hal.interfaces import Reading
from hal.parts import Part, Role

DRIVERS = {
    "still-pilot": "support.fake_parts:FakePilot",
    "still-contactor": "support.fake_parts:FakeContactor",
    "signing-meter": "support.signing_station:SigningMeter",
}


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
