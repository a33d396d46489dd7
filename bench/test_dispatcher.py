"""A request in, handled, its response out: through session, dispatcher and block, without socket and disk.

The marks are what MicroOcpp's C++ took for the same number of variables or keys on the machine of the marks; they are
scaled by the calibration loop.
"""

import asyncio
import copy
import itertools
import json
import time
from collections import deque
from pathlib import Path

import msgspec
import pytest
from frames import CALLS
from stations import CallLoop, folder, station

from ocpp.messages import catalogue, v2
from ocpp.storage.charging_profiles import ChargingProfileRepository
from ocpp.storage.database import Database
from ocpp.versions import OcppVersion

CALLS_A_ROUND = 40
ROUNDS = 300

STORED_BYTES = 1100
"""What the profile of the case has as stored JSON."""

VARIABLES = [
    ("OCPPCommCtrlr", "HeartbeatInterval"),
    ("OCPPCommCtrlr", "WebSocketPingInterval"),
    ("OCPPCommCtrlr", "OfflineThreshold"),
    ("SampledDataCtrlr", "TxUpdatedInterval"),
    ("SampledDataCtrlr", "TxEndedInterval"),
    ("AlignedDataCtrlr", "Interval"),
    ("AuthCtrlr", "Enabled"),
    ("TxCtrlr", "EVConnectionTimeOut"),
    ("TxCtrlr", "StopTxOnEVSideDisconnect"),
    ("LocalAuthListCtrlr", "Enabled"),
]


def _variables(count):
    return {
        "getVariableData": [
            {"component": {"name": component}, "variable": {"name": variable}}
            for component, variable in VARIABLES[:count]
        ]
    }


CASES = {
    "GetVariables 1": (OcppVersion.V201, "GetVariables", _variables(1)),
    "GetVariables 10": (OcppVersion.V201, "GetVariables", _variables(10)),
    "1.6 GetConfiguration all": (OcppVersion.V16, "GetConfiguration", {}),
    "SetChargingProfile 24": CALLS["SetChargingProfile 24"],
}


def _frames(action, payload):
    return [json.dumps([2, f"id-{n}", action, _changed(payload, n)]).encode() for n in range(CALLS_A_ROUND)]


def _changed(payload, number):
    """A profile that is another one every time: for one that is there already, SQLite writes no page."""
    payload = copy.deepcopy(payload)
    for schedule in payload.get("chargingProfile", {}).get("chargingSchedule", ()):
        schedule["chargingSchedulePeriod"][0]["limit"] += number % 10
    return payload


class _KeepsNothing(ChargingProfileRepository):
    """In the place of the disk."""

    def put(self, profile_id, profile, in_place_of=()):
        pass


async def _seconds(version, action, payload, *, one_by_one=False, keeps=True):
    """Seconds per call of each round, and how many keys the answer had. Not `keeps`: nothing is written to disk."""
    with folder() as place:
        made = await station(Path(place), version).start()
        if not keeps:
            made.charge_point.strategy.charging.smart._profiles._repository = _KeepsNothing(made.database)
        calls = CallLoop(made)
        run = calls.run_one_by_one if one_by_one else calls.run
        frames = _frames(action, payload)
        await run(frames)
        answer = json.loads(calls.answer)
        assert answer[0] == 3, answer
        refused = [each for each in answer[2].get("getVariableResult", ()) if each["attributeStatus"] != "Accepted"]
        assert not refused, refused
        found = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            await run(frames)
            found.append((time.perf_counter() - start) / CALLS_A_ROUND)
        await made.stop()
    return found, len(answer[2].get("configurationKey", ()))


@pytest.mark.parametrize("name", list(CASES))
def test_round_trip(benchmark, role, measured, name):
    role(f"dispatcher: {name}", "ours", "pilotwire, session, block, frame")
    seconds, keys = asyncio.run(_seconds(*CASES[name]))
    measured(*seconds, **({"keys": keys} if keys else {}))


def test_round_trip_without_disk(benchmark, role, measured):
    """As the mark has it."""
    name = "SetChargingProfile 24"
    role(f"dispatcher: {name}", "ours", "pilotwire, session, block, frame, no disk")
    measured(*asyncio.run(_seconds(*CASES[name], keeps=False))[0])


@pytest.mark.parametrize("name", list(CASES))
def test_round_trip_with_the_loop(benchmark, role, measured, name):
    role(f"dispatcher: {name}", "ours", "pilotwire, and two turns of the loop")
    measured(*asyncio.run(_seconds(*CASES[name], one_by_one=True))[0])


@pytest.mark.parametrize("name", ["GetVariables 1", "GetVariables 10"])
def test_the_least(benchmark, role, measured, name):
    """The frame decoded into typed objects, a dict look-up and a result object each, the answer encoded, in the two coroutines
    that receive and send, and nothing else: neither action nor id is looked at.
    """
    role(f"dispatcher: {name}", "ours", "of it msgspec, a dict and two coroutines")
    version, action, payload = CASES[name]
    codec, frames = catalogue(version), _frames(action, payload)
    decode = msgspec.json.Decoder(tuple[int, str, str, codec.request_type(action)]).decode
    encode = msgspec.json.Encoder().encode
    table = {(component, None, variable, None): "60" for component, variable in VARIABLES}
    sent, inbox = [], deque()
    accepted = v2.GetVariableStatusEnum("Accepted")

    async def receive():
        return inbox.popleft()

    async def send(frame):
        sent[:] = [frame]

    async def serve():
        while inbox:
            _, message_id, _, request = decode(await receive())
            results = [
                v2.GetVariableResult(
                    attribute_status=accepted,
                    attribute_value=table[wish.component.name, None, wish.variable.name, None],
                    component=wish.component,
                    variable=wish.variable,
                )
                for wish in request.get_variable_data
            ]
            await send(encode((3, message_id, v2.GetVariablesResponse(get_variable_result=results))))

    async def seconds():
        found = []
        for _ in range(ROUNDS):
            inbox.extend(frames)
            start = time.perf_counter()
            await serve()
            found.append((time.perf_counter() - start) / CALLS_A_ROUND)
        return found

    measured(*asyncio.run(seconds()))
    assert len(json.loads(sent[0])[2]["getVariableResult"]) == len(payload["getVariableData"])


def test_the_database_alone(benchmark, role, measured):
    """What SQLite takes to have a profile on disk, or in memory-backed files: the other stacks' case writes none."""
    role("dispatcher: SetChargingProfile 24", "ours", "of it the SQLite transaction")
    contents = itertools.cycle([msgspec.Raw(b"x" * STORED_BYTES), msgspec.Raw(b"y" * STORED_BYTES)])
    with folder() as place:
        database = Database.open(Path(place) / "station.db")
        profiles, found = ChargingProfileRepository(database), []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            for _ in range(CALLS_A_ROUND):
                profiles.put(1, next(contents))
            found.append((time.perf_counter() - start) / CALLS_A_ROUND)
        database.close()
    measured(*found)


@pytest.mark.parametrize("name", list(CASES))
def test_round_trip_floor(benchmark, role, measured, name):
    """What the loop, the queue and the JSON of request alone cost."""
    role(f"dispatcher: {name}", "floor", "asyncio queue and json alone")
    _, action, payload = CASES[name]

    async def seconds():
        found, frames, inbox = [], _frames(action, payload), asyncio.Queue()
        answered = asyncio.Event()

        async def serve():
            while True:
                json.loads(await inbox.get())
                answered.set()

        server = asyncio.ensure_future(serve())
        for _ in range(ROUNDS):
            start = time.perf_counter()
            for frame in frames:
                answered.clear()
                inbox.put_nowait(frame)
                await answered.wait()
            found.append((time.perf_counter() - start) / CALLS_A_ROUND)
        server.cancel()
        return found

    measured(*asyncio.run(seconds()))
