"""What firmware imports from `ocpp.charge_point` is there, though it is loaded late."""

import pytest

from ocpp import charge_point
from ocpp.vocabulary import DEFINED_IN, term


@pytest.mark.parametrize("name", charge_point.__all__)
def test_every_name_is_there(name):
    assert getattr(charge_point, name).__name__ == name


def test_no_term_is_missing_from_what_the_module_offers():
    assert {name for names in DEFINED_IN.values() for name in names} <= set(charge_point.__all__)


def test_a_term_that_there_is_not_is_told_as_python_does():
    with pytest.raises(AttributeError, match="has no attribute 'Contactor'"):
        charge_point.Contactor  # noqa: B018
    with pytest.raises(AttributeError):
        term("Contactor")
