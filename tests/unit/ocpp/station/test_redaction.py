"""Secrets never reach the message log, which diagnostics upload."""

import json
import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp.station.logging import ConsoleFormatter, MessageLog
from ocpp.station.redaction import MAX_FRAME, redacted

SECRET = "s3cret-and-long-enough"


@pytest.mark.parametrize(
    "payload",
    [
        {"key": "AuthorizationKey", "value": SECRET},
        {"value": SECRET, "key": "AuthorizationKey"},
        {"setVariableData": [{"attributeValue": SECRET, "variable": {"name": "BasicAuthPassword"}}]},
        {"connectionData": {"basicAuthPassword": SECRET}},
        {"connectionData": {"apn": {"apnPassword": SECRET}}},
        {"connectionData": {"vpn": {"password": SECRET}}},
        {"location": f"ftp://station:{SECRET}@files.example/logs/"},
        {"log": {"remoteLocation": f"sftp://station:{SECRET}@files.example:22/"}},
        pytest.param({"idToken": {"idToken": SECRET, "type": "KeyCode"}}, marks=pytest.mark.req("C04.FR.04")),
        {"idToken": {"type": "KeyCode", "idToken": SECRET}},
        {
            "idToken": {
                "idToken": SECRET,
                "additionalInfo": [{"additionalIdToken": "a", "type": "b"}],
                "type": "KeyCode",
            }
        },
        {
            "idToken": {
                "type": "KeyCode",
                "additionalInfo": [{"additionalIdToken": "a", "type": "b"}],
                "idToken": SECRET,
            }
        },
        {
            "list": [
                {"idToken": {"idToken": "04A2", "type": "Local"}},
                {"idToken": {"idToken": SECRET, "type": "KeyCode"}},
            ]
        },
        {
            "setVariableData": [
                {"attributeValue": "a", "component": {"name": "X"}, "variable": {"name": "Interval"}},
                {"attributeValue": SECRET, "component": {"name": "S"}, "variable": {"name": "BasicAuthPassword"}},
            ]
        },
        {"setVariableData": [{"variable": {"instance": "i", "name": "BASICAUTHPASSWORD"}, "attributeValue": SECRET}]},
        {"getVariableResult": [{"attributeValue": SECRET, "variable": {"name": "VpnKey"}}]},
        {"setVariableResult": [{"variable": {"name": "SimPin"}, "attributeStatusInfo": {"additionalInfo": SECRET}}]},
        {"reportData": [{"variable": {"name": "ApnPassword"}, "variableAttribute": [{"type": "A", "value": SECRET}]}]},
        {"eventData": [{"actualValue": SECRET, "techInfo": SECRET, "variable": {"name": "VpnPassword"}}]},
        {"connectionData": {"vpn": {"server": "s", "user": "u", "password": "p", "key": SECRET, "type": "IPSec"}}},
        {"connectionData": {"vpn": {"customData": {"vendorId": "x", "deep": {"a": 1}}, "key": SECRET}}},
        {"connectionData": {"basicAuthPassword": f'with a "quote" {SECRET}'}},
        {"connectionData": {"basicAuthPassword": "with a backslash \\" + SECRET}},
        {"customData": {"vendorId": "x", "password": SECRET}},
        {"customData": {"vendorId": "x", "api_key": SECRET, "Access-Token": SECRET, "clientSecret": [SECRET]}},
        {"idToken": {"idToken": SECRET, "customData": {"vendorId": "x", "a": {"b": 1}}, "type": "KeyCode"}},
        {"idToken": {"idToken": SECRET, "type": "keycode"}},
        {
            "idToken": {
                "idToken": "1",
                "type": "Local",
                "additionalInfo": [{"additionalIdToken": SECRET, "type": "PIN"}],
            }
        },
        {"groupIdToken": {"idToken": SECRET, "type": "KeyCode"}},
        {
            "configurationKey": [
                {"key": "A", "readonly": False, "value": "v"},
                {"key": "AuthorizationKey", "value": SECRET},
            ]
        },
        {"key": "authorization_key", "value": SECRET},
        {"log": {"remoteLocation": f"https://bucket.example/log.gz?X-Amz-Signature={SECRET}&X-Amz-Date=2"}},
        {"log": {"remoteLocation": f"https://bucket.example/log.gz?{SECRET}"}},
        {"location": f"https://x.example/#access_token={SECRET}"},
        {"location": f"https://{SECRET}@files.example/"},
        {"location": f"ftp://joe:a@b{SECRET}@files.example/"},
        {"location": f"ftp://joe:a/{SECRET}@files.example/"},
        {"location": f"ftp://joe:a?{SECRET}@files.example/"},
        {"location": f"ftp://joe:a#{SECRET}@files.example/"},
        {"content": f"two of them: http://a.example/ and <sftp://joe:{SECRET}@b.example/>"},
        {"vendorId": "x", "data": json.dumps({"password": SECRET})},
        {"vendorId": "x", "data": json.dumps({"inner": json.dumps([{"url": f"ftp://a:{SECRET}@b/"}])})},
        {"vendorId": "x", "data": "{'password': '" + SECRET + "'}"},
        {"vendorId": "x", "data": {"password": {"value": SECRET}}},
        {"data": f"-----BEGIN EC PRIVATE KEY-----\n{SECRET}"},
    ],
    ids=str,
)
@pytest.mark.parametrize("escaped", [False, True], ids=["", "escaped"])
def test_a_secret_is_not_in_the_log(payload, escaped):
    frame = json.dumps([2, "1", "Any", payload])
    if escaped:
        frame = _escaped(payload)
    found = redacted(frame.encode()).decode()
    assert SECRET not in found
    assert "***" in found
    json.loads(found)


def _escaped(payload):
    """The same content with letters of its texts escaped."""

    def written(value):
        if isinstance(value, dict):
            return "{" + ",".join(f"{written(name)}:{written(each)}" for name, each in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(written(each) for each in value) + "]"
        if isinstance(value, str):
            return '"' + "".join(f"\\u{ord(each):04x}" for each in value) + '"'
        return json.dumps(value)

    frame = f'[2,"1","Any",{written(payload)}]'
    assert json.loads(frame)[3] == payload
    return frame


def test_only_the_key_code_is_hidden_among_tokens():
    tokens = [
        {"idToken": "04A2", "type": "Local"},
        {"idToken": SECRET, "type": "KeyCode"},
        {"idToken": "04A3", "type": "Local"},
    ]
    found = redacted(json.dumps([2, "1", "Any", {"list": tokens}]).encode()).decode()
    assert SECRET not in found
    assert "04A2" in found
    assert "04A3" in found


@pytest.mark.parametrize("text", ["http://files.example/logs/", "wss://csms.example:443/ocpp", "a@b"])
def test_everything_else_stays(text):
    frame = json.dumps([2, "1", "Any", {"location": text}]).encode()
    assert redacted(frame) == frame


INNOCENT = [
    {"key": "AllowOfflineTxForUnknownId", "value": "true"},
    {
        "configurationKey": [
            {"key": "AllowOfflineTxForUnknownId", "readonly": False, "value": "true"},
            {"key": "AuthorizationKey", "readonly": False},
            {"key": "LocalAuthorizeOffline", "value": "stays"},
        ]
    },
    {
        "setVariableData": [
            {"attributeValue": "stays", "variable": {"name": "AllowOfflineTxForUnknownId"}},
            {"attributeValue": "stays", "variable": {"name": "MasterPassGroupId"}},
            {"attributeValue": "stays", "variable": {"name": "VpnEnabled"}},
            {"attributeValue": "stays", "variable": {"name": "PublicKey"}},
        ]
    },
    {"setVariableResult": [{"attributeStatus": "Accepted", "variable": {"name": "BasicAuthPassword"}}]},
    {"key": ["AuthorizationKey", "Other"]},
    {"idToken": {"idToken": "04A2", "type": "ISO14443"}, "password": ""},
    {"signedMeterData": "abc", "publicKey": "stays", "signingMethod": "x"},
    {"location": "http://files.example:8080/a/b@c/d"},
    {"location": "http://[2001:db8::1]/a@b"},
    {"location": "wss://csms.example/ocpp?"},
    {"data": '{"keys": 3, "note": "nothing here"}'},
    {"text": 'a \\ and a " quote'},
    {"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
]


@pytest.mark.parametrize("payload", INNOCENT, ids=str)
def test_what_is_no_secret_is_not_touched(payload):
    frame = json.dumps([2, "1", "Any", payload]).encode()
    assert redacted(frame) == frame


def test_what_stands_beside_a_secret_is_not_touched():
    data = [{"attributeValue": "stays", "variable": {"name": f"V{n}"}} for n in range(3)]
    data.insert(1, {"attributeValue": SECRET, "attributeType": "Actual", "variable": {"name": "BasicAuthPassword"}})
    found = json.loads(redacted(json.dumps([2, "1", "SetVariables", {"setVariableData": data}]).encode()))
    data[1]["attributeValue"] = "***"
    assert found == [2, "1", "SetVariables", {"setVariableData": data}]


@pytest.mark.parametrize(
    "frame",
    [
        f'[2,"1","X",{{"password":"{SECRET}"'.encode(),
        f'{{"password": "{SECRET}"}} and more'.encode(),
        f"password={SECRET}".encode(),
        f'\xef\xbb\xbf[2,"ftp://a:{SECRET}@b/"]'.encode("latin-1"),
        b'["key", ' + b"[" * 5000 + SECRET.encode(),
        b"[" * 900 + f'{{"password":"{SECRET}","other":"{SECRET}"}}'.encode() + b"]" * 900,
        f'["\\ud800", "password", "{SECRET}"]'.encode(),
    ],
    ids=range(7),
)
def test_a_frame_that_cannot_be_looked_through_does_not_leak(frame):
    assert SECRET.encode() not in redacted(frame)


def test_a_frame_that_is_no_json_and_bears_no_sign_is_kept():
    assert redacted(b'[2,"1",') == b'[2,"1",'


names = st.sampled_from(["password", "basicAuthPassword", "apnPassword", "simPin", "clientSecret", "api-key", "token"])
innocent = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text('abcxyz \\"é', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcx", max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(innocent, innocent, names, st.lists(st.sampled_from(["list", "object", "text"]), max_size=6))
def test_a_secret_is_found_by_its_name_wherever_it_is(before, after, name, way):
    def around(secret):
        value = {"before": before, name: secret, "after": after}
        for step in way:
            if step == "text" and way.count("text") <= 3:
                value = {"data": json.dumps(value)}
            else:
                value = [before, value, after] if step == "list" else {"x": before, "inner": value, "y": after}
        return value

    found = json.loads(redacted(json.dumps([2, "1", "Any", around(SECRET)]).encode()))
    expected = json.dumps([2, "1", "Any", around("***")])
    assert SECRET not in json.dumps(found)
    if "text" not in way:  # which may be written anew in other words
        assert json.dumps(found) == expected


@given(innocent)
def test_nothing_else_changes(value):
    frame = json.dumps([2, "key", "Any", value]).encode()
    assert redacted(frame) == frame


FLOODS = {
    "variables with a URL": lambda n: {
        "d": [{"attributeValue": f"http://a.example/{k}", "variable": {"name": "U"}} for k in range(n)]
    },
    "keys": lambda n: {"configurationKey": [{"key": f"Key{k}", "value": "AuthorizationKey"} for k in range(n)]},
    "one long text": lambda n: {"a": "://@?&=" * (9 * n)},
    "open quotes": lambda n: {"a": '\\"password\\":\\"' * (4 * n)},
    "nested texts": lambda n: {"data": json.dumps(["key"] * (8 * n))},
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_long_frame_costs_no_more_than_its_length(kind):
    def cost(n):
        frame = json.dumps([2, "1", "Any", FLOODS[kind](n)]).encode()
        best = float("inf")
        for _ in range(5):
            began = time.process_time()
            redacted(frame)
            best = min(best, time.process_time() - began)
        return best / len(frame)

    assert cost(2000) < 6 * cost(200) + 1e-7


def test_a_frame_longer_than_is_looked_through_is_noted_with_its_length():
    frame = json.dumps([2, "1", "Any", {"password": SECRET, "a": "x" * MAX_FRAME}]).encode()
    assert f"{len(frame)} bytes" in redacted(frame).decode()
    assert SECRET.encode() not in redacted(frame)
    innocent_frame = json.dumps([2, "1", "Any", {"a": "x" * MAX_FRAME}]).encode()
    assert redacted(innocent_frame) is innocent_frame


def test_lines_for_technicians_bear_no_secrets_of_urls(capsys):
    record = logging.LogRecord(
        "ocpp.x", logging.INFO, "", 0, "connected to %s", (f"wss://a:{SECRET}@c/x?t={SECRET}",), None
    )
    line = ConsoleFormatter().format(record)
    assert line.endswith("connected to wss://***@c/x?t=***")


def test_neither_the_file_nor_what_is_uploaded_of_it_holds_a_secret(tmp_path):
    log = MessageLog(tmp_path / "messages.jsonl")
    log.record(False, json.dumps([2, "1", "Any", {"vpn": {"key": SECRET}}]).encode(), "2026-01-01T00:00:00Z")
    log.record(False, f'[2,"1","Any",{{"password":"{SECRET}"'.encode(), "2026-01-01T00:00:01Z")
    lines = [line for _, line in log.lines()]
    log.close()
    assert len(lines) == 2
    assert SECRET not in "".join(lines) + (tmp_path / "messages.jsonl").read_text()


def test_what_an_earlier_release_wrote_down_is_not_uploaded_with_its_secrets(tmp_path):
    path = tmp_path / "messages.jsonl"
    entries = [
        {"at": "2026-01-01T00:00:00Z", "sent": False, "frame": json.dumps([2, "1", "Any", {"vpn": {"key": SECRET}}])},
        {"at": "2026-01-01T00:00:01Z", "sent": True, "frame": '[3,"1",{"a": 1}]'},
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in entries))
    lines = [line for _, line in MessageLog(path).lines()]
    assert SECRET not in "".join(lines)
    assert json.loads(lines[0])["frame"] == '[2,"1","Any",{"vpn":{"key":"***"}}]'
    assert json.loads(lines[1]) == entries[1]
