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
    ],
    ids=str,
)
def test_a_secret_is_not_in_the_log(payload):
    frame = json.dumps([2, "1", "Any", payload])
    found = redacted(frame.encode()).decode()
    assert SECRET not in found
    assert "***" in found
    json.loads(found)


@pytest.mark.parametrize("text", ["http://files.example/logs/", "wss://csms.example:443/ocpp", "a@b"])
def test_everything_else_stays(text):
    frame = json.dumps([2, "1", "Any", {"location": text}]).encode()
    assert redacted(frame) == frame
