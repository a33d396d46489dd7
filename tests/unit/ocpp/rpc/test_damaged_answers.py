"""Frames that answer the call in flight and are damaged: they settle it at once, whatever the rest of them is."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.links import FakeLink

from ocpp.clock import ManualClock
from ocpp.messages import catalogue, v2, v16
from ocpp.rpc.endpoint import Endpoint
from ocpp.rpc.outbox import Outbox
from ocpp.rpc.permission import BootState
from ocpp.rpc.session import CallAnswered, Session
from ocpp.storage.database import Database
from ocpp.versions import OcppVersion

V2 = [OcppVersion.V201, OcppVersion.V21]
ID = "5a1f7f2e-0d5b-4e3c-9d0c-3f1a2b4c5d6e"


@pytest.fixture(params=list(OcppVersion), ids=str)
def session(request) -> Session:
    return Session(catalogue(request.param))


def kinds(session: Session):
    """A message whose answer is empty, and one whose answer has something that is needed."""
    if session.version is OcppVersion.V16:
        return v16.MeterValuesRequest(connector_id=1, meter_value=[]), v16.AuthorizeRequest(id_tag="A")
    token = v2.IdToken(id_token="A", type="Central")
    return v2.MeterValuesRequest(evse_id=1, meter_value=[]), v2.AuthorizeRequest(id_token=token)


RESULTS = [
    f'[3,"{ID}",null]',
    f'[3,"{ID}", null ]',
    f'[3,"{ID}"]',
    f'[3,"{ID}",]',
    f'[3,"{ID}"',
    f'[3,"{ID}",',
    f'[3,"{ID}",{{',
    f'[3,"{ID}",{{"idTagInfo":{{"status":"Acc',
    f'[3,"{ID}",[]]',
    f'[3,"{ID}","ok"]',
    f'[3,"{ID}","{{}}"]',
    f'[3,"{ID}",0]',
    f'[3,"{ID}",true]',
    f'[3,"{ID}",{{}},{{}}]',
    f'[3,"{ID}",{{}},null]',
    f'[3,"{ID}","Authorize",{{}}]',
    f'[3,"{ID}",{{"a":}}]',
    f'[3,"{ID}",{{"a":1}}',
    f'[3,"{ID}",{{"a":1}}]]',
    f'["3","{ID}",{{}}]',
    f'[3.0,"{ID}",{{}}]',
    f'[3," {ID} ",{{}}]',
    f'[3,"{ID.upper()}",{{}}]',
    f'\ufeff[3,"{ID}",{{}}]',
    f'[3,"{ID}",{{}}]\x00',
]


@pytest.mark.parametrize("frame", RESULTS)
def test_a_result_whose_id_is_readable_settles_the_call(session, frame):
    empty, needing = kinds(session)
    session.call(ID, empty)
    event = session.receive(frame.encode())
    assert isinstance(event, CallAnswered)
    assert (event.error, event.damaged) == (None, False)
    assert event.response is not None
    assert session.pending_id is None
    session.call(ID, needing)
    event = session.receive(frame.encode())
    assert isinstance(event, CallAnswered)
    assert event.error is not None
    assert event.damaged
    assert session.pending_id is None
    if session.version is OcppVersion.V21:
        assert json.loads(event.reply)[:2] == [5, ID]
    else:
        assert event.reply is None


def test_a_number_for_an_id_that_is_one_settles_the_call(session):
    empty, _ = kinds(session)
    session.call("17", empty)
    assert isinstance(session.receive(b"[3,17,{}]"), CallAnswered)


@pytest.mark.parametrize(
    ("frame", "code", "description"),
    [
        (f'[4,"{ID}"]', "GenericError", ""),
        (f'[4,"{ID}"', "GenericError", ""),
        (f'[4,"{ID}",null,null,null]', "GenericError", ""),
        (f'[4,"{ID}",null]', "GenericError", ""),
        (f'[4,"{ID}",500,"x",{{}}]', "GenericError", "500: x"),
        (f'[4,"{ID}","InternalError"]', "InternalError", ""),
        (f'[4,"{ID}","InternalError","disk"]', "InternalError", "disk"),
        (f'[4,"{ID}","InternalError",null,{{}}]', "InternalError", ""),
        (f'[4,"{ID}","InternalError",17,{{}}]', "InternalError", "17"),
        (f'[4,"{ID}","InternalError","disk",null]', "InternalError", "disk"),
        (f'[4,"{ID}","InternalError","disk",[]]', "InternalError", "disk"),
        (f'[4,"{ID}","InternalError","disk","x"]', "InternalError", "disk"),
        (f'[4,"{ID}","InternalError","disk",{{"a":}}]', "InternalError", "disk"),
        (f'[4,"{ID}","InternalError","disk",{{}},1]', "InternalError", "disk"),
        (f'[4,"{ID}",{{}},{{}},{{}}]', "GenericError", "{}: {}"),
        (f'["4","{ID}","InternalError","disk",{{}}]', "InternalError", "disk"),
    ],
)
def test_an_error_whose_id_is_readable_settles_the_call(session, frame, code, description):
    session.call(ID, kinds(session)[0])
    event = session.receive(frame.encode())
    assert isinstance(event, CallAnswered)
    assert event.error is not None
    assert not event.damaged
    assert (event.error.code, event.error.description) == (code, description)
    assert session.pending_id is None


def test_details_in_no_encoding_at_all_do_not_lose_the_error(session):
    session.call(ID, kinds(session)[0])
    event = session.receive(f'[4,"{ID}","InternalError","disk",{{"a":"'.encode() + b'\xff"}]')
    assert isinstance(event, CallAnswered)
    assert event.error.details == {}


@pytest.mark.parametrize("frame", [f'[3,"other",null,"{ID}"]', f'[9,"{ID}",null]', f'[5,"{ID}",null]', f'"{ID}"', ID])
def test_a_damaged_frame_that_answers_nothing_settles_nothing(session, frame):
    session.call(ID, kinds(session)[0])
    event = session.receive(frame.encode())
    assert not isinstance(event, CallAnswered)
    assert session.pending_id == ID


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 400), st.binary(max_size=3), st.sampled_from(list(OcppVersion)))
def test_damage_behind_the_id_always_settles_the_call(at, piece, version):
    session = Session(catalogue(version))
    session.call(ID, kinds(session)[0])
    frame = f'[3,"{ID}",{{"customData":{{"vendorId":"x","more":[1,2,{{"a":null}}]}}}}]'.encode()
    at = max(at % len(frame), len(ID) + 5)
    event = session.receive(frame[:at] + piece + frame[at + len(piece) :])
    assert isinstance(event, CallAnswered)
    assert event.error is None


@pytest.mark.parametrize("payload", ["null", " null\n"])
def test_a_call_with_null_for_a_payload_is_one_without_a_payload(session, payload):
    event = session.receive(f'[2,"1","ClearCache",{payload}]'.encode())
    assert (event.action, type(event.request).__name__) == ("ClearCache", "ClearCacheRequest")


class _Retry:
    def attempts(self) -> int:
        return 3

    def interval(self) -> float:
        return 60.0


class _Courier:
    def __init__(self) -> None:
        self.told: list = []

    def prepare(self, stored, request):
        return request

    def delivered(self, stored, request, response) -> None:
        self.told.append(response)

    def given_up(self, stored, request, error) -> None:
        self.told.append(error)


@pytest.mark.req("1.6-J-errata-3.3")
@pytest.mark.parametrize(("answer", "left"), [(b'[3,"1",null]', 0), (b'[3,"1",{"status":7}]', 0), (b'[4,"1"]', 1)])
async def test_a_stored_message_whose_answer_cannot_be_used_is_delivered(tmp_path, answer, left):
    clock = ManualClock()
    database = Database.open(tmp_path / "station.db")
    endpoint = Endpoint(clock, message_timeout=lambda: 30.0, new_id=lambda: "1")
    endpoint.boot_state = BootState.ACCEPTED
    outbox = endpoint.outbox = Outbox(database, clock, major=2, run="run", retry=_Retry(), wake=endpoint.wake)
    outbox.courier = courier = _Courier()
    outbox.put(v2.DataTransferRequest(vendor_id="org.example"), "T")
    link = FakeLink(OcppVersion.V201)
    task = asyncio.ensure_future(endpoint.attend(link, catalogue(OcppVersion.V201)))
    await clock.settle()
    link.feed(answer)
    await clock.settle()
    assert (len(outbox), len(link.sent), courier.told) == (left, 1, [])
    link.drop()
    await task
    await endpoint.close()
    database.close()
