"""The configuration keys of the white paper on signed meter values."""

import pytest


def read(csms, *keys: str) -> dict[str, tuple[bool, str]]:
    found = csms.call("GetConfiguration", {"key": list(keys)})
    return {each["key"]: (each["readonly"], each["value"]) for each in found.get("configurationKey", ())}


@pytest.mark.req("1.6-signed-meter-values")
def test_the_public_key_of_a_meter_can_be_read_and_not_written(setup, csms):
    setup.start(simulation="signed_meter = true")
    (told,) = read(csms, "MeterPublicKey1").values()
    assert told[0] is True
    assert csms.call("ChangeConfiguration", {"key": "MeterPublicKey1", "value": "another"})["status"] == "Rejected"
    assert read(csms, "MeterPublicKey1") == {"MeterPublicKey1": told}
    assert not read(csms, "MeterPublicKey9")


@pytest.mark.req("1.6-signed-meter-values")
@pytest.mark.usefixtures("station")
def test_a_meter_that_does_not_sign_has_no_public_key(csms):
    assert csms.call("GetConfiguration", {"key": ["MeterPublicKey1"]})["unknownKey"] == ["MeterPublicKey1"]
    keys = ("SampledDataSignReadings", "AlignedDataSignReadings", "PublicKeyWithSignedMeterValue")
    assert set(read(csms, *keys)) == set(keys)
    assert csms.call("ChangeConfiguration", {"key": keys[0], "value": "true"})["status"] == "Accepted"
