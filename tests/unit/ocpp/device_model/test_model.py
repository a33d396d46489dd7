import pytest

from ocpp.device_model import Component, DeviceModel, Variable
from ocpp.device_model.definition import Attribute, DataType, Definition, Mutability
from ocpp.device_model.entry import Entry
from ocpp.device_model.model import MAX_VARIABLES, GetStatus, SetOutcome, SetStatus
from ocpp.errors import DeviceModelError, StorageError
from ocpp.storage.database import Database
from ocpp.storage.variables import VariableRepository

A, V = Component("A"), Variable("V")


def read_write(**more) -> Definition:
    return Definition(**({"data_type": DataType.INTEGER, "mutability": Mutability.READ_WRITE, "default": "5"} | more))


def small(definition: Definition, address: str = "A/V", database: Database | None = None) -> DeviceModel:
    model = DeviceModel(VariableRepository(database) if database is not None else None)
    model.define(address, definition)
    return model


# -- building ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("again", ["A/V", "a/V", "A/v"])
def test_a_variable_cannot_be_defined_twice_in_any_case(again):
    model = small(read_write())
    with pytest.raises(DeviceModelError, match="defined twice"):
        model.define(again, Definition())


def test_the_number_of_variables_is_bounded():
    model = DeviceModel()
    for number in range(MAX_VARIABLES):
        model.define(f"A/V{number}", Definition())
    with pytest.raises(DeviceModelError, match="more than"):
        model.define("A/one too many", Definition())


def test_a_component_that_is_taken_out_takes_every_place_of_it_along():
    model = DeviceModel()
    for address in ("A/V", "A@1/V", "A@1.2/V", "B/V"):
        model.define(address, Definition())
    model.remove_component("A")
    assert [str(entry) for entry in model.entries()] == ["B/V"]
    assert model.get(A, V)[1] is None


@pytest.mark.req("B05.FR.04", "B06.FR.06")
def test_a_component_that_was_taken_out_is_unknown():
    model = small(read_write())
    model.remove_component("A")
    assert model.get(A, V) == (GetStatus.UNKNOWN_COMPONENT, None)
    assert model.set(A, V, "1").status is SetStatus.UNKNOWN_COMPONENT


def test_a_component_that_was_taken_out_can_be_defined_again():
    model = small(read_write())
    model.remove_component("A")
    model.define("A/V", read_write(default="7"))
    assert model.value("A/V") == "7"


# -- read by the CSMS -------------------------------------------------------------------------------------------------


@pytest.mark.req("B06.FR.10")
def test_a_csms_reads_a_value():
    assert small(read_write()).get(A, V) == (GetStatus.ACCEPTED, "5")


@pytest.mark.parametrize(("component", "variable"), [("a", "v"), ("A", "v"), ("a", "V")])
def test_names_are_found_in_any_case(component, variable):
    model = small(read_write())
    assert model.get(Component(component), Variable(variable)) == (GetStatus.ACCEPTED, "5")
    assert model.set(Component(component), Variable(variable), "6").status is SetStatus.ACCEPTED


@pytest.mark.req("B06.FR.06")
@pytest.mark.parametrize("component", [Component("B"), Component("A", "x"), Component("A", None, 1)])
def test_an_unknown_component_is_told_without_a_value(component):
    assert small(read_write()).get(component, V) == (GetStatus.UNKNOWN_COMPONENT, None)


@pytest.mark.req("B06.FR.07")
@pytest.mark.parametrize("variable", [Variable("W"), Variable("V", "x")])
def test_an_unknown_variable_is_told_without_a_value(variable):
    assert small(read_write()).get(A, variable) == (GetStatus.UNKNOWN_VARIABLE, None)


@pytest.mark.req("B06.FR.08")
def test_an_attribute_that_the_variable_lacks_is_told_without_a_value():
    assert small(read_write()).get(A, V, Attribute.TARGET) == (GetStatus.NOT_SUPPORTED_ATTRIBUTE_TYPE, None)


@pytest.mark.req("B06.FR.09")
def test_a_password_cannot_be_read():
    model = small(Definition(mutability=Mutability.WRITE_ONLY, default="secret"))
    assert model.get(A, V) == (GetStatus.REJECTED, None)


@pytest.mark.req("B06.FR.13")
def test_an_attribute_that_was_never_set_is_an_empty_text():
    model = small(read_write(attributes=(Attribute.ACTUAL, Attribute.TARGET)))
    assert model.get(A, V, Attribute.TARGET) == (GetStatus.ACCEPTED, "")


@pytest.mark.req("B06.FR.14")
def test_instances_are_told_apart():
    model = DeviceModel()
    model.define("A[x]/V[y]", read_write(default="1"))
    model.define("A[z]/V[y]", read_write(default="2"))
    assert model.get(Component("A", "x"), Variable("V", "y")) == (GetStatus.ACCEPTED, "1")
    assert model.get(Component("A", "z"), Variable("V", "y")) == (GetStatus.ACCEPTED, "2")


@pytest.mark.req("B06.FR.15")
@pytest.mark.parametrize("none", [None, ""])
def test_without_an_instance_only_what_has_none_is_meant(none):
    model = small(read_write(), "A[x]/V")
    model.define("B/V[y]", read_write())
    assert model.get(Component("A", none), V)[0] is GetStatus.UNKNOWN_COMPONENT
    assert model.get(Component("B"), Variable("V", none))[0] is GetStatus.UNKNOWN_VARIABLE


def test_an_empty_instance_is_no_instance():
    model = small(read_write())
    assert model.get(Component("A", ""), Variable("V", "")) == (GetStatus.ACCEPTED, "5")
    assert model.set(Component("A", ""), Variable("V", ""), "6").status is SetStatus.ACCEPTED


def test_a_variable_of_2_1_does_not_exist_for_a_csms_of_2_0_1():
    model = small(read_write(since_21=True))
    assert model.get(A, V) == (GetStatus.ACCEPTED, "5")
    assert model.get(A, V, with_21=False)[0] is GetStatus.UNKNOWN_COMPONENT
    assert model.set(A, V, "6", with_21=False).status is SetStatus.UNKNOWN_COMPONENT
    assert list(model.entries(with_21=False)) == []


def test_what_is_hidden_does_not_exist_for_any_csms():
    model = small(read_write(hidden=True))
    assert model.get(A, V)[0] is GetStatus.UNKNOWN_COMPONENT
    assert model.set(A, V, "6").status is SetStatus.UNKNOWN_COMPONENT
    assert list(model.entries()) == []
    assert [str(entry) for entry in model.entries(hidden=True)] == ["A/V"]


# -- written by the CSMS ----------------------------------------------------------------------------------------------


@pytest.mark.req("B05.FR.10")
def test_a_csms_writes_a_value():
    model = small(read_write())
    assert model.set(A, V, "6") == SetOutcome(SetStatus.ACCEPTED)
    assert model.value("A/V") == "6"


@pytest.mark.req("B05.FR.04", "B05.FR.05", "B05.FR.06")
def test_what_is_unknown_is_told_when_written():
    model = small(read_write())
    assert model.set(Component("B"), V, "6").status is SetStatus.UNKNOWN_COMPONENT
    assert model.set(A, Variable("W"), "6").status is SetStatus.UNKNOWN_VARIABLE
    assert model.set(A, V, "6", Attribute.MAX_SET).status is SetStatus.NOT_SUPPORTED_ATTRIBUTE_TYPE


@pytest.mark.req("B05.FR.07", "B05.FR.08")
@pytest.mark.parametrize(
    ("value", "code"),
    [("six", "InvalidValue"), ("", "InvalidValue"), ("-1", "ValueOutOfRange"), ("11", "ValueOutOfRange")],
)
def test_a_value_that_does_not_fit_is_rejected_with_a_reason_and_nothing_changes(value, code):
    model = small(read_write(low=0, high=10))
    outcome = model.set(A, V, value)
    assert (outcome.status, outcome.reason_code) == (SetStatus.REJECTED, code)
    assert "an integer at least 0 and at most 10" in outcome.info
    assert model.value("A/V") == "5"


@pytest.mark.req("B05.FR.09")
@pytest.mark.parametrize("definition", [Definition(default="5"), read_write(constant=True)])
def test_what_is_read_only_is_rejected_with_a_reason(definition):
    model = small(definition)
    outcome = model.set(A, V, "6")
    assert (outcome.status, outcome.reason_code) == (SetStatus.REJECTED, "ReadOnly")
    assert model.value("A/V") == "5"


def test_a_password_can_be_written():
    model = small(Definition(mutability=Mutability.WRITE_ONLY, low=4))
    assert model.set(A, V, "secret").status is SetStatus.ACCEPTED
    assert model.value("A/V") == "secret"


def test_booleans_are_kept_in_small_letters():
    model = small(Definition(data_type=DataType.BOOLEAN, mutability=Mutability.READ_WRITE, default="false"))
    assert model.set(A, V, "True").status is SetStatus.ACCEPTED
    assert model.get(A, V) == (GetStatus.ACCEPTED, "true")


def test_a_variable_that_takes_effect_after_a_restart_says_so_and_is_kept():
    model = small(read_write(reboot_required=True))
    assert model.set(A, V, "6").status is SetStatus.REBOOT_REQUIRED
    assert model.value("A/V") == "6"


WITH_LIMITS = (Attribute.ACTUAL, Attribute.TARGET, Attribute.MIN_SET, Attribute.MAX_SET)


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("10", SetStatus.ACCEPTED),
        ("20", SetStatus.ACCEPTED),
        ("9", SetStatus.REJECTED),
        ("21", SetStatus.REJECTED),
    ],
)
def test_a_target_stays_between_min_set_and_max_set(value, status):
    model = small(read_write(attributes=WITH_LIMITS))
    model.set_inside(model.entry("A/V"), "10", Attribute.MIN_SET)
    model.set_inside(model.entry("A/V"), "20", Attribute.MAX_SET)
    assert model.set(A, V, value, Attribute.TARGET).status is status
    assert model.get(A, V, Attribute.TARGET)[1] == (value if status is SetStatus.ACCEPTED else "")


def test_a_target_is_no_actual_value():
    model = small(read_write(attributes=WITH_LIMITS))
    heard: list[int] = []
    model.integer("A/V").on_change(heard.append)
    model.set(A, V, "7", Attribute.TARGET)
    assert model.get(A, V) == (GetStatus.ACCEPTED, "5")
    assert heard == []


def test_a_block_may_refuse_a_write_and_is_not_asked_about_what_is_refused_anyway():
    model = small(read_write(low=0))
    asked: list[str] = []

    def guard(entry: Entry, attribute: Attribute, value: str) -> SetOutcome | None:
        asked.append(f"{entry} {attribute} {value}")
        return SetOutcome(SetStatus.REJECTED, "TxInProgress") if value == "6" else None

    model.guard(guard)
    assert model.set(A, V, "6").reason_code == "TxInProgress"
    assert model.set(A, V, "-1").reason_code == "ValueOutOfRange"
    assert model.set(A, V, "7").status is SetStatus.ACCEPTED
    assert asked == ["A/V Actual 6", "A/V Actual 7"]
    assert model.value("A/V") == "7"


def test_a_write_from_inside_needs_no_permission_but_must_fit():
    model = small(Definition(data_type=DataType.INTEGER, default="5", high=10))
    model.set_inside(model.entry("A/V"), "9")
    assert model.value("A/V") == "9"
    with pytest.raises(DeviceModelError, match="above 10"):
        model.set_inside(model.entry("A/V"), "11")


# -- kept over a restart ----------------------------------------------------------------------------------------------


def test_what_a_csms_wrote_is_there_after_a_restart(database):
    definition = read_write(attributes=WITH_LIMITS)
    first = small(definition, "A[x]@1.2/V[y]", database)
    first.set(Component("A", "x", 1, 2), Variable("V", "y"), "6")
    first.set(Component("a", "X", 1, 2), Variable("v", "Y"), "7", Attribute.TARGET)
    again = small(definition, "A[x]@1.2/V[y]", database).entry("A[x]@1.2/V[y]")
    assert (again.value(), again.value(Attribute.TARGET)) == ("6", "7")


def test_a_new_default_holds_where_nothing_was_written(database):
    small(read_write(default="5"), database=database)
    assert small(read_write(default="6"), database=database).value("A/V") == "6"


@pytest.mark.parametrize("definition", [read_write(persistent=False), read_write(constant=True)])
def test_what_is_measured_or_built_in_is_not_kept(database, definition):
    first = small(definition, database=database)
    first.set_inside(first.entry("A/V"), "6")
    assert first.value("A/V") == "6"
    assert small(definition, database=database).value("A/V") == "5"
    assert VariableRepository(database).load() == []


def test_a_kept_value_that_a_new_program_does_not_allow_gives_way_to_the_default(database):
    small(read_write(), database=database).set(A, V, "600")
    assert small(read_write(high=10), database=database).value("A/V") == "5"


def test_a_reset_variable_has_its_default_now_and_after_a_restart(database):
    model = small(read_write(attributes=WITH_LIMITS), database=database)
    heard: list[int] = []
    handle = model.integer("A/V")
    handle.on_change(heard.append)
    model.set(A, V, "6")
    model.set(A, V, "7", Attribute.TARGET)
    model.reset(model.entry("A/V"))
    assert (handle.value, heard, model.get(A, V, Attribute.TARGET)[1]) == (5, [6, 5], "")
    assert small(read_write(attributes=WITH_LIMITS), database=database).value("A/V") == "5"


def test_writing_the_same_value_again_touches_neither_disk_nor_listeners(database):
    model = small(read_write(), database=database)
    model.set(A, V, "6")
    heard: list[int] = []
    model.integer("A/V").on_change(heard.append)
    before = database.fsyncs
    assert model.set(A, V, "6").status is SetStatus.ACCEPTED
    assert (database.fsyncs, heard) == (before, [])


def test_writing_the_default_back_is_kept_over_a_restart(database):
    first = small(read_write(), database=database)
    first.set(A, V, "6")
    first.set(A, V, "5")
    assert small(read_write(), database=database).value("A/V") == "5"


def test_a_value_that_the_disk_refuses_does_not_count(database, monkeypatch):
    model = small(read_write(), database=database)
    heard: list[int] = []
    handle = model.integer("A/V")
    handle.on_change(heard.append)

    def full(*arguments: object) -> None:
        raise StorageError("disk full")

    monkeypatch.setattr(VariableRepository, "put", full)
    with pytest.raises(StorageError):
        model.set(A, V, "6")
    assert (handle.value, model.value("A/V"), heard) == (5, "5", [])


def write_and_fail(database: Database, model: DeviceModel) -> None:
    with database.transaction():
        model.set(A, V, "6")
        raise ZeroDivisionError


def test_a_value_does_not_count_when_the_transaction_around_it_fails(database):
    model = small(read_write(), database=database)
    with pytest.raises(ZeroDivisionError):
        write_and_fail(database, model)
    assert model.value("A/V") == "5"


def test_what_listened_hears_that_the_transaction_failed(database):
    model = small(read_write(), database=database)
    handle = model.integer("A/V")
    heard: list[int] = []
    handle.on_change(heard.append)
    with pytest.raises(ZeroDivisionError):
        write_and_fail(database, model)
    assert (handle.value, heard) == (5, [6, 5])


def test_a_stored_attribute_that_does_not_exist_does_not_keep_the_station_from_starting(database, caplog):
    VariableRepository(database).put("A", "V", "Actuam", "6")
    VariableRepository(database).put("A", "V", "Actual", "7")
    assert small(read_write(), database=database).value("A/V") == "7"
    assert "Actuam" in caplog.text
