import pytest

from ocpp.storage.database import Database
from ocpp.storage.variables import VariableRepository


@pytest.fixture
def variables(database):
    return VariableRepository(database)


def test_values_come_back_after_a_restart(path):
    database = Database.open(path)
    VariableRepository(database).put("Connector@1.2", "ChargeProtocol[x]", "Actual", "true")
    database.close()
    database = Database.open(path)
    assert VariableRepository(database).load() == [("Connector@1.2", "ChargeProtocol[x]", "Actual", "true")]
    database.close()


def test_attributes_are_kept_apart(variables):
    variables.put("EVSE@1", "Power", "Actual", "1")
    variables.put("EVSE@1", "Power", "Target", "2")
    variables.put("EVSE@1", "Power", "Target", "3")
    assert sorted(variables.load()) == [("EVSE@1", "Power", "Actual", "1"), ("EVSE@1", "Power", "Target", "3")]


def test_a_value_that_is_removed_is_gone_and_the_others_stay(variables):
    variables.put("A", "V", "Actual", "1")
    variables.put("A", "V", "Target", "2")
    variables.remove("A", "V", "Actual")
    variables.remove("A", "W", "Actual")
    assert variables.load() == [("A", "V", "Target", "2")]


@pytest.mark.req("B05.FR.10")
def test_a_value_is_on_disk_before_the_csms_is_told(database, variables):
    variables.put("A", "V", "Actual", "1")
    assert database.fsyncs == 1


@pytest.mark.parametrize("column", ["component", "variable", "attribute", "value"])
def test_a_row_with_a_damaged_byte_does_not_cost_the_others(database, variables, caplog, column):
    variables.put("A", "V", "Actual", "1")
    variables.put("B", "W", "Actual", "2")
    with database.transaction():
        database.execute(f"UPDATE variables SET {column} = CAST(x'ff' AS TEXT) WHERE component = 'A'")
    assert variables.load() == [("B", "W", "Actual", "2")]
    assert "its default holds" in caplog.text
