import logging

import pytest

from ocpp.device_model.keys import KeyView
from ocpp.device_model.start_values import apply_start_values, as_text

PING = "OCPPCommCtrlr/WebSocketPingInterval"


def apply(model, keys: KeyView, variables=None, key_values=None, *, new: bool = True) -> list[str]:
    return apply_start_values(model, keys, variables or {}, key_values or {}, new=new)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (1.5, "1.5"),
        ("x", "x"),
        (["A", "B"], "A,B"),
        ([1, True], "1,true"),
        ([], ""),
    ],
)
def test_values_of_the_file_are_written_as_ocpp_does(value, text):
    assert as_text(value) == text


def test_start_values_apply_to_variables_and_keys(model, keys):
    skipped = apply(
        model, keys, {PING: 17, "TxCtrlr/TxStartPoint": ["EVConnected", "Authorized"]}, {"HeartbeatInterval": 90}
    )
    assert skipped == []
    assert model.value(PING) == "17"
    assert model.value("TxCtrlr/TxStartPoint") == "EVConnected,Authorized"
    assert keys.value("HeartbeatInterval") == "90"


def test_names_are_found_in_any_case(model, keys):
    assert apply(model, keys, {PING.lower(): 17}, {"heartbeatINTERVAL": 90}) == []
    assert (model.value(PING), keys.value("HeartbeatInterval")) == ("17", "90")


def test_what_can_only_be_read_may_be_set(model, keys):
    apply(model, keys, {"ReservationCtrlr/Available": True}, {"NumberOfConnectors": 4})
    assert model.value("ReservationCtrlr/Available") == "true"
    assert keys.value("NumberOfConnectors") == "4"


def test_what_is_computed_cannot_be_set(model, keys):
    assert len(apply(model, keys, {}, {"SupportedFeatureProfiles": "Core"})) == 1


def test_start_values_do_not_apply_again_once_the_state_is_there(start):
    model, keys = start()
    apply(model, keys, {PING: 17}, {"HeartbeatInterval": 90})
    keys.set("HeartbeatInterval", "60")
    keys.set("WebSocketPingInterval", "5")
    model, keys = start()
    apply(model, keys, {PING: 17}, {"HeartbeatInterval": 90}, new=False)
    assert (model.value(PING), keys.value("HeartbeatInterval")) == ("5", "60")


def test_those_marked_always_apply_on_every_start(start):
    given = {"value": 17, "always": True}, {"value": 90, "always": True}
    model, keys = start()
    apply(model, keys, {PING: given[0]}, {"HeartbeatInterval": given[1]})
    keys.set("HeartbeatInterval", "60")
    keys.set("WebSocketPingInterval", "5")
    model, keys = start()
    apply(model, keys, {PING: given[0]}, {"HeartbeatInterval": given[1]}, new=False)
    assert (model.value(PING), keys.value("HeartbeatInterval")) == ("17", "90")


def test_the_long_form_without_always_applies_once(start):
    model, keys = start()
    apply(model, keys, {PING: {"value": 17}})
    assert model.value(PING) == "17"
    keys.set("WebSocketPingInterval", "5")
    model, keys = start()
    apply(model, keys, {PING: {"value": 17}}, new=False)
    assert model.value(PING) == "5"


def test_a_start_value_holds_over_a_restart(start):
    model, keys = start()
    apply(model, keys, {PING: 17}, {"HeartbeatInterval": 90})
    model, keys = start()
    apply(model, keys, {PING: 17}, {"HeartbeatInterval": 90}, new=False)
    assert (model.value(PING), keys.value("HeartbeatInterval")) == ("17", "90")


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("OCPP16Ctrlr/GetConfigurationMaxKeys", "10"),
        ("DeviceDataCtrlr/ItemsPerMessage[GetReport]", "10"),
        ("OCPPCommCtrlr/MessageTimeout[Default]", "5"),
    ],
)
def test_a_start_value_of_what_is_built_in_holds_over_a_restart(start, address, value):
    model, keys = start()
    apply(model, keys, {address: value})
    assert model.value(address) == value
    model, keys = start()
    apply(model, keys, {address: value}, new=False)
    assert model.value(address) == value


# -- unknown names ----------------------------------------------------------------------------------------------------


def test_an_unknown_name_makes_a_vendor_variable_or_key(model, keys):
    assert apply(model, keys, {"AcmeCtrlr[x]/Mode": "eco"}, {"AcmeMode": "boost"}) == []
    entry = model.entry("AcmeCtrlr[x]/Mode")
    assert (entry.value(), entry.vendor) == ("eco", True)
    assert entry in list(model.entries())
    assert keys.value("AcmeMode") == "boost"


def test_a_vendor_variable_and_key_that_a_csms_changed_stay_changed(start):
    given = {"AcmeCtrlr/Mode": "eco"}, {"AcmeMode": "eco"}
    model, keys = start()
    apply(model, keys, *given)
    entry = model.entry("AcmeCtrlr/Mode")
    model.set(entry.component, entry.variable, "boost")
    keys.set("AcmeMode", "boost")
    model, keys = start()
    apply(model, keys, *given, new=False)
    assert (model.value("AcmeCtrlr/Mode"), keys.value("AcmeMode")) == ("boost", "boost")


@pytest.mark.parametrize("kind", ["variable", "key"])
def test_a_vendor_variable_and_key_keep_their_start_value_over_a_restart(start, kind):
    given = {"AcmeCtrlr/Mode": "eco"}, {"AcmeMode": "eco"}
    model, keys = start()
    apply(model, keys, *given)
    model, keys = start()
    apply(model, keys, *given, new=False)
    assert (model.value("AcmeCtrlr/Mode") if kind == "variable" else keys.value("AcmeMode")) == "eco"


def test_a_vendor_variable_and_key_marked_always_are_set_on_every_start(start):
    always = {"value": "eco", "always": True}
    given = {"AcmeCtrlr/Mode": always}, {"AcmeMode": always}
    model, keys = start()
    apply(model, keys, *given)
    model.write(model.entry("AcmeCtrlr/Mode"), "boost")
    keys.set("AcmeMode", "boost")
    model, keys = start()
    assert apply(model, keys, *given, new=False) == []
    assert (model.value("AcmeCtrlr/Mode"), keys.value("AcmeMode")) == ("eco", "eco")


# -- what does not fit ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "key_values", "words"),
    [
        ({PING: "often"}, {}, "not an integer"),
        ({PING: -1}, {}, "below 0"),
        ({"no address": 1}, {}, "the form is"),
        ({}, {"HeartbeatInterval": "often"}, "not an integer"),
        ({}, {"MeterValuesSampledData": "RPM"}, "RPM is not supported"),
        ({}, {"MeterValuesSampledDataMaxLength": 5}, "is what it is"),
        ({}, {"CertificateStoreMaxLength": 5}, "is what it is"),
        ({"AcmeCtrlr/Mode": "x" * 2501}, {}, "longer than"),
        ({}, {"A/B": "x"}, "at most"),
        ({}, {"x" * 51: "x"}, "at most"),
    ],
)
def test_what_does_not_fit_is_logged_and_skipped_and_the_rest_applies(
    model, keys, caplog, variables, key_values, words
):
    with caplog.at_level(logging.WARNING):
        skipped = apply(
            model, keys, {**variables, "TxCtrlr/EVConnectionTimeOut": 33}, {**key_values, "ResetRetries": 3}
        )
    assert len(skipped) == 1
    assert words in skipped[0]
    assert skipped[0] in caplog.text
    assert (model.value("TxCtrlr/EVConnectionTimeOut"), keys.value("ResetRetries")) == ("33", "3")


def test_a_key_that_never_changes_is_skipped_on_later_starts_with_the_same_words(model, keys):
    given = {"MeterValuesSampledDataMaxLength": 5}
    assert apply(model, keys, {}, given, new=False) == apply(model, keys, {}, given)


def test_a_long_form_without_a_value_is_skipped(model, keys):
    assert len(apply(model, keys, {PING: {"always": True}})) == 1
