"""The station's limit shared by those who charge."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp.core.sharing import Demand, share


@pytest.mark.parametrize(
    ("demands", "shares"),
    [
        ([], []),
        ([Demand(2.0)], [1.0]),
        ([Demand(0.4)], [0.4]),
        ([Demand(2.0), Demand(2.0)], [0.5, 0.5]),
        ([Demand(0.2), Demand(2.0)], [0.2, 0.8]),
        ([Demand(2.0, least=0.6), Demand(2.0, least=0.1)], [0.6, 0.4]),
        ([Demand(2.0, least=0.6, since=1), Demand(2.0, least=0.6, since=2)], [1.0, 0.0]),
        ([Demand(2.0, least=0.6, since=1), Demand(2.0, least=0.6, since=2, priority=1)], [0.0, 1.0]),
        ([Demand(2.0, least=0.6, priority=9, sated=True), Demand(2.0, least=0.6)], [0.0, 1.0]),
        ([Demand(0.0, least=0.6), Demand(2.0, least=0.6)], [0.0, 1.0]),
        ([Demand(2.0, least=3.0)], [1.0]),
    ],
)
def test_shares(demands, shares):
    assert share(demands) == pytest.approx(shares)


demand = st.builds(
    Demand,
    most=st.floats(0, 3),
    least=st.floats(0, 1.5),
    priority=st.integers(-9, 9),
    since=st.floats(0, 9),
    sated=st.booleans(),
)


@given(st.lists(demand, max_size=6))
def test_the_whole_is_never_exceeded_and_never_left_unused(demands):
    shares = share(demands)
    assert sum(shares) <= 1 + 1e-9
    assert all(0 <= given <= each.most + 1e-9 for given, each in zip(shares, demands, strict=True))
    hungry = [n for n, each in enumerate(demands) if 0 < shares[n] < each.most - 1e-9]
    if hungry:
        assert math.isclose(sum(shares), 1, abs_tol=1e-9)
