"""Frames that are refused leave nothing behind, and no compiled class hides what it holds from the collector."""

import gc
import json
import logging
from pathlib import Path

import pytest

from ocpp._native import codec, framing
from ocpp.messages import catalogue
from ocpp.rpc.session import Session
from ocpp.versions import OcppVersion

ROOT = Path(__file__).parents[4]
ID = "5a1f7f2e-0d5b-4e3c-9d0c-3f1a2b4c5d6e"

REFUSED = [
    b"",
    b"hello",
    b"[]",
    b"[2",
    b'[2,"1","Reset",{}]',
    b'[2,"1","Reset",{"type":"Never"}]',
    b'[2,"1","Reset",[1]]',
    b'[2,"1","NoSuchAction",{}]',
    b'[2,"1","DataTransfer",{"vendorId":"x","customData":{}}]',
    b'[2,"1","DataTransfer",{"vendorId":"x","data":' + b"[" * 2000 + b"}]",
    b'[3,"1",{}]',
    b'[3,"' + ID.encode() + b'",{"status":17}]',
    b'[3,"' + ID.encode() + b'",null]',
    b'[3,"' + ID.encode() + b'",{"status":',
    b'[4,"' + ID.encode() + b'"]',
    b'[9,"1",{}]',
    b'[2,"1","\xff",{}]',
]


def boot(session: Session):
    kind = catalogue(session.version).request_type("DataTransfer")
    return kind(vendor_id="org.example")


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
@pytest.mark.parametrize("frame", REFUSED)
def test_a_refused_frame_leaves_nothing_behind(version, frame, caplog):
    caplog.set_level(logging.CRITICAL + 1)  # what pytest keeps of the log would count
    session = Session(catalogue(version))

    def refuse(times: int) -> None:
        for _ in range(times):
            if session.pending_id is None:
                session.call(ID, boot(session))
            session.receive(frame)
            session.refusal = None

    refuse(20)  # whatever is made once is there
    gc.collect()
    gc.disable()  # what lies in a circle stays, and shows
    try:
        before = len(gc.get_objects())
        refuse(300)
        assert len(gc.get_objects()) - before < 30
    finally:
        gc.enable()


def test_what_is_wrong_is_kept_as_code_and_text():
    found = codec.read(b'[2,"1","Reset",{}]', catalogue(OcppVersion.V201).requests, None, None)
    assert type(found.defect) is framing.Defect
    assert found.defect.code == "OccurrenceConstraintViolation"
    assert "type is missing" in str(found.defect)
    assert not any(isinstance(each, BaseException) for each in gc.get_referents(found))
    assert gc.is_tracked(found)


def test_no_compiled_class_is_hidden_from_the_collector():
    hidden = [path.name for path in (ROOT / "pyx").rglob("*.pyx") if "no_gc" in path.read_text()]
    assert hidden == []


def test_frames_are_used_again():
    raw = json.dumps([2, "1", "Reset", {"type": "Immediate"}]).encode()
    requests = catalogue(OcppVersion.V201).requests
    places = {id(codec.read(raw, requests, None, None)) for _ in range(50)}
    assert len(places) < 10
