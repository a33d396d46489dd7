"""Whole frames to typed messages: what the compiled way finds is what the exact look in Python finds."""

import json
import random
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.framing_oracle import read as read_envelope
from support.schemas import Instances, schema_of

from ocpp._native import codec, framing
from ocpp.errors import PayloadError
from ocpp.messages import catalogue, v2
from ocpp.versions import OcppVersion

PIECES = ["null", "1.0", "true", '"\\u0031"', "{}", "[]", '"2026-01-01 00:00:00Z"', '"2026-01-01T00:00:00+0100"', "-1"]
PLACE = re.compile(r'(?<=:) ?("[^"]*"|[0-9.]+|true|false)')
LOOSE = re.compile(r'-\d\d \d|[+-]\d{4}"|\\u')


def exact(version: OcppVersion, action: str, payload: dict):
    """By the examiner in Python alone."""
    messages = catalogue(version)
    try:
        return messages._exactly(f"{action}Request", messages.request_type(action), json.dumps(payload).encode())
    except PayloadError as defect:
        return defect.code, defect.description


def compiled(version: OcppVersion, frame: bytes):
    found = codec.read(frame, catalogue(version).requests, None, None)
    if found.defect is not None:
        return found.defect.code, found.defect.description
    return found.message


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_frame_is_read_as_the_exact_look_reads_it(version, data):
    action = data.draw(st.sampled_from(sorted(catalogue(version).actions)))
    schema = schema_of(version, f"{action}Request")
    payload = Instances(schema, random.Random(data.draw(st.integers(0, 2**16)))).of(schema)
    text = json.dumps([2, "id", action, payload], separators=(",", data.draw(st.sampled_from([":", ": "]))))
    places = list(PLACE.finditer(text))
    if places and data.draw(st.booleans()):
        place = data.draw(st.sampled_from(places))
        text = f"{text[: place.start(1)]}{data.draw(st.sampled_from(PIECES))}{text[place.end(1) :]}"
    envelope = read_envelope(text.encode())
    assume(envelope is not None)  # a place within a text, and the frame is no JSON any more
    assert compiled(version, text.encode()) == exact(version, action, envelope.payload)


@settings(max_examples=500)
@given(st.lists(st.sampled_from([*'-+ 01"T:,x', "-01 1", '+0100"', "\\u0020", "x" * 61, "12:00"]), max_size=60))
def test_loose_times_are_found_wherever_they_stand(pieces):
    text = "".join(pieces)
    assert framing.has_loose_time(text.encode()) is bool(LOOSE.search(text))


@pytest.mark.parametrize("action", ['"Unheard"', '"\\u0052eset"', '""', '"' + "x" * 64 + '"', '"Réservé"'])
def test_an_action_is_known_by_its_text(action):
    frame = f'[2,"1",{action},{{"type":"Immediate"}}]'.encode()
    found = codec.read(frame, catalogue(OcppVersion.V21).requests, None, None)
    assert found.action == json.loads(action)
    assert (found.message is not None) is (found.action == "Reset")
    assert found.defect is None


def test_more_actions_than_there_is_room_for_are_still_found():
    made = []

    def missing(action):
        made.append(action)
        return codec.Codec(action, dict, lambda _: action, False, None, None)

    requests = codec.Requests(missing, PayloadError)
    for _ in range(2):
        for number in range(codec.MAX_REQUESTS + 20):
            frame = b'[2,"1","Action%d",{}]' % number
            assert codec.read(frame, requests, None, None).message == f"Action{number}"
    assert len(made) == codec.MAX_REQUESTS + 40


def test_a_result_is_read_only_for_the_call_in_flight():
    messages = catalogue(OcppVersion.V201)
    heartbeat = messages.response_codec("Heartbeat")
    frame = b'[3,"7",{"currentTime":"2026-01-01T00:00:00Z"}]'
    assert codec.read(frame, messages.requests, "7", heartbeat).message.current_time.year == 2026
    assert codec.read(frame, messages.requests, "8", heartbeat).message is None
    assert codec.read(frame, messages.requests, None, heartbeat).message is None


def test_a_frame_is_the_buffer_of_its_payload():
    frame = framing.scan(b'[2,"1","Reset", {"type":"Immediate"} ]')
    assert bytes(frame) == bytes(frame.payload) == b'{"type":"Immediate"}'


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_message_of_21_that_201_knows_is_written_as_it_was(data):
    action = data.draw(st.sampled_from(sorted(catalogue(OcppVersion.V201).actions)))
    schema = schema_of(OcppVersion.V201, f"{action}Request")
    payload = Instances(schema, random.Random(data.draw(st.integers(0, 2**16)))).of(schema)
    raw = json.dumps(payload).encode()
    try:
        newer = catalogue(OcppVersion.V21).decode_request(action, raw)
    except PayloadError:
        return  # 2.1 sets other limits
    older = catalogue(OcppVersion.V201)
    assert older.decode_request(action, older.encode(newer)) == older.decode_request(action, raw)


def test_the_writer_leaves_out_what_the_version_does_not_know():
    request = v2.HeartbeatRequest()
    for version in (OcppVersion.V201, OcppVersion.V21):
        writer = catalogue(version).writer
        assert writer.call("1", "Heartbeat", request) == b'[2,"1","Heartbeat",{}]'
        assert writer.send("1", "Heartbeat", request) == b'[6,"1","Heartbeat",{}]'
    period = v2.ChargingSchedulePeriod(start_period=0, limit=6.0, limit_l2=5.0)
    schedule = v2.ChargingSchedule(
        id=1, charging_rate_unit=v2.ChargingRateUnitEnum("A"), charging_schedule_period=[period]
    )
    told = v2.NotifyEVChargingScheduleRequest(
        time_base=catalogue(OcppVersion.V21).decode_response("Heartbeat", b'{"currentTime":"2026-01-01T00:00:00Z"}').current_time,
        evse_id=1, charging_schedule=schedule,
    )  # fmt: skip
    written = [
        json.loads(catalogue(version).writer.call("1", "x", told))[3] for version in (OcppVersion.V201, OcppVersion.V21)
    ]
    periods = [each["chargingSchedule"]["chargingSchedulePeriod"][0] for each in written]
    assert periods == [{"startPeriod": 0, "limit": 6.0}, {"startPeriod": 0, "limit": 6.0, "limit_L2": 5.0}]
