import base64
import json
from datetime import UTC, datetime

from hal.interfaces import Reading, SignedData
from ocpp.core.events import MeterValue, ReadingContext
from ocpp.station.hardware import Reports, reading
from ocpp.v16.translation import meter_value


class Charging:
    def __init__(self) -> None:
        self.tampered: list[str] = []

    def tamper_detected(self, info):
        self.tampered.append(info)


def test_what_was_opened_is_told_and_not_that_it_was_closed_again():
    reports = Reports()
    reports.tamper(1, True, "before there is a charge point")
    reports.charge_point = charging = Charging()
    reports.tamper(1, True, "lid")
    reports.tamper(1, False, "lid")
    assert charging.tampered == ["lid"]


OCMF = 'OCMF|{"FV":"1.0","ID":"\u00e4"}|{"SD":"3045"}'


def test_the_text_of_a_meter_goes_on_in_base64_with_its_key_as_the_application_note_has_it():
    signed = reading(Reading((), signed_end=SignedData(OCMF, public_key="3056AB", plain=True))).signed_end
    assert base64.b64decode(signed.data).decode() == OCMF
    assert base64.b64decode(signed.public_key) == b"oca:base16:asn1:3056AB"
    assert reading(Reading((), signed_end=SignedData(OCMF, plain=True))).signed_end.public_key == ""


def test_what_is_ready_to_be_sent_is_sent_as_it_is():
    signed = reading(Reading((), signed_end=SignedData("T0NNRg==", public_key="a2V5"))).signed_end
    assert (signed.data, signed.public_key, signed.contained) == ("T0NNRg==", "a2V5", False)


def test_1_6_sends_the_text_of_a_meter_in_a_container():
    signed = reading(Reading((), signed_end=SignedData(OCMF, public_key="3056AB", plain=True))).signed_end
    at = datetime(2026, 1, 1, tzinfo=UTC)
    value = meter_value(MeterValue(at, ReadingContext.TRANSACTION_END, (), signed)).sampled_value[0]
    assert value.format == "SignedData"
    container = json.loads(value.value)
    assert base64.b64decode(container["signedMeterData"]).decode() == OCMF
    assert container["encodingMethod"] == "OCMF"
    assert container["signingMethod"] == ""
    assert base64.b64decode(container["publicKey"]) == b"oca:base16:asn1:3056AB"
