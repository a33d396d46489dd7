"""The compiled index against a plain dictionary of folded names."""

from hypothesis import given
from hypothesis import strategies as st

from ocpp._native.variables import VariableIndex

NAMES = st.sampled_from(["EVSE", "evse", "Connector", "CONNECTOR", "Straße", "STRASSE", "İ", ""])
INSTANCES = st.none() | st.sampled_from(["", "a", "A", "b"])
NUMBERS = st.none() | st.integers(0, 2)
KEYS = st.tuples(NAMES, INSTANCES, NUMBERS, NUMBERS, NAMES, INSTANCES)


def folded(key):
    return tuple(part.casefold() if isinstance(part, str) else part for part in key)


@given(added=st.lists(KEYS, max_size=12), removed=st.lists(KEYS, max_size=4), asked=st.lists(KEYS, max_size=12))
def test_the_index_finds_what_a_dictionary_of_folded_names_finds(added, removed, asked):
    index, oracle = VariableIndex(), {}
    for number, key in enumerate(added):
        if folded(key) not in oracle:
            index.add(*key, number)
            oracle[folded(key)] = number
    for key in removed:
        if key in added and oracle.get(folded(key)) == added.index(key):
            index.remove(*key)
            del oracle[folded(key)]
    assert len(index) == len(oracle)
    for key in added + asked:
        assert index.find(*key) == oracle.get(folded(key)), key


def test_none_and_an_empty_instance_are_different_names():
    index = VariableIndex()
    index.add("A", None, None, None, "V", None, 1)
    assert index.find("A", "", None, None, "V", None) is None


def test_removing_what_is_not_there_changes_nothing():
    index = VariableIndex()
    index.add("A", None, None, None, "V", None, 1)
    index.remove("A", None, None, None, "W", None)
    assert index.find("A", None, None, None, "V", None) == 1
