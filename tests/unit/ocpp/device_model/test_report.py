import pytest

from ocpp.device_model import DeviceModel
from ocpp.device_model.definition import Attribute, Definition, Mutability
from ocpp.device_model.report import Wanted, base_report, custom_report
from ocpp.device_model.standard.rows import RO, boolean, integer


@pytest.fixture
def small():
    """Components told by which of the criteria's variables they have, and with which value."""
    model = DeviceModel()
    model.define("Plain/V", integer(1))
    for variable in ("Active", "Available", "Enabled", "Problem"):
        for value in (True, False):
            model.define(f"{variable}{value}/{variable}", boolean(value, RO))
            model.define(f"{variable}{value}/V", integer(1))
    return model


@pytest.fixture
def placed():
    model = DeviceModel()
    for address in ("A/V", "A@1/V", "A@1.1/V", "A@1.1/W", "A@1.2/V", "A@2.1/V", "B[x]/V[1]", "B[x]/V[2]", "B[y]/V[1]"):
        model.define(address, Definition())
    return model


def names(entries) -> set[str]:
    return {str(entry) for entry in entries}


def want(name, instance=None, evse=None, connector=None, variable=None, variable_instance=None) -> Wanted:
    return Wanted(name, instance, evse, connector, variable, variable_instance)


def chosen(model: DeviceModel, *criteria: str, wanted: tuple[Wanted, ...] = ()) -> set[str]:
    return {entry.component.name for entry in custom_report(model, criteria, wanted, with_21=True)}


# -- base reports -----------------------------------------------------------------------------------------------------


@pytest.mark.req("B07.FR.02")
def test_a_base_that_is_not_known_is_no_report(model):
    assert base_report(model, "NoInventory", with_21=True) is None


@pytest.mark.req("B07.FR.08", "B07.FR.12")
def test_the_full_inventory_holds_everything_a_csms_may_see(model):
    found = list(base_report(model, "FullInventory", with_21=True))
    assert found == list(model.entries())
    assert len(names(found)) == len(found)
    assert not any(entry.definition.hidden for entry in found)


def test_the_full_inventory_of_2_0_1_leaves_out_what_2_1_added(model):
    older = names(base_report(model, "FullInventory", with_21=False))
    newer = names(base_report(model, "FullInventory", with_21=True))
    assert older < newer
    assert newer - older == {str(entry) for entry in model.entries() if entry.definition.since_21}


@pytest.mark.req("B07.FR.07", "B07.FR.12")
def test_the_configuration_inventory_holds_what_an_operator_can_set(model):
    found = list(base_report(model, "ConfigurationInventory", with_21=True))
    assert {entry.definition.mutability for entry in found} == {Mutability.READ_WRITE, Mutability.WRITE_ONLY}
    assert "OCPPCommCtrlr/HeartbeatInterval" in names(found)
    assert "SecurityCtrlr/BasicAuthPassword" in names(found)
    assert "ChargingStation/Model" not in names(found)


@pytest.mark.req("B07.FR.09")
def test_the_summary_tells_of_availability_and_condition(model):
    found = names(base_report(model, "SummaryInventory", with_21=True))
    assert {
        "ChargingStation/AvailabilityState",
        "EVSE@1/AvailabilityState",
        "EVSE@2/AvailabilityState",
        "Connector@1.1/AvailabilityState",
        "Connector@2.1/AvailabilityState",
        "Connector@2.2/AvailabilityState",
    } <= found
    assert "OCPPCommCtrlr/HeartbeatInterval" not in found


@pytest.mark.req("B07.FR.11")
def test_attributes_are_part_of_what_is_reported_even_when_unset():
    model = DeviceModel()
    model.define("A/V", Definition(attributes=(Attribute.ACTUAL, Attribute.TARGET)))
    (entry,) = base_report(model, "FullInventory", with_21=True)
    assert [(attribute, entry.value(attribute)) for attribute in entry.definition.attributes] == [
        (Attribute.ACTUAL, ""),
        (Attribute.TARGET, ""),
    ]


# -- custom reports ---------------------------------------------------------------------------------------------------

WITHOUT_PROBLEM = {
    "Plain",
    "ActiveTrue",
    "ActiveFalse",
    "AvailableTrue",
    "AvailableFalse",
    "EnabledTrue",
    "EnabledFalse",
}


@pytest.mark.parametrize(
    "criterion",
    [
        pytest.param("Active", marks=pytest.mark.req("B08.FR.07")),
        pytest.param("Available", marks=pytest.mark.req("B08.FR.08")),
        pytest.param("Enabled", marks=pytest.mark.req("B08.FR.09")),
    ],
)
def test_a_criterion_leaves_out_only_components_that_say_false(small, criterion):
    everything = chosen(small)
    assert chosen(small, criterion) == everything - {f"{criterion}False"}


@pytest.mark.req("B08.FR.10")
def test_a_problem_has_only_who_says_so(small):
    assert chosen(small, "Problem") == {"ProblemTrue"}


@pytest.mark.req("B08.FR.13")
def test_one_of_several_criteria_is_enough(small):
    assert chosen(small, "Problem", "Enabled") == chosen(small, "Enabled") | {"ProblemTrue"}
    assert "EnabledFalse" not in chosen(small, "Problem", "Enabled")
    assert chosen(small, "Enabled") >= WITHOUT_PROBLEM - {"EnabledFalse"}


@pytest.mark.req("B08.FR.05")
def test_criteria_and_wishes_both_limit_the_report(small):
    wishes = (want("EnabledFalse"), want("EnabledTrue"))
    assert chosen(small, "Enabled", wanted=wishes) == {"EnabledTrue"}


@pytest.mark.req("B08.FR.15")
def test_a_combination_that_nothing_meets_is_an_empty_report(small):
    assert chosen(small, "Problem", wanted=(want("Plain"),)) == set()
    assert chosen(small, wanted=(want("Absent"),)) == set()


@pytest.mark.req("B08.FR.08")
def test_a_criterion_with_instances_is_met_when_one_of_them_says_true():
    model = DeviceModel()
    model.define("TariffCostCtrlr/Available[Tariff]", boolean(False, RO))
    model.define("TariffCostCtrlr/Available[Cost]", boolean(True, RO))
    assert chosen(model, "Available") == {"TariffCostCtrlr"}


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        pytest.param(want("A", evse=1, connector=1, variable="V"), {"A@1.1/V"}, marks=pytest.mark.req("B08.FR.11")),
        pytest.param(want("A", evse=1, connector=1), {"A@1.1/V", "A@1.1/W"}, marks=pytest.mark.req("B08.FR.20")),
        pytest.param(
            want("B", "x", variable="V"), {"B[x]/V[1]", "B[x]/V[2]"}, marks=pytest.mark.req("B08.FR.21", "B08.FR.24")
        ),
        pytest.param(
            want("A", evse=1, variable="V"), {"A@1/V", "A@1.1/V", "A@1.2/V"}, marks=pytest.mark.req("B08.FR.22")
        ),
        pytest.param(
            want("A", variable="V"),
            {"A/V", "A@1/V", "A@1.1/V", "A@1.2/V", "A@2.1/V"},
            marks=pytest.mark.req("B08.FR.23"),
        ),
        pytest.param(
            want("B", variable="V", variable_instance="1"),
            {"B[x]/V[1]", "B[y]/V[1]"},
            marks=pytest.mark.req("B08.FR.25"),
        ),
        pytest.param(want("a", variable="w"), {"A@1.1/W"}, id="any case"),
        pytest.param(want("B", "", variable="V", variable_instance="2"), {"B[x]/V[2]"}, id="empty instance"),
    ],
)
def test_what_a_wish_leaves_open_matches_anything(placed, wish, found):
    assert names(custom_report(placed, (), (wish,), with_21=True)) == found


def test_overlapping_wishes_report_a_variable_once(placed):
    wishes = (want("A", evse=1), want("A", variable="V"))
    found = [str(entry) for entry in custom_report(placed, (), wishes, with_21=True)]
    assert len(found) == len(set(found))


def test_without_wishes_and_criteria_everything_is_reported(placed):
    assert len(list(custom_report(placed, (), (), with_21=True))) == 9
