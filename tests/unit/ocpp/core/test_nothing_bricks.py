"""Whatever a CSMS can set, the station starts with it and charges a car: every variable, every key, every stored message.

Each hostile value that is accepted is followed by a restart and a visit. `MEANT` names the few that forbid the visit by what
they mean; with those the station starts, and charges once they are set back.
"""

import asyncio
import copy
import json

import pytest
from support.station import CARD, StationUnderTest

from ocpp.device_model.definition import Mutability
from ocpp.versions import OcppVersion

V16, V201 = OcppVersion.V16, OcppVersion.V201

TEXTS = [
    "", " ", "0", "-1", "1", "2", "1.5", "2147483647", "-2147483648", "99999999999999999999", "1e308", "NaN", "inf", "true",
    "false", "x" * 500, "x" * 2500, "é", "\u0000", "a,b,c", ",,,", "../../etc/passwd", "ws://[", "http://csms/#a", "%s%n",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "'; DROP TABLE state; --",
]  # fmt: skip

MEANT = {
    ("AuthCtrlr/DisableRemoteAuthorization", "true"),  # nobody is asked about a card that is not known here
    ("TxCtrlr/TxStartPoint", "DataSigned"),  # the meter of this station does not sign
}

SHARDS = 4
"""Parts of the list of variables, so that one test does not take a minute."""


@pytest.fixture(params=[V16, V201], ids=str)
def version(request):
    return request.param


class Visits:
    """One station in one folder, which loses its power before each visit."""

    def __init__(self, folder, version) -> None:
        self._folder, self._version = folder, version
        self.station: StationUnderTest | None = None

    async def __aenter__(self):
        self.station = await StationUnderTest(self._folder, self._version).start()
        return self

    async def __aexit__(self, *_):
        await self.station.stop()

    async def ask(self, action, payload):
        """The answer's payload; None for a CALLERROR, which must not be one about the station itself."""
        answer = await self.station.csms.call(self.station.clock, action, payload)
        for _ in range(200):
            if answer is not None:
                break
            await asyncio.sleep(0)
            await self.station.clock.advance(0.01)
            answer = self.station.csms.answer_to_last_call
        assert answer is not None, (action, payload)
        assert answer[:1] == [3] or answer[2] != "InternalError", (action, payload, answer)
        return answer[2] if answer[0] == 3 else None

    async def charge(self):
        """Whether a car can be charged after a power cut."""
        await self.station.stop()
        self.station = await StationUnderTest(self._folder, self._version).start()
        station = self.station
        assert "BootNotification" in station.csms.actions
        await station.clock.advance(5)
        await station.charge()
        await station.clock.advance(2)
        started = bool(station.csms.of("StartTransaction") or station.events)
        await station.unplug()
        await station.clock.advance(2)
        return started


def address(entry):
    """The entry as messages name it."""
    found = entry.component
    component = {"name": found.name, "instance": found.instance}
    if found.evse:
        component["evse"] = {"id": found.evse} | ({"connectorId": found.connector} if found.connector else {})
    variable = {"name": entry.variable.name, "instance": entry.variable.instance}
    return {
        "component": {name: value for name, value in component.items() if value},
        "variable": {name: value for name, value in variable.items() if value},
    }


def limits(definition):
    known = [definition.low, definition.high]
    return [
        *definition.values, ",".join(definition.values), *[f"{each:g}" for each in known if each is not None],
    ]  # fmt: skip


async def set_variable(visits, entry, value):
    data = [{"attributeValue": value, **address(entry)}]
    answer = await visits.ask("SetVariables", {"setVariableData": data})
    return answer is not None and answer["setVariableResult"][0]["attributeStatus"] in ("Accepted", "RebootRequired")


@pytest.mark.parametrize("shard", range(SHARDS))
async def test_whatever_a_variable_is_set_to_the_station_starts_and_charges(tmp_path, shard):
    async with Visits(tmp_path, V201) as visits:
        entries = [
            each for each in visits.station.model.entries() if each.definition.mutability is not Mutability.READ_ONLY
        ]
        tried = 0
        for entry in entries[shard::SHARDS]:
            name, before = (
                str(entry),
                entry.value() if entry.definition.mutability is not Mutability.WRITE_ONLY else None,
            )
            for value in [*TEXTS, *limits(entry.definition)]:
                entry = visits.station.model.entry(name)
                if await set_variable(visits, entry, value):
                    tried += 1
                    assert await visits.charge() or (name, value) in MEANT, (name, value)
            if before is not None:
                await set_variable(visits, visits.station.model.entry(name), before)
            else:
                visits.station.model.reset(visits.station.model.entry(name))
        assert await visits.charge()
    assert tried > 50


async def test_whatever_a_key_is_set_to_the_station_starts_and_charges(tmp_path):
    async with Visits(tmp_path, V16) as visits:
        tried = 0
        for name, before in [(each.name, each.value) for each in visits.station.keys]:
            for value in TEXTS:
                answer = await visits.ask("ChangeConfiguration", {"key": name, "value": value})
                if answer is not None and answer["status"] in ("Accepted", "RebootRequired"):
                    tried += 1
                    assert await visits.charge(), (name, value)
            if before is not None:
                await visits.ask("ChangeConfiguration", {"key": name, "value": before})
        assert await visits.charge()
    assert tried > 50


# -- stored messages --------------------------------------------------------------------------------------------------

STRINGS = [
    "",
    "x" * 50,
    "x" * 2500,
    "é\u0000",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "1970-01-01T00:00:00+14:00",
]
NUMBERS = [0, -1, 1, 3, 0.1, 1e308, 1e-308, 2**31 - 1, -(2**31), 2**63]
OTHERS = [True, [], {}, [None]]

PERIODS = [{"startPeriod": 0, "limit": 16.0, "numberPhases": 3}, {"startPeriod": 600, "limit": 10.0}]
DAILY = {"duration": 86400, "startSchedule": "2026-01-01T00:00:00Z", "chargingRateUnit": "A"}
TOKEN = {"idToken": CARD, "type": "ISO14443"}

MESSAGES = {
    V16: {
        "a default profile": ("SetChargingProfile", {
            "connectorId": 0,
            "csChargingProfiles": {
                "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Recurring", "recurrencyKind": "Daily",
                "validFrom": "2025-01-01T00:00:00Z", "validTo": "2030-01-01T00:00:00Z",
                "chargingSchedule": {**DAILY, "minChargingRate": 1.0, "chargingSchedulePeriod": PERIODS},
            },
        }),
        "a limit of the station": ("SetChargingProfile", {
            "connectorId": 0,
            "csChargingProfiles": {
                "chargingProfileId": 2, "stackLevel": 1, "chargingProfilePurpose": "ChargePointMaxProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": {**DAILY, "chargingSchedulePeriod": PERIODS},
            },
        }),
        "a list": ("SendLocalList", {
            "listVersion": 1, "updateType": "Full",
            "localAuthorizationList": [
                {"idTag": CARD, "idTagInfo": {"status": "Accepted", "expiryDate": "2030-01-01T00:00:00Z", "parentIdTag": "P"}}
            ],
        }),
        "a reservation": ("ReserveNow", {
            "connectorId": 1, "expiryDate": "2026-01-01T01:00:00Z", "idTag": CARD, "parentIdTag": "P", "reservationId": 1
        }),
        "an availability": ("ChangeAvailability", {"connectorId": 1, "type": "Operative"}),
    },
    V201: {
        "a default profile": ("SetChargingProfile", {
            "evseId": 0,
            "chargingProfile": {
                "id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Recurring",
                "recurrencyKind": "Daily", "validFrom": "2025-01-01T00:00:00Z", "validTo": "2030-01-01T00:00:00Z",
                "chargingSchedule": [{"id": 1, **DAILY, "minChargingRate": 1.0, "chargingSchedulePeriod": PERIODS}],
            },
        }),
        "a limit of the station": ("SetChargingProfile", {
            "evseId": 0,
            "chargingProfile": {
                "id": 2, "stackLevel": 1, "chargingProfilePurpose": "ChargingStationMaxProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": [{"id": 1, **DAILY, "chargingSchedulePeriod": PERIODS}],
            },
        }),
        "a list": ("SendLocalList", {
            "versionNumber": 1, "updateType": "Full",
            "localAuthorizationList": [
                {"idToken": TOKEN, "idTokenInfo": {"status": "Accepted", "cacheExpiryDateTime": "2030-01-01T00:00:00Z",
                                                   "groupIdToken": {"idToken": "G", "type": "Central"}}}
            ],
        }),
        "a monitor": ("SetVariableMonitoring", {
            "setMonitoringData": [{
                "value": 10.0, "type": "UpperThreshold", "severity": 5, "transaction": False,
                "component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"},
            }]
        }),
        "a display message": ("SetDisplayMessage", {
            "message": {
                "id": 1, "priority": "NormalCycle", "state": "Idle", "startDateTime": "2026-01-01T00:00:00Z",
                "endDateTime": "2030-01-01T00:00:00Z",
                "message": {"format": "UTF8", "language": "en", "content": "hello"},
            }
        }),
        "a network profile": ("SetNetworkProfile", {
            "configurationSlot": 2,
            "connectionData": {
                "ocppVersion": "OCPP20", "ocppTransport": "JSON", "ocppCsmsUrl": "ws://csms.example/ocpp",
                "messageTimeout": 30, "securityProfile": 1, "ocppInterface": "Wired0",
            },
        }),
        "a reservation": ("ReserveNow", {
            "id": 1, "expiryDateTime": "2026-01-01T01:00:00Z", "evseId": 1, "idToken": TOKEN,
            "groupIdToken": {"idToken": "G", "type": "Central"},
        }),
        "an availability": ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 1}}),
    },
}  # fmt: skip


def leaves(value, way=()):
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*way, key))
    else:
        yield way, value


def with_value(payload, way, value):
    changed = copy.deepcopy(payload)
    place = changed
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    return changed


def without(payload, way):
    changed = copy.deepcopy(payload)
    place = changed
    for key in way[:-1]:
        place = place[key]
    del place[way[-1]]
    return changed


def hostile(payload):
    """The message as it is, then with one value after the other replaced, or left out."""
    yield payload
    for way, value in leaves(payload):
        for other in [*(STRINGS if isinstance(value, str) else NUMBERS), *OTHERS]:
            yield with_value(payload, way, other)
        yield without(payload, way)


def taken(answer):
    if answer is None:
        return False
    results = answer.get("setMonitoringResult", [answer])
    return any(each.get("status") in ("Accepted", "Scheduled") for each in results)


WAYS_OUT = {
    V16: [("CancelReservation", {"reservationId": 1}), ("ChangeAvailability", {"connectorId": 0, "type": "Operative"}),
          ("ClearChargingProfile", {}), ("SendLocalList", {"listVersion": 9, "updateType": "Full"})],
    V201: [("CancelReservation", {"reservationId": 1}), ("ChangeAvailability", {"operationalStatus": "Operative"}),
           ("ClearChargingProfile", {"chargingProfileCriteria": {"stackLevel": 0}}),
           ("SendLocalList", {"versionNumber": 9, "updateType": "Full"})],
}  # fmt: skip

FORBIDS = ("a list", "a reservation")
"""Messages that may say who charges: with these it is enough that the station starts, and charges once they are taken back."""


@pytest.mark.parametrize("kind", sorted({*MESSAGES[V16], *MESSAGES[V201]}))
async def test_whatever_a_stored_message_says_the_station_starts_and_charges(tmp_path, version, kind):
    if kind not in MESSAGES[version]:
        return  # 1.6 has no such message
    action, payload = MESSAGES[version][kind]
    async with Visits(tmp_path, version) as visits:
        tried = 0
        for message in hostile(payload):
            if not taken(await visits.ask(action, message)):
                continue
            tried += 1
            charged = await visits.charge()
            assert charged or kind in FORBIDS, json.dumps(message)
        for way_out in WAYS_OUT[version]:
            await visits.ask(*way_out)
        assert await visits.charge()
    assert tried > 0
