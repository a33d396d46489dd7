"""One connection's protocol, without a socket: what each frame means, in each version."""

import json
from datetime import UTC, datetime

import pytest

from ocpp.errors import CallError
from ocpp.messages import catalogue, v2, v16
from ocpp.rpc.session import CallAnswered, CallReceived, FrameToSend, SendReceived, Session
from ocpp.versions import OcppVersion

V2 = [OcppVersion.V201, OcppVersion.V21]


@pytest.fixture(params=list(OcppVersion), ids=str)
def session(request) -> Session:
    return Session(catalogue(request.param))


def heartbeat(session: Session):
    return v16.HeartbeatRequest() if session.version is OcppVersion.V16 else v2.HeartbeatRequest()


def feed(session: Session, *message):
    return session.receive(json.dumps(message).encode())


def answer_to(session: Session, *message) -> list:
    event = feed(session, *message)
    assert isinstance(event, FrameToSend)
    return json.loads(event.frame)


NOW = "2026-01-01T00:00:00Z"


def test_a_call_is_answered_by_its_result(session):
    assert json.loads(session.call("1", heartbeat(session))) == [2, "1", "Heartbeat", {}]
    event = feed(session, 3, "1", {"currentTime": NOW})
    assert isinstance(event, CallAnswered)
    assert event.response.current_time == datetime(2026, 1, 1, tzinfo=UTC)
    assert session.pending_id is None


@pytest.mark.req("FR.01")
def test_a_second_call_before_the_answer_is_a_mistake_of_ours(session):
    session.call("1", heartbeat(session))
    with pytest.raises(RuntimeError, match="still in flight"):
        session.call("2", heartbeat(session))


def test_a_call_may_be_answered_with_an_error(session):
    session.call("1", heartbeat(session))
    event = feed(session, 4, "1", "InternalError", "disk", {"a": 1})
    assert isinstance(event, CallAnswered)
    assert event.error is not None
    assert (event.error.code, event.error.description, event.error.details) == ("InternalError", "disk", {"a": 1})


@pytest.mark.parametrize("details", ["{}", "[]", '{"a":'])
def test_details_that_cannot_be_read_do_not_lose_the_error(session, details):
    session.call("1", heartbeat(session))
    event = session.receive(b'[4,"1","InternalError","",' + details.encode() + b"]")
    assert event is None or (isinstance(event, CallAnswered) and event.error is not None)


@pytest.mark.parametrize("message", [[3, "other", {"currentTime": NOW}], [4, "other", "InternalError", "", {}]])
def test_an_answer_to_nothing_is_ignored(session, message):
    assert feed(session, *message) is None
    session.call("1", heartbeat(session))
    assert feed(session, *message) is None
    assert session.pending_id == "1"


def test_a_late_answer_is_ignored(session):
    session.call("1", heartbeat(session))
    session.abandon()
    assert feed(session, 3, "1", {"currentTime": NOW}) is None


def test_an_answer_counts_once(session):
    session.call("1", heartbeat(session))
    feed(session, 3, "1", {"currentTime": NOW})
    assert feed(session, 3, "1", {"currentTime": NOW}) is None


def test_an_answer_that_breaks_its_schema_is_an_error_of_the_call(session):
    session.call("1", heartbeat(session))
    event = feed(session, 3, "1", {"currentTime": "now"})
    assert isinstance(event, CallAnswered)
    assert event.response is None
    assert event.error is not None
    assert "currentTime" in event.error.description
    if session.version is OcppVersion.V21:
        assert event.reply is not None
        assert json.loads(event.reply)[:2] == [5, "1"]
    else:
        assert event.reply is None


def test_a_call_of_the_peer_is_handed_over_typed(session):
    kind = "Hard" if session.version is OcppVersion.V16 else "Immediate"
    event = feed(session, 2, "9", "Reset", {"type": kind})
    assert isinstance(event, CallReceived)
    assert (event.message_id, event.action, event.request.type) == ("9", "Reset", kind)


def test_calls_in_both_directions_do_not_disturb_each_other(session):
    session.call("1", heartbeat(session))
    kind = "Hard" if session.version is OcppVersion.V16 else "Immediate"
    assert isinstance(feed(session, 2, "1", "Reset", {"type": kind}), CallReceived)
    assert isinstance(feed(session, 3, "1", {"currentTime": NOW}), CallAnswered)


@pytest.mark.parametrize(
    ("message", "code_16", "code_2"),
    [
        ([2, "1", "Nonsense", {}], "NotImplemented", "NotImplemented"),
        ([2, "1", "Reset", {}], "ProtocolError", "OccurrenceConstraintViolation"),
        ([2, "1", "Reset", {"type": 5}], "TypeConstraintViolation", "TypeConstraintViolation"),
        ([2, "1", "Reset", {"type": "Never"}], "PropertyConstraintViolation", "PropertyConstraintViolation"),
        ([2, "1", "Reset", [1]], "FormationViolation", "FormatViolation"),
        ([2, "1", "Reset"], "ProtocolError", "RpcFrameworkError"),
        ([2, 1, "Reset", {}], "ProtocolError", "RpcFrameworkError"),
    ],
)
def test_each_defect_gets_the_code_of_its_version(session, message, code_16, code_2):
    answer = answer_to(session, *message)
    assert answer[0] == 4
    assert answer[2] == (code_16 if session.version is OcppVersion.V16 else code_2)
    assert answer[1] == ("1" if isinstance(message[1], str) else "-1")
    assert isinstance(answer[4], dict)


def test_what_is_no_json_at_all_is_answered_with_id_minus_1(session):
    event = session.receive(b"hello")
    assert isinstance(event, FrameToSend)
    assert json.loads(event.frame)[:2] == [4, "-1"]


@pytest.mark.parametrize("version", V2, ids=str)
def test_an_unknown_message_type_is_answered_in_2_x(version):
    assert answer_to(Session(catalogue(version)), 9, "1", {})[2] == "MessageTypeNotSupported"


@pytest.mark.req("1.6-J-4.1.3")
def test_an_unknown_message_type_is_ignored_in_1_6():
    assert feed(Session(catalogue(OcppVersion.V16)), 9, "1", {}) is None


@pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201], ids=str)
def test_only_2_1_has_unconfirmed_messages(version):
    session = Session(catalogue(version))
    event = feed(session, 6, "1", "NotifyPeriodicEventStream", {})
    assert event is None or json.loads(event.frame)[2] == "MessageTypeNotSupported"
    with pytest.raises(CallError):
        session.send("1", v2.HeartbeatRequest())


def test_2_1_takes_and_sends_unconfirmed_messages():
    session = Session(catalogue(OcppVersion.V21))
    data = {"id": 1, "pending": 0, "basetime": NOW, "data": [{"t": 0, "v": "1"}]}
    event = feed(session, 6, "1", "NotifyPeriodicEventStream", data)
    assert isinstance(event, SendReceived)
    assert json.loads(session.send("2", event.request))[:3] == [6, "2", "NotifyPeriodicEventStream"]
    assert feed(session, 6, "1", "NotifyPeriodicEventStream", {"id": "x"}) is None
    assert feed(session, 6, "1", "Nonsense", {}) is None


def test_errors_about_our_own_answers_are_noted_and_nothing_else(session):
    assert feed(session, 5, "1", "FormatViolation", "no", {}) is None or session.version is not OcppVersion.V21


def test_a_long_description_is_cut_to_what_the_specification_allows(session):
    frame = session.error("1", CallError("InternalError", "x" * 1000))
    assert len(json.loads(frame)[3]) == 255
