"""Damaged frames of every action and version into the protocol session: never an exception, always a bounded answer.

PILOTWIRE_FUZZ_EXAMPLES=100000 fuzzes for longer.
"""

import json
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.schemas import Instances, schema_of

from ocpp.messages import catalogue
from ocpp.rpc.session import CallAnswered, CallReceived, FrameToSend, SendReceived, Session
from ocpp.versions import OcppVersion

EXAMPLES = int(os.environ.get("PILOTWIRE_FUZZ_EXAMPLES", "400"))
MAX_ANSWER = 2000
KNOWN_CODES = {
    "FormatViolation", "FormationViolation", "GenericError", "InternalError", "MessageTypeNotSupported", "NotImplemented",
    "NotSupported", "OccurenceConstraintViolation", "OccurrenceConstraintViolation", "PropertyConstraintViolation",
    "ProtocolError", "RpcFrameworkError", "SecurityError", "TypeConstraintViolation",
}  # fmt: skip
SPECIAL = rb"""{ } [ ] , : " null true 1e999 -0 NaN \u0000 \ud800 1.0"""
PIECES = [*SPECIAL.split(), b"\xff", b"\x00", b"\xf0\x9f", b"9" * 400]


def damage(draw, frame: bytes) -> bytes:
    content = bytearray(frame)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        what = draw(st.sampled_from(["cut", "piece", "double", "bytes", "end"]))
        if what == "cut":
            del content[at : at + draw(st.integers(1, 20))]
        elif what == "piece":
            content[at:at] = draw(st.sampled_from(PIECES))
        elif what == "double":
            content[at:at] = content[at : at + draw(st.integers(1, 40))]
        elif what == "bytes":
            content[at : at + 1] = draw(st.binary(max_size=4))
        else:
            del content[at:]
    return bytes(content)


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_no_frame_does_harm(version, data):
    messages = catalogue(version)
    session = Session(messages)
    action = data.draw(st.sampled_from(sorted(messages.actions)))
    schema = schema_of(version, f"{action}Request")
    payload = Instances(schema, random.Random(data.draw(st.integers(0, 2**16)))).of(schema)
    frame = json.dumps([data.draw(st.sampled_from([2, 3, 4, 5, 6])), "id", action, payload]).encode()
    event = session.receive(damage(data.draw, frame))
    assert event is None or isinstance(event, CallReceived | SendReceived | CallAnswered | FrameToSend)
    if isinstance(event, FrameToSend):
        answer = json.loads(event.frame)
        assert answer[0] == 4
        assert answer[2] in KNOWN_CODES
        assert len(event.frame) <= MAX_ANSWER
        assert len(answer[3]) <= 255
    # and the session still works
    good = b'[2,"after","Reset",{"type":"%s"}]' % (b"Hard" if version is OcppVersion.V16 else b"Immediate")
    assert isinstance(session.receive(good), CallReceived)
