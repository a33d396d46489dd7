import pytest

from ocpp.device_model import Component, DeviceModel
from ocpp.device_model.address import parse
from ocpp.device_model.definition import LISTS, DataType, Definition, Mutability
from ocpp.device_model.model import GetStatus, SetStatus
from ocpp.device_model.standard import TABLES, build

TABLE: dict[str, Definition] = {address: definition for table in TABLES for address, definition in table.items()}
RW, RO, WO = Mutability.READ_WRITE, Mutability.READ_ONLY, Mutability.WRITE_ONLY

# What Part 2 requires of the controllers whose blocks are built: name, type, unit, and mutability where it is not free.
REQUIRED = [
    ("OCPPCommCtrlr/MessageTimeout[Default]", "integer", "s", RO),
    ("OCPPCommCtrlr/FileTransferProtocols", "MemberList", None, RO),
    ("OCPPCommCtrlr/NetworkConfigurationPriority", "SequenceList", None, RW),
    ("OCPPCommCtrlr/NetworkProfileConnectionAttempts", "integer", None, RW),
    ("OCPPCommCtrlr/OfflineThreshold", "integer", "s", RW),
    ("OCPPCommCtrlr/MessageAttempts[TransactionEvent]", "integer", None, RW),
    ("OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]", "integer", "s", RW),
    ("OCPPCommCtrlr/UnlockOnEVSideDisconnect", "boolean", None, None),
    ("OCPPCommCtrlr/ResetRetries", "integer", None, RW),
    ("OCPPCommCtrlr/RetryBackOffRepeatTimes", "integer", None, RW),
    ("OCPPCommCtrlr/RetryBackOffRandomRange", "integer", "s", RW),
    ("OCPPCommCtrlr/RetryBackOffWaitMinimum", "integer", "s", RW),
    ("OCPPCommCtrlr/WebSocketPingInterval", "integer", "s", RW),
    ("DeviceDataCtrlr/ItemsPerMessage[GetReport]", "integer", None, RO),
    ("DeviceDataCtrlr/ItemsPerMessage[GetVariables]", "integer", None, RO),
    ("DeviceDataCtrlr/ItemsPerMessage[SetVariables]", "integer", None, RO),
    ("DeviceDataCtrlr/BytesPerMessage[GetReport]", "integer", None, RO),
    ("DeviceDataCtrlr/BytesPerMessage[GetVariables]", "integer", None, RO),
    ("DeviceDataCtrlr/BytesPerMessage[SetVariables]", "integer", None, RO),
    ("ClockCtrlr/DateTime", "dateTime", None, RO),
    ("ClockCtrlr/TimeSource", "SequenceList", None, RW),
    ("SecurityCtrlr/OrganizationName", "string", None, RW),
    ("SecurityCtrlr/CertificateEntries", "integer", None, RO),
    ("SecurityCtrlr/SecurityProfile", "integer", None, RO),
    ("AuthCtrlr/AuthorizeRemoteStart", "boolean", None, None),
    ("AuthCtrlr/LocalAuthorizeOffline", "boolean", None, RW),
    ("AuthCtrlr/LocalPreAuthorize", "boolean", None, RW),
    ("TxCtrlr/EVConnectionTimeOut", "integer", "s", RW),
    ("TxCtrlr/StopTxOnEVSideDisconnect", "boolean", None, None),
    ("TxCtrlr/StopTxOnInvalidId", "boolean", None, RW),
    ("TxCtrlr/TxStartPoint", "MemberList", None, None),
    ("TxCtrlr/TxStopPoint", "MemberList", None, None),
    ("SampledDataCtrlr/TxEndedMeasurands", "MemberList", None, RW),
    ("SampledDataCtrlr/TxEndedInterval", "integer", "s", RW),
    ("SampledDataCtrlr/TxStartedMeasurands", "MemberList", None, RW),
    ("SampledDataCtrlr/TxUpdatedMeasurands", "MemberList", None, RW),
    ("SampledDataCtrlr/TxUpdatedInterval", "integer", "s", RW),
    ("AlignedDataCtrlr/Measurands", "MemberList", None, RW),
    ("AlignedDataCtrlr/Interval", "integer", "s", RW),
    ("AlignedDataCtrlr/TxEndedMeasurands", "MemberList", None, RW),
    ("AlignedDataCtrlr/TxEndedInterval", "integer", "s", RW),
]

# What the domain reads whatever blocks the station has.
ALWAYS_THERE = {
    "TxCtrlr/ResumptionTimeout": "0",
    "OCPPCommCtrlr/UnlockOnEVSideDisconnect": "true",
    "TxCtrlr/TxBeforeAcceptedEnabled": "false",
    "TxCtrlr/MaxEnergyOnInvalidId": "0",
    "AuthCacheCtrlr/LifeTime": "0",
    "AuthCtrlr/MasterPassGroupId": "",
}


def test_the_tables_do_not_contradict_each_other():
    assert sum(len(table) for table in TABLES) == len(TABLE)
    build(DeviceModel())


@pytest.mark.parametrize("address", TABLE)
def test_every_default_is_a_good_value(address):
    definition = TABLE[address]
    if definition.default or definition.data_type in LISTS:
        assert definition.defect(definition.default) == ""


@pytest.mark.parametrize("address", TABLE)
def test_names_fit_into_messages(address):
    component, variable = parse(address)
    assert all(
        name is None or len(name) <= 50
        for name in (component.name, component.instance, variable.name, variable.instance)
    )
    assert len(",".join(TABLE[address].values)) <= 1000


@pytest.mark.req("B07.FR.08")
@pytest.mark.parametrize(("address", "data_type", "unit", "mutability"), REQUIRED, ids=[row[0] for row in REQUIRED])
def test_required_variables_are_there_with_their_characteristics(model, address, data_type, unit, mutability):
    definition = model.entry(address).definition
    assert (definition.data_type.value, definition.unit) == (data_type, unit)
    assert mutability is None or definition.mutability is mutability
    assert not definition.hidden
    assert not definition.since_21


@pytest.mark.parametrize(("address", "value"), ALWAYS_THERE.items())
def test_what_the_domain_reads_is_there_even_without_the_block(model, address, value):
    assert model.value(address) == value


@pytest.mark.parametrize(
    "component",
    [
        "MonitoringCtrlr",
    ],
)
def test_blocks_that_are_not_built_say_so(model, component):
    assert model.value(f"{component}/Available") == "false"
    shown = [entry for entry in model.entries() if entry.component.name == component]
    assert {entry.variable.name for entry in shown} <= {"Available", "Enabled"}
    assert all(entry.value() == "false" for entry in shown)


@pytest.mark.req("A00.FR.205")
def test_the_password_has_the_length_the_standard_asks_for_and_is_kept_elsewhere(model):
    entry = model.entry("SecurityCtrlr/BasicAuthPassword")
    assert entry.definition.mutability is WO
    assert not entry.definition.persistent
    assert model.set(entry.component, entry.variable, "x" * 15).status is SetStatus.REJECTED
    assert model.set(entry.component, entry.variable, "x" * 41).status is SetStatus.REJECTED
    assert model.set(entry.component, entry.variable, "x" * 40).status is SetStatus.ACCEPTED
    assert model.get(entry.component, entry.variable) == (GetStatus.REJECTED, None)


@pytest.mark.parametrize("address", [address for address in TABLE if TABLE[address].data_type is DataType.BOOLEAN])
def test_booleans_default_to_true_or_false(address):
    assert TABLE[address].default in ("true", "false")


WRITABLE_INTEGERS = [
    address
    for address, definition in TABLE.items()
    if definition.data_type is DataType.INTEGER and definition.mutability is RW
]
LARGEST_INTEGER = 2**31 - 1


@pytest.mark.parametrize("address", WRITABLE_INTEGERS)
def test_no_number_a_csms_may_set_is_larger_than_a_timer_can_take(model, address):
    entry = model.entry(address)
    assert model.write(entry, "9" * 400).status is SetStatus.REJECTED
    assert TABLE[address].high is not None
    assert TABLE[address].high <= LARGEST_INTEGER


@pytest.mark.parametrize("address", WRITABLE_INTEGERS)
def test_no_number_a_csms_may_set_is_negative(model, address):
    entry = model.entry(address)
    assert model.write(entry, "-1").status is SetStatus.REJECTED


def test_the_component_of_1_6_does_not_exist_for_a_2_x_csms(model):
    _, variable = parse("OCPP16Ctrlr/BlinkRepeat")
    assert model.get(Component("OCPP16Ctrlr"), variable) == (GetStatus.UNKNOWN_COMPONENT, None)
