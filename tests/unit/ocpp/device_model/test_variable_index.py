"""The compiled index against a plain dictionary of folded names."""

from hypothesis import given
from hypothesis import strategies as st

from ocpp._native.variables import Readable, VariableIndex

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


READABLES = st.builds(
    Readable,
    st.dictionaries(st.sampled_from(["Actual", "Target"]), st.sampled_from(["", "1"])),
    st.none() | st.just(lambda: "measured"),
    st.booleans(),
)


@given(
    added=st.lists(st.tuples(KEYS, READABLES | st.just("no variable")), max_size=8),
    asked=st.lists(KEYS, max_size=8),
    attribute=st.sampled_from(["Actual", "Target"]),
    with_21=st.booleans(),
)
def test_what_is_read_is_a_plain_actual_value_or_what_the_exact_rules_say(added, asked, attribute, with_21):
    def exactly(*wish):
        return "exactly", wish

    index, oracle = VariableIndex(exactly, "Actual", "Accepted"), {}
    for key, entry in added:
        if folded(key) not in oracle:
            index.add(*key, entry)
            oracle[folded(key)] = entry
    for key in [key for key, _ in added] + asked:
        wish = (*key, attribute, with_21)
        entry = oracle.get(folded(key))
        quick = isinstance(entry, Readable) and entry.plain and entry.getter is None
        if quick and attribute == "Actual" and attribute in entry.values:
            assert index.read(*wish) == ("Accepted", entry.values[attribute])
        else:
            assert index.read(*wish) == ("exactly", wish)


def test_none_and_an_empty_instance_are_different_names():
    index = VariableIndex()
    index.add("A", None, None, None, "V", None, 1)
    assert index.find("A", "", None, None, "V", None) is None


def test_removing_what_is_not_there_changes_nothing():
    index = VariableIndex()
    index.add("A", None, None, None, "V", None, 1)
    index.remove("A", None, None, None, "W", None)
    assert index.find("A", None, None, None, "V", None) == 1
