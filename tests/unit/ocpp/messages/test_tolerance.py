"""Answers that break their schema, of every action of every version, made from the tables of the message types."""

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.payloads import at, full, places, put

from ocpp.errors import PayloadError
from ocpp.messages import Catalogue, catalogue
from ocpp.messages.bent import MAX_KINDS, OTHERS, Bent
from ocpp.messages.tables import Kind
from ocpp.messages.tolerance import DISPENSABLE
from ocpp.versions import OcppVersion

ANSWERS = [
    pytest.param(version, action, name, id=f"{version}-{name}")
    for version in OcppVersion
    for action, (_, name) in sorted(catalogue(version).shapes.tables.ACTIONS.items())
    if name is not None
]
every_answer = pytest.mark.parametrize(("version", "action", "name"), ANSWERS)

NONSENSE = [{}, [], "\u2603", 5e300, True, [[]], {"a": {}}]
"""What hardly any member can be understood from."""


def read(messages: Catalogue, action: str, payload: Any) -> Any:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return messages.response_codec(action).read(raw)


def exact(messages: Catalogue, action: str, payload: Any) -> Any:
    return messages.decode_response(action, json.dumps(payload).encode())


def without(payload: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    bare = copy.deepcopy(payload)
    del at(bare, path[:-1])[path[-1]]
    return bare


@every_answer
def test_null_in_an_optional_place_is_absent(version, action, name):
    messages = catalogue(version)
    payload = full(messages, name)
    for path, field in places(messages, name):
        if field.required or at(payload, path) is None:
            continue
        bent = copy.deepcopy(payload)
        put(bent, path, None)
        assert read(messages, action, bent) == exact(messages, action, without(payload, path)), path


@every_answer
def test_a_member_that_the_schema_does_not_know_is_ignored(version, action, name):
    messages = catalogue(version)
    payload = full(messages, name)
    spots = {()} | {path for path, field in places(messages, name) if field.spec.kind is Kind.STRUCT}
    for path in spots:
        if at(payload, path) is None:
            continue
        for value in (None, 1, {"deep": [{}]}):
            bent = copy.deepcopy(payload)
            at(bent, path)["somethingNew"] = value
            assert read(messages, action, bent) == exact(messages, action, payload), path


@every_answer
def test_what_cannot_be_read_in_an_optional_place_is_left_out(version, action, name):
    messages = catalogue(version)
    payload = full(messages, name)
    for path, field in places(messages, name):
        if field.required or field.spec.kind in (Kind.ANY, Kind.STRUCT, Kind.LIST, Kind.CUSTOM, Kind.STRING):
            continue
        if at(payload, path) is None:
            continue
        for value in NONSENSE:
            if field.spec.kind is Kind.BOOLEAN and value is True:
                continue
            if field.spec.kind is Kind.NUMBER and value == 5e300 and field.spec.high is None:
                continue
            bent = copy.deepcopy(payload)
            put(bent, path, value)
            assert read(messages, action, bent) == exact(messages, action, without(payload, path)), (path, value)


@every_answer
def test_an_unknown_value_of_an_enumeration_is_left_out_where_it_is_not_needed_and_known_in_any_case(
    version, action, name
):
    messages = catalogue(version)
    payload = full(messages, name)
    for path, field in places(messages, name):
        if field.spec.kind is not Kind.ENUM or at(payload, path) is None:
            continue
        bent = copy.deepcopy(payload)
        for spelled in (str.upper, str.lower, lambda value: f" {value} "):
            put(bent, path, spelled(at(payload, path)))
            assert read(messages, action, bent) == exact(messages, action, payload), path
        if not field.required:
            put(bent, path, "InventedByTheVendor")
            assert read(messages, action, bent) == exact(messages, action, without(payload, path)), path


@every_answer
def test_numbers_may_be_written_as_texts_and_names_in_other_case(version, action, name):
    messages = catalogue(version)
    payload = full(messages, name)
    for path, field in places(messages, name):
        value = at(payload, path)
        if value is None:
            continue
        bent = copy.deepcopy(payload)
        if field.spec.kind in (Kind.INTEGER, Kind.NUMBER):
            put(bent, path, f" {value}.0 ")
        elif field.spec.kind is Kind.BOOLEAN:
            put(bent, path, "TRUE")
        del at(bent, path[:-1])[path[-1]]
        changed = path[-1][0].upper() + path[-1][1:]
        at(bent, path[:-1])[changed] = at(payload, path)
        assert read(messages, action, bent) == exact(messages, action, payload), path


@every_answer
def test_only_what_is_needed_and_missing_makes_a_call_fail(version, action, name):
    messages = catalogue(version)
    payload = full(messages, name)
    for field in messages.shapes.fields(name):
        bare = without(payload, (field.wire,))
        if field.required and (name, field.wire) not in DISPENSABLE:
            with pytest.raises(PayloadError) as refused:
                read(messages, action, bare)
            assert refused.value.field == field.wire
        else:
            assert read(messages, action, bare) is not None


@every_answer
@pytest.mark.parametrize("payload", [b"null", b"[]", b'"ok"', b"0", b"", b"{", b"[[", b"\xff", b"\x00"])
def test_what_is_no_object_is_an_empty_answer_or_a_failed_one(version, action, name, payload):
    messages = catalogue(version)
    needed = {
        field.wire for field in messages.shapes.fields(name) if field.required and (name, field.wire) not in DISPENSABLE
    }
    if needed:
        with pytest.raises(PayloadError):
            read(messages, action, payload)
    else:
        assert type(read(messages, action, payload)) is messages.response_type(action)


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_answer_raises_anything_but_what_is_missing(version, data):
    messages = catalogue(version)
    action, (_, name) = data.draw(st.sampled_from(sorted(messages.shapes.tables.ACTIONS.items())))
    if name is None:
        return
    payload = full(messages, name)
    spots = [path for path, _ in places(messages, name) if at(payload, path) is not None]
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    )
    for _ in range(data.draw(st.integers(0, 3)) if spots else 0):
        path = data.draw(st.sampled_from(spots))
        if isinstance(at(payload, path[:-1]), dict):
            put(payload, path, data.draw(anything))
            break
    raw = json.dumps(payload).encode()
    cut = data.draw(st.integers(0, len(raw)))
    for each in (raw, raw[:cut]):
        try:
            response = read(messages, action, each)
        except PayloadError:
            continue
        assert type(response) is messages.response_type(action)
        if name != "StartTransactionResponse":  # whose members may be missing
            messages.encode(response)


@every_answer
def test_what_is_nested_too_deep_is_unreadable_and_never_a_crash(version, action, name):
    messages = catalogue(version)
    payload = full(messages, name)
    for depth in (200, 300, 900, 980, 1000, 1030):
        for deep in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
            for member in [*(field.wire for field in messages.shapes.fields(name)), "unheard"]:
                raw = json.dumps({**payload, member: "HERE"}).encode().replace(b'"HERE"', deep)
                with suppress(PayloadError):
                    assert type(read(messages, action, raw)) is messages.response_type(action)


# -- what is counted --------------------------------------------------------------------------------------------------


def test_what_is_bent_is_logged_once_per_kind_and_counted(caplog):
    messages = Catalogue(OcppVersion.V16)
    payload = {"transactionId": "4711", "idTagInfo": {"status": "accepted", "expiryDate": None}}
    for _ in range(3):
        read(messages, "StartTransaction", payload)
    assert messages.bent.counts == {
        "StartTransactionResponse.transactionId: a number written as a text": 3,
        "StartTransactionResponse.idTagInfo.status: a value in another spelling": 3,
    }
    assert len([record for record in caplog.records if "StartTransactionResponse" in record.message]) == 2


def test_kinds_that_are_told_apart_are_bounded():
    bent = Bent()
    for number in range(MAX_KINDS + 10):
        bent.note("X", f"a{number}", "odd")
    assert len(bent.counts) == MAX_KINDS + 1
    assert bent.counts[OTHERS] == 10


def test_an_answer_that_keeps_its_schema_costs_no_second_look():
    messages = Catalogue(OcppVersion.V201)
    read(messages, "BootNotification", {"currentTime": "2026-06-01T00:00:00Z", "interval": 1, "status": "Accepted"})
    assert "_tolerance" not in vars(messages)
    assert messages.bent.counts == {}


# -- what is dispensed with -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
@pytest.mark.parametrize("time", [None, "now", "", 5, "2026-06-01", {"a": 1}])
def test_a_boot_without_a_time_that_can_be_read_is_still_one(version, time):
    answer = read(Catalogue(version), "BootNotification", {"currentTime": time, "interval": "x", "status": "Accepted"})
    assert answer.status == "Accepted"
    assert answer.interval == 0
    assert answer.current_time.year == 1


@pytest.mark.parametrize(
    ("payload", "transaction_id", "known"),
    [
        (b'{"transactionId":4711,"idTagInfo":{"status":"Acc', 4711, False),
        (b'{"transactionId":4711,"idTagInfo":', 4711, False),
        (b'{"transactionId":4711', None, False),
        (b'{"transactionId":4711}', 4711, False),
        (b'{"transactionId":4711,"idTagInfo":{"status":"Accepted"}', 4711, True),
        (b'{"idTagInfo":{"status":"Accepted"}}', None, True),
        (b'{"transactionId":4711.0,"idTagInfo":{"status":"Sideways"}}', 4711, False),
        (b'{"transactionId":"no number","idTagInfo":[]}', None, False),
        (b'{"transactionId":1e30,"idTagInfo":null}', None, False),
        (b'{"transactionId":4711,"idTagInfo":{"status":"Accepted","parentIdTag":"\xff\x01\n"}}', 4711, True),
        (b'\xef\xbb\xbf{"transactionId":4711,"idTagInfo":{"status":"Accepted","expiryDate":NaN}}\x00', 4711, True),
    ],
)
def test_of_a_damaged_start_transaction_what_can_be_read_stands(payload, transaction_id, known):
    answer = read(Catalogue(OcppVersion.V16), "StartTransaction", payload)
    assert answer.transaction_id == transaction_id
    assert (answer.id_tag_info is not None) is known


# -- calls stay exact -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
def test_null_for_absent_in_a_call_is_a_choice(version):
    wish = json.dumps({"vendorId": "org.example", "messageId": None}).encode()
    lenient, strict = Catalogue(version), Catalogue(version, nulls_in_calls=False)
    assert lenient._request_codec("DataTransfer").read(wish).message_id is None
    assert list(lenient.bent.counts) == ["DataTransferRequest.messageId: null for absent"]
    with pytest.raises(PayloadError):
        strict._request_codec("DataTransfer").read(wish)
    with pytest.raises(PayloadError):
        lenient._request_codec("DataTransfer").read(b'{"vendorId":null}')
    with pytest.raises(PayloadError):
        lenient.decode_request("DataTransfer", wish)


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
@pytest.mark.parametrize("nulls", [True, False])
def test_a_time_without_an_offset_in_a_call_is_utc(version, nulls):
    v16 = version is OcppVersion.V16
    action = "ReserveNow"
    wish = (
        {"connectorId": 1, "expiryDate": "2026-06-01T12:00:00", "idTag": "A", "reservationId": 1}
        if v16
        else {"id": 1, "expiryDateTime": "2026-06-01T12:00:00.5", "idToken": {"idToken": "A", "type": "Central"}}
    )
    request = Catalogue(version, nulls_in_calls=nulls)._request_codec(action).read(json.dumps(wish).encode())
    expiry = request.expiry_date if v16 else request.expiry_date_time
    assert expiry.utcoffset().total_seconds() == 0
    assert expiry.hour == 12


@pytest.mark.parametrize(("version", "taken"), [(OcppVersion.V16, True), (OcppVersion.V201, False)], ids=str)
@pytest.mark.parametrize("time", ["2026-06-01T12:00:00+02", "2026-06-01T12:00Z", "20260601T120000Z"])
def test_calls_of_1_6_may_have_any_time_of_iso_8601(version, taken, time):
    wish = json.dumps({"retrieveDate": time, "location": "ftp://x"}).encode()
    if version is not OcppVersion.V16:
        wish = json.dumps({"requestId": 1, "firmware": {"location": "ftp://x", "retrieveDateTime": time}}).encode()
    codec = Catalogue(version)._request_codec("UpdateFirmware")
    if taken:
        assert codec.read(wish).retrieve_date.year == 2026
    else:
        with pytest.raises(PayloadError):
            codec.read(wish)
