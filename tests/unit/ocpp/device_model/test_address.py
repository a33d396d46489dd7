import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp.device_model.address import Component, Variable, parse, parse_component
from ocpp.errors import DeviceModelError


@pytest.mark.parametrize(
    ("text", "component", "variable"),
    [
        ("TxCtrlr/TxStartPoint", Component("TxCtrlr"), Variable("TxStartPoint")),
        ("A[x]/V", Component("A", "x"), Variable("V")),
        ("EVSE@1/Power", Component("EVSE", None, 1), Variable("Power")),
        ("Connector@1.2/Available", Component("Connector", None, 1, 2), Variable("Available")),
        ("A[x]@1.2/V[y]", Component("A", "x", 1, 2), Variable("V", "y")),
        (
            "OCPPCommCtrlr/MessageTimeout[Default]",
            Component("OCPPCommCtrlr"),
            Variable("MessageTimeout", "Default"),
        ),
        ("A[with / slash]/V[and @ 1.2]", Component("A", "with / slash"), Variable("V", "and @ 1.2")),
    ],
)
def test_an_address_is_read_and_written_in_the_same_form(text, component, variable):
    assert parse(text) == (component, variable)
    assert f"{component}/{variable}" == text


@pytest.mark.parametrize(
    "text",
    ["", "TxCtrlr", "/V", "A/", "A/B/C", "A@/V", "A@x/V", "A@1./V", "A@1.2.3/V", "A[x/V", "A]/V", "A/V[x", "A@-1/V"],
)
def test_a_text_of_another_form_is_refused_with_the_form_in_words(text):
    with pytest.raises(DeviceModelError, match="the form is"):
        parse(text)


@pytest.mark.parametrize("text", ["TxCtrlr/TxStartPoint", "", "A@x", "A["])
def test_a_component_alone_is_no_variable(text):
    with pytest.raises(DeviceModelError, match="is no component"):
        parse_component(text)


def test_a_component_alone_is_read():
    assert parse_component("Connector[x]@1.2") == Component("Connector", "x", 1, 2)


NAMES = st.text(st.characters(categories=["L", "N"], include_characters=" .-_"), min_size=1, max_size=50)
INSTANCES = st.none() | st.text(st.characters(exclude_characters="[]\n", exclude_categories=["Cs"]), max_size=50)


@given(
    name=NAMES,
    instance=INSTANCES,
    place=st.tuples(st.none() | st.integers(0, 99), st.none() | st.integers(0, 9)),
    variable=NAMES,
    variable_instance=INSTANCES,
)
def test_every_address_survives_its_text_form(name, instance, place, variable, variable_instance):
    evse, connector = place
    component = Component(name, instance, evse, connector if evse is not None else None)
    assert parse(f"{component}/{Variable(variable, variable_instance)}") == (
        component,
        Variable(variable, variable_instance),
    )
