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


KEYS = (
    *("SampledDataSignReadings", "SampledDataSignStartedReadings", "SampledDataSignUpdatedReadings"),
    *("AlignedDataSignReadings", "AlignedDataSignUpdatedReadings", "PublicKeyWithSignedMeterValue"),
)


@pytest.mark.req("1.6-signed-meter-values")
def test_signing_is_configured_by_keys(setup, csms):
    setup.start(simulation="signed_meter = true", keys={"SampledDataSignReadings": True})
    assert set(read(csms, *KEYS)) == set(KEYS)
    assert read(csms, KEYS[0]) == {KEYS[0]: (False, "true")}
    assert csms.call("ChangeConfiguration", {"key": KEYS[3], "value": "true"})["status"] == "Accepted"


@pytest.mark.req("1.6-signed-meter-values")
@pytest.mark.usefixtures("station")
def test_a_meter_that_does_not_sign_has_no_such_keys(csms):
    wanted = ["MeterPublicKey1", *KEYS]
    assert csms.call("GetConfiguration", {"key": wanted})["unknownKey"] == wanted


def test_a_key_of_that_name_in_the_station_file_ends_no_start(setup, csms):
    setup.start(simulation="signed_meter = true", keys={"MeterPublicKey1": "mine"})
    assert set(read(csms, "MeterPublicKey1")) == {"MeterPublicKey1"}
