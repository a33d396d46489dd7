"""The compiled scanner against its plain oracle, on frames of every sort."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.framing_oracle import read, scanned

from ocpp._native import framing

SPACE = st.text(" \t\r\n", max_size=3)
TEXT = st.text(max_size=45)
PAYLOAD = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@st.composite
def envelopes(draw) -> bytes:
    """Mostly good frames, with odd spacing, escapes, lengths and element counts."""
    kind = draw(st.sampled_from([2, 3, 4, 5, 6, 2, 3, 1, 7, 0, 99]))
    count = {2: 2, 3: 1, 4: 3, 5: 3, 6: 2}.get(kind, 2) + draw(st.sampled_from([0, 0, 0, 0, 1, -1]))
    texts = [draw(TEXT) for _ in range(max(0, count))]
    parts = [str(kind)]
    parts += [json.dumps(text, ensure_ascii=draw(st.booleans())) for text in texts]
    parts.append(json.dumps(draw(PAYLOAD), ensure_ascii=draw(st.booleans())))
    spaced = ",".join(draw(SPACE) + part + draw(SPACE) for part in parts)
    return (draw(SPACE) + "[" + spaced + "]" + draw(SPACE)).encode("utf-8", "surrogatepass")


@settings(max_examples=1500, deadline=None)
@given(envelopes())
def test_every_envelope_is_read_as_by_the_oracle(frame):
    assert scanned(frame) == read(frame)


@settings(max_examples=1500, deadline=None)
@given(envelopes(), st.data())
@example(b'[2,"1","A",{}]', None)
def test_a_damaged_envelope_is_refused_or_read_as_by_the_oracle(frame, data):
    if data is None:
        return
    content = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1)) if content else 0
        change = data.draw(st.sampled_from(["cut", "byte", "insert"]))
        if change == "cut":
            del content[at : at + data.draw(st.integers(1, 5))]
        elif content and change == "byte":
            content[at] = data.draw(st.integers(0, 255))
        else:
            content[at:at] = data.draw(st.binary(min_size=1, max_size=3))
    assert scanned(bytes(content)) == read(bytes(content))


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_never_do_harm(data):
    assert scanned(data) == read(data)


WHOLE = b'[2,"19223201","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"x","vendorName":"y"}}]'


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_a_frame_cut_off_anywhere_is_a_defect(length):
    with pytest.raises(framing.FrameDefect):
        framing.scan(WHOLE[:length])


@pytest.mark.parametrize(
    ("frame", "code", "message_id", "message_type"),
    [
        (b"", "RpcFrameworkError", "-1", 0),
        (b"{}", "RpcFrameworkError", "-1", 0),
        (b"[]", "RpcFrameworkError", "-1", 0),
        (b'["2","1","Reset",{}]', "RpcFrameworkError", "-1", 0),
        (b'[-2,"1","Reset",{}]', "RpcFrameworkError", "-1", 0),
        (b'[02,"1","Reset",{}]', "RpcFrameworkError", "-1", 0),
        (b'[2.0,"1","Reset",{}]', "RpcFrameworkError", "-1", 0),
        (b'[2,1,"Reset",{}]', "RpcFrameworkError", "-1", 2),
        (b'[2,"' + b"x" * 37 + b'","Reset",{}]', "RpcFrameworkError", "-1", 2),
        (b'[2,"1"]', "RpcFrameworkError", "1", 2),
        (b'[2,"1","Reset"]', "RpcFrameworkError", "1", 2),
        (b'[2,"1",5,{}]', "RpcFrameworkError", "1", 2),
        (b'[2,"1","Reset",{}', "FormatViolation", "1", 2),
        (b'[2,"1","Reset",[]]', "FormatViolation", "1", 2),
        (b'[2,"1","Reset",null]', "FormatViolation", "1", 2),
        (b'[9,"1","Reset",{}]', "MessageTypeNotSupported", "1", 9),
        (b'[999999999999,"1","Reset",{}]', "RpcFrameworkError", "-1", 0),
        (b'[4,"1",5,"",{}]', "RpcFrameworkError", "1", 4),
        (b'[2,"\xff","Reset",{}]', "RpcFrameworkError", "-1", 2),
    ],
)
def test_a_defect_says_what_and_whose(frame, code, message_id, message_type):
    with pytest.raises(framing.FrameDefect) as caught:
        framing.scan(frame)
    defect = caught.value
    assert (defect.code, defect.message_id, defect.message_type) == (code, message_id, message_type)


def test_an_action_of_escaped_surrogate_pairs_is_read_up_to_its_limit():
    longest = "\U0001f600" * framing.MAX_ACTION
    frame = json.dumps([2, "1", longest, {}]).encode()
    assert framing.scan(frame).action == longest


def test_the_payload_is_a_view_and_no_copy():
    frame = framing.scan(WHOLE)
    assert isinstance(frame.payload, memoryview)
    assert frame.payload.obj is WHOLE


def test_a_frame_of_ten_megabytes_is_scanned():
    payload = b'{"data":"' + b"x" * 10_000_000 + b'"}'
    frame = framing.scan(b'[2,"1","DataTransfer",' + payload + b"]")
    assert frame.payload == payload


def test_very_deep_nesting_is_cut_out_like_any_payload():
    payload = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    assert framing.scan(b'[2,"1","DataTransfer",' + payload + b"]").payload == payload


def test_only_bytes_are_frames():
    with pytest.raises(TypeError):
        framing.scan("[]")


@given(st.text(max_size=40), PAYLOAD)
def test_what_is_put_around_a_payload_reads_back(message_id, payload):
    encoded = json.dumps(payload).encode()
    assert json.loads(framing.call(message_id, "Reset", encoded)) == [2, message_id, "Reset", payload]
    assert json.loads(framing.result(message_id, encoded)) == [3, message_id, payload]
    assert json.loads(framing.send(message_id, "NotifyPeriodicEventStream", encoded))[0] == 6


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=300))
def test_errors_read_back(message_id, code, description):
    for make, kind in ((framing.error, 4), (framing.result_error, 5)):
        assert json.loads(make(message_id, code, description, b'{"a":1}')) == [
            kind,
            message_id,
            code,
            description,
            {"a": 1},
        ]


@pytest.mark.parametrize(
    ("payload", "look"),
    [
        (b"{}", False),
        (b'{"a":1}', False),
        (b'{"a":null}', False),
        (b'{"customData":{}}', False),
        (b'{"a":"\\u0061"}', True),
        (b'{"a":"2026-01-01T00:00:00Z"}', False),
        (b'{"a":"2026-01-01T00:00:00+01:00"}', False),
        (b'{"a":"2026-01-01 00:00:00Z"}', True),
        (b'{"a":"2026-01-01T00:00:00+0100"}', True),
        (b'{"a":"2026-01-01T00:00:00-0100"}', True),
    ],
)
def test_what_the_decoder_may_judge_wrongly_is_looked_at_again(payload, look):
    assert framing.has_loose_time(payload) is look
