import pytest

from ocpp.device_model import Component, Variable
from ocpp.device_model.definition import Attribute, Mutability
from ocpp.device_model.keys import (
    MAX_KEY_LENGTH,
    MAX_VALUE_LENGTH,
    MAX_VENDOR_KEYS,
    KeyOutcome,
    KeyValue,
    KeyView,
)
from ocpp.device_model.keys_table import KEYS, MAX_MEASURANDS, MAX_ROTATIONS
from ocpp.device_model.model import SetOutcome, SetStatus
from ocpp.device_model.standard.internal import PROFILES
from ocpp.errors import DeviceModelError

REQUIRED_KEYS = {
    "AuthorizeRemoteTxRequests",
    "ClockAlignedDataInterval",
    "ConnectionTimeOut",
    "ConnectorPhaseRotation",
    "GetConfigurationMaxKeys",
    "HeartbeatInterval",
    "LocalAuthorizeOffline",
    "LocalPreAuthorize",
    "MeterValuesAlignedData",
    "MeterValuesSampledData",
    "MeterValueSampleInterval",
    "NumberOfConnectors",
    "ResetRetries",
    "StopTransactionOnEVSideDisconnect",
    "StopTransactionOnInvalidId",
    "StopTxnAlignedData",
    "StopTxnSampledData",
    "StopTransactionMaxMeterValues",
    "SupportedFeatureProfiles",
    "TransactionMessageAttempts",
    "TransactionMessageRetryInterval",
    "UnlockConnectorOnEVSideDisconnect",
}

READ_ONLY_KEYS = {
    "AdditionalRootCertificateCheck",
    "CertificateSignedMaxChainSize",
    "CertificateStoreMaxLength",
    "ConnectorPhaseRotationMaxLength",
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "ConnectorSwitch3to1PhaseSupported",
    "GetConfigurationMaxKeys",
    "MaxChargingProfilesInstalled",
    "LocalAuthListMaxLength",
    "ReserveConnectorZeroSupported",
    "SendLocalListMaxLength",
    "MeterValuesAlignedDataMaxLength",
    "MeterValuesSampledDataMaxLength",
    "NumberOfConnectors",
    "StopTxnAlignedDataMaxLength",
    "StopTxnSampledDataMaxLength",
    "StopTransactionMaxMeterValues",
    "SupportedFeatureProfiles",
    "SupportedFeatureProfilesMaxLength",
    "SupportedFileTransferProtocols",
}

MEASURAND_KEYS = ["MeterValuesAlignedData", "MeterValuesSampledData", "StopTxnAlignedData", "StopTxnSampledData"]


def value(keys: KeyView, name: str) -> str | None:
    (found,), _ = keys.get([name])
    return found.value


# -- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("1.6-9.1")
def test_every_required_key_is_there(keys):
    assert set(keys.names()) >= REQUIRED_KEYS


def test_no_key_is_there_twice():
    assert len({key.name.casefold() for key in KEYS}) == len(KEYS)


@pytest.mark.req("1.6-9")
def test_keys_of_profiles_that_the_station_does_not_have_are_not_there(model, keys):
    for address in PROFILES.values():
        model.set_inside(model.entry(address), "false")
    absent = ("LocalAuthListEnabled", "ReserveConnectorZeroSupported", "ChargeProfileMaxStackLevel")
    assert keys.get(absent) == ([], list(absent))
    assert value(keys, "SupportedFeatureProfiles") == "Core,RemoteTrigger"
    assert not set(keys.names()) & set(absent)


@pytest.mark.req("1.6-5.8")
def test_without_names_every_key_is_told(keys):
    found, unknown = keys.get()
    assert [each.name for each in found] == keys.names() == [each.name for each in keys]
    assert unknown == []


@pytest.mark.req("1.6-5.8")
def test_every_key_is_told_as_it_stands_at_that_moment(model, keys):
    def all_told():
        return [(each.name, each.read_only, each.value) for each in keys]

    def told():
        return keys.told(make)

    def make(*key):
        return key

    first = told()
    assert first == all_told()
    assert all(
        one is other for one, other in zip(first, told(), strict=True) if one[0] != "SupportedFileTransferProtocols"
    )
    keys.set_inside("HeartbeatInterval", "77")
    keys.add_vendor_key("Colour", "green")
    assert ("Colour", False, "green") in told()
    assert ("HeartbeatInterval", False, "77") in told()
    assert told() == all_told()
    model.set_inside(model.entry(PROFILES["Reservation"]), "false")
    assert told() == all_told()
    assert len(told()) < len(first) + 1
    assert keys.told(lambda *key: key[0]) == [name for name, _, _ in all_told()]


def test_names_are_answered_in_the_order_asked_and_unknown_ones_told_apart(keys):
    found, unknown = keys.get(["HeartbeatInterval", "Nothing", "BlinkRepeat"])
    assert [each.name for each in found] == ["HeartbeatInterval", "BlinkRepeat"]
    assert unknown == ["Nothing"]


def test_names_are_found_in_any_case_and_answered_as_the_standard_writes_them(keys):
    found, _ = keys.get(["HEARTBEATINTERVAL"])
    assert found == [KeyValue("HeartbeatInterval", False, "300")]
    assert keys.set("heartbeatinterval", "60") is KeyOutcome.ACCEPTED


@pytest.mark.parametrize("key", [key.name for key in KEYS])
def test_keys_say_whether_they_can_be_changed(keys, key):
    (found,), _ = keys.get([key])
    if key != "SecurityProfile":
        assert found.read_only == (key in READ_ONLY_KEYS)


@pytest.mark.parametrize("key", sorted(READ_ONLY_KEYS))
def test_a_key_that_can_only_be_read_is_rejected(keys, key):
    before = value(keys, key)
    assert keys.set(key, before or "1") is KeyOutcome.REJECTED
    assert value(keys, key) == before


@pytest.mark.parametrize("key", [key.name for key in KEYS if key.name != "AuthorizationKey"])
def test_every_key_has_a_value_that_1_6_can_transport(keys, key):
    assert len(value(keys, key)) <= MAX_VALUE_LENGTH
    assert len(key) <= MAX_KEY_LENGTH
    assert keys.value(key) == value(keys, key)


@pytest.mark.parametrize(
    "key", [each.name for each in KEYS if each.name not in {"AuthorizationKey", "SecurityProfile"}]
)
def test_every_changeable_key_takes_its_own_value(keys, key):
    if key not in READ_ONLY_KEYS:
        assert keys.set(key, value(keys, key)) is KeyOutcome.ACCEPTED


def test_the_value_of_an_unknown_key_is_an_error_of_the_program(keys):
    with pytest.raises(DeviceModelError, match="no configuration key Nothing"):
        keys.value("Nothing")


def test_a_value_longer_than_1_6_can_transport_is_cut(model, keys):
    model.entry("OCPP16Ctrlr/ConnectorPhaseRotation").values[Attribute.ACTUAL] = "x" * 600
    assert len(value(keys, "ConnectorPhaseRotation")) == MAX_VALUE_LENGTH


# -- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("1.6-5.3")
def test_an_unknown_key_is_not_supported(keys):
    assert keys.set("Nothing", "1") is KeyOutcome.NOT_SUPPORTED


@pytest.mark.req("1.6-5.3")
@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("HeartbeatInterval", "often"),
        ("HeartbeatInterval", ""),
        ("HeartbeatInterval", "-1"),
        ("HeartbeatInterval", "1.5"),
        ("WebSocketPingInterval", "-1"),
        ("ClockAlignedDataInterval", "86401"),
        ("LocalPreAuthorize", "yes"),
        ("LightIntensity", "101"),
        ("ResetRetries", "x"),
        ("CpoName", "x" * (MAX_VALUE_LENGTH + 1)),
    ],
)
def test_a_value_that_does_not_fit_is_rejected_and_nothing_changes(keys, key, given):
    before = value(keys, key)
    assert keys.set(key, given) is KeyOutcome.REJECTED
    assert value(keys, key) == before


@pytest.mark.parametrize(
    ("key", "given", "address"),
    [
        ("HeartbeatInterval", "60", "OCPPCommCtrlr/HeartbeatInterval"),
        ("AuthorizeRemoteTxRequests", "false", "AuthCtrlr/AuthorizeRemoteStart"),
        ("ConnectionTimeOut", "90", "TxCtrlr/EVConnectionTimeOut"),
        ("MeterValueSampleInterval", "15", "SampledDataCtrlr/TxUpdatedInterval"),
        ("ClockAlignedDataInterval", "300", "AlignedDataCtrlr/Interval"),
        ("TransactionMessageAttempts", "5", "OCPPCommCtrlr/MessageAttempts[TransactionEvent]"),
        ("TransactionMessageRetryInterval", "10", "OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]"),
        ("StopTransactionOnInvalidId", "false", "TxCtrlr/StopTxOnInvalidId"),
        ("WebSocketPingInterval", "0", "OCPPCommCtrlr/WebSocketPingInterval"),
        ("AllowOfflineTxForUnknownId", "true", "AuthCtrlr/OfflineTxForUnknownIdEnabled"),
        ("AuthorizationCacheEnabled", "false", "AuthCacheCtrlr/Enabled"),
        ("MeterValuesSampledData", "Voltage", "SampledDataCtrlr/TxUpdatedMeasurands"),
        ("StopTxnSampledData", "Voltage", "SampledDataCtrlr/TxEndedMeasurands"),
        ("MeterValuesAlignedData", "Voltage", "AlignedDataCtrlr/Measurands"),
        ("StopTxnAlignedData", "Voltage", "AlignedDataCtrlr/TxEndedMeasurands"),
    ],
)
def test_a_key_is_a_view_on_the_variable_of_2_x(model, keys, key, given, address):
    assert keys.set(key, given) is KeyOutcome.ACCEPTED
    assert model.value(address) == given
    model.reset(model.entry(address))
    assert value(keys, key) == model.value(address) != given


def test_listeners_of_the_variable_hear_of_a_key(model, keys):
    heard: list[int] = []
    model.integer("OCPPCommCtrlr/HeartbeatInterval").on_change(heard.append)
    keys.set("HeartbeatInterval", "61")
    assert heard == [61]


def test_booleans_are_taken_in_any_case(keys):
    assert keys.set("LocalPreAuthorize", "TRUE") is KeyOutcome.ACCEPTED
    assert value(keys, "LocalPreAuthorize") == "true"


def test_a_key_that_takes_effect_after_a_restart_says_so(model, keys):
    model.guard(
        lambda entry, attribute, given: (
            SetOutcome(SetStatus.REBOOT_REQUIRED) if entry.variable.name == "ResetRetries" else None
        )
    )
    assert keys.set("ResetRetries", "2") is KeyOutcome.REBOOT_REQUIRED


def test_a_block_may_refuse_a_key(model, keys):
    model.guard(lambda entry, attribute, given: SetOutcome(SetStatus.REJECTED, "TxInProgress"))
    assert keys.set("HeartbeatInterval", "60") is KeyOutcome.REJECTED


def test_a_block_may_refuse_a_list(model, keys):
    model.guard(lambda entry, attribute, given: SetOutcome(SetStatus.REJECTED, "TxInProgress"))
    assert keys.set("MeterValuesSampledData", "Voltage") is KeyOutcome.REJECTED


def test_keys_survive_a_restart(start):
    _, keys = start()
    keys.set("HeartbeatInterval", "77")
    keys.set("MeterValuesSampledData", "Voltage.L1,Current.Import.L2")
    keys.set("ConnectorPhaseRotation", "1.RST,2.RTS")
    _, again = start()
    assert value(again, "HeartbeatInterval") == "77"
    assert value(again, "MeterValuesSampledData") == "Voltage.L1,Current.Import.L2"
    assert value(again, "ConnectorPhaseRotation") == "1.RST,2.RTS"


# -- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("1.6-9.1.17")
@pytest.mark.parametrize("key", MEASURAND_KEYS)
@pytest.mark.parametrize("given", ["", "Voltage", "Voltage.L1,Voltage.L2-N", "Energy.Active.Import.Register, SoC"])
def test_measurands_may_carry_a_phase(keys, key, given):
    assert keys.set(key, given) is KeyOutcome.ACCEPTED
    assert value(keys, key) == given


@pytest.mark.req("1.6-3.14.4")
@pytest.mark.parametrize("key", MEASURAND_KEYS)
@pytest.mark.parametrize("given", ["RPM", "Voltage,Nonsense", "Voltage.L4", "Voltage.L1.L2", "voltage"])
def test_a_list_with_a_measurand_that_is_not_supported_is_rejected_as_a_whole(keys, key, given):
    before = value(keys, key)
    assert keys.set(key, given) is KeyOutcome.REJECTED
    assert value(keys, key) == before


@pytest.mark.parametrize("key", MEASURAND_KEYS)
def test_a_list_holds_as_many_entries_as_its_max_length_key_says(keys, key):
    most = int(value(keys, f"{key}MaxLength"))
    assert most == MAX_MEASURANDS
    assert keys.set(key, ",".join(["SoC"] * most)) is KeyOutcome.ACCEPTED
    assert keys.set(key, ",".join(["SoC"] * (most + 1))) is KeyOutcome.REJECTED


@pytest.mark.req("1.6-9.1.7")
@pytest.mark.parametrize("given", ["0.RST", "1.RST,2.RTS", "0.Unknown, 1.NotApplicable", "1.SRT,1.STR,1.TRS,1.TSR"])
def test_phase_rotations_are_told_per_connector(keys, given):
    assert keys.set("ConnectorPhaseRotation", given) is KeyOutcome.ACCEPTED


@pytest.mark.req("1.6-9.1.7")
@pytest.mark.parametrize("given", ["RST", "1.ABC", "x.RST", "1.", "1.rst", ".RST", "1.RST;2.RTS", "\u00b2.RST"])
def test_a_phase_rotation_of_another_form_is_rejected(keys, given):
    assert keys.set("ConnectorPhaseRotation", given) is KeyOutcome.REJECTED


def test_phase_rotations_are_bounded(keys):
    assert int(value(keys, "ConnectorPhaseRotationMaxLength")) == MAX_ROTATIONS
    assert keys.set("ConnectorPhaseRotation", ",".join(["1.RST"] * (MAX_ROTATIONS + 1))) is KeyOutcome.REJECTED


# -- security white paper ---------------------------------------------------------------------------------------------

PASSWORD = "0123456789abcdef" * 2


@pytest.mark.req("A01.FR.01")
def test_the_authorization_key_can_be_written_and_never_read(keys):
    assert keys.set("AuthorizationKey", PASSWORD) is KeyOutcome.ACCEPTED
    assert keys.get(["AuthorizationKey"]) == ([KeyValue("AuthorizationKey", False, None)], [])
    assert all(each.value is None or PASSWORD not in each.value for each in keys)


@pytest.mark.parametrize("given", ["", "0123456789abcde", "0" * 41])
def test_an_authorization_key_of_the_wrong_length_is_rejected(keys, given):
    assert keys.set("AuthorizationKey", given) is KeyOutcome.REJECTED


def test_the_security_profile_is_told_as_a_key_that_can_be_written(keys):
    (found,), _ = keys.get(["SecurityProfile"])
    assert not found.read_only


@pytest.fixture
def raised(model, keys):
    """Security profile 1 holds; what its block is asked for."""
    model.integer("SecurityCtrlr/SecurityProfile").set(1)
    asked: list[str] = []

    def switch(value: str) -> KeyOutcome:
        asked.append(value)
        return KeyOutcome.ACCEPTED

    keys.on_set("securityprofile", switch)
    return asked


@pytest.mark.parametrize("given", ["2", "3"])
def test_the_security_profile_is_raised_by_the_block_that_can(keys, raised, given):
    assert keys.set("SecurityProfile", given) is KeyOutcome.ACCEPTED
    assert raised == [given]


@pytest.mark.req("1.6-A05.FR.01")
@pytest.mark.parametrize("given", ["0", "1", "-1", "4", "", "high", "+1", "\u0662"])
def test_the_security_profile_is_never_lowered_and_takes_nothing_else(keys, raised, given):
    assert keys.set("SecurityProfile", given) is KeyOutcome.REJECTED
    assert (raised, value(keys, "SecurityProfile")) == ([], "1")


def test_without_a_block_that_raises_it_the_security_profile_stays(keys):
    before = value(keys, "SecurityProfile")
    assert keys.set("SecurityProfile", "3") is KeyOutcome.REJECTED
    assert value(keys, "SecurityProfile") == before


@pytest.mark.parametrize("given", ["often", "0"])
def test_a_block_that_decides_about_a_key_gets_only_values_that_fit(keys, given):
    keys.on_set("HeartbeatInterval", lambda value: KeyOutcome.ACCEPTED)
    assert keys.set("HeartbeatInterval", given) is KeyOutcome.REJECTED


@pytest.mark.req("M05.FR.03")
def test_the_certificate_store_tells_how_many_certificates_it_holds_at_most(model, keys):
    before = value(keys, "CertificateStoreMaxLength")
    assert int(before) > 0
    model.set_inside(model.entry("SecurityCtrlr/CertificateEntries"), "1")
    assert value(keys, "CertificateStoreMaxLength") == before


# -- vendor keys ------------------------------------------------------------------------------------------------------


def test_a_vendor_key_is_read_written_and_kept(start):
    _, keys = start()
    keys.add_vendor_key("AcmeMode", "eco")
    assert keys.get(["acmemode"]) == ([KeyValue("AcmeMode", False, "eco")], [])
    assert keys.set("AcmeMode", "boost") is KeyOutcome.ACCEPTED
    _, again = start()
    again.add_vendor_key("AcmeMode", "eco")
    assert value(again, "AcmeMode") == "boost"


def test_a_vendor_key_may_be_read_only(keys):
    keys.add_vendor_key("AcmeBuild", "7", read_only=True)
    assert keys.get(["AcmeBuild"]) == ([KeyValue("AcmeBuild", True, "7")], [])
    assert keys.set("AcmeBuild", "8") is KeyOutcome.REJECTED


def test_a_2_x_csms_does_not_see_vendor_keys(model, keys):
    keys.add_vendor_key("AcmeMode", "eco")
    assert model.get(Component("VendorKeys16"), Variable("AcmeMode"))[1] is None


@pytest.mark.parametrize(
    ("name", "given"),
    [("x" * (MAX_KEY_LENGTH + 1), ""), ("Acme", "x" * (MAX_VALUE_LENGTH + 1)), ("A/B", ""), ("A[1]", "")],
)
def test_a_vendor_key_that_1_6_cannot_transport_is_refused(keys, name, given):
    with pytest.raises(ValueError, match="at most"):
        keys.add_vendor_key(name, given)


def test_vendor_keys_are_bounded(keys):
    for number in range(MAX_VENDOR_KEYS):
        keys.add_vendor_key(f"Acme{number}")
    with pytest.raises(ValueError, match="more than"):
        keys.add_vendor_key("AcmeOneTooMany")


def test_a_vendor_key_cannot_take_the_name_of_a_standard_one(keys):
    with pytest.raises((ValueError, DeviceModelError)):
        keys.add_vendor_key("heartbeatInterval", "1")


# -- from inside ------------------------------------------------------------------------------------------------------


def test_the_station_may_set_what_a_csms_only_reads(keys):
    keys.set_inside("NumberOfConnectors", "4")
    assert value(keys, "NumberOfConnectors") == "4"


@pytest.mark.parametrize(
    ("key", "given", "words"),
    [
        ("Nothing", "1", "no configuration key"),
        ("MeterValuesSampledDataMaxLength", "5", "is what it is"),
        ("CertificateStoreMaxLength", "5", "is what it is"),
        ("MeterValuesSampledData", "RPM", "RPM is not supported"),
        ("HeartbeatInterval", "x", "not an integer"),
    ],
)
def test_what_does_not_fit_is_refused_from_inside_too(keys, key, given, words):
    with pytest.raises(DeviceModelError, match=words):
        keys.set_inside(key, given)


@pytest.mark.parametrize("key", [key for key in KEYS if key.fixed is None], ids=lambda key: key.name)
def test_every_key_leads_to_a_variable(model, key):
    assert model.entry(key.address).definition.mutability in Mutability
