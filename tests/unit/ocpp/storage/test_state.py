import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocpp.storage.database import Database
from ocpp.storage.state import StateRepository

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def state(database):
    return StateRepository(database)


def test_what_was_never_put_is_the_default(state):
    assert state.get("boot") is None
    assert state.get("boot", 7) == 7


def test_none_that_was_put_is_not_the_default(state):
    state.put("boot", None)
    assert state.get("boot", 7) is None


def test_the_last_value_counts(state):
    state.put("major", 1)
    state.put("major", 2)
    assert state.get("major") == 2


def test_values_survive_a_restart(path):
    database = Database.open(path)
    StateRepository(database).put("availability", {"1": {"1": "Inoperative"}})
    database.close()
    database = Database.open(path)
    assert StateRepository(database).get("availability") == {"1": {"1": "Inoperative"}}
    database.close()


def test_a_value_is_durable_unless_the_caller_says_otherwise(database, state):
    state.put("now", 1, durable=False)
    assert database.fsyncs == 0
    state.put("major", 2)
    assert database.fsyncs == 1


def test_what_json_cannot_express_is_refused_and_the_old_value_stays(state):
    state.put("a", 1)
    with pytest.raises(TypeError):
        state.put("a", object())
    assert state.get("a") == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=st.text(st.characters(exclude_categories=["Cs"])), value=JSON)
def test_any_json_value_comes_back_equal(state, key, value):
    state.put(key, value, durable=False)
    assert state.get(key) == value


@pytest.mark.parametrize("damaged", ["x'ff'", "x'7b'", "CAST(x'22ff22' AS TEXT)"])
def test_a_value_that_cannot_be_read_any_more_is_the_default_and_can_be_put_again(database, state, caplog, damaged):
    state.put("major", 2)
    with database.transaction():
        database.execute(f"UPDATE state SET value = {damaged}")
    assert state.get("major", 1) == 1
    assert "major" in caplog.text
    state.put("major", 2)
    assert state.get("major") == 2
