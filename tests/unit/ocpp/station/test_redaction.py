"""Secrets never reach the message log, which diagnostics upload."""

import json

import pytest

from ocpp.station.logging import redacted

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
    ],
    ids=str,
)
def test_a_secret_is_not_in_the_log(payload):
    frame = json.dumps([2, "1", "Any", payload])
    found = redacted(frame.encode()).decode()
    assert SECRET not in found
    assert "***" in found
    json.loads(found)


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
