"""The updater's order of versions, beside that of the packaging project."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from cross.update.version import order

NUMBERS = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
SUFFIXES = st.tuples(
    st.sampled_from(["", "a0", "a2", "b1", "rc1", "rc10"]),
    st.sampled_from(["", ".post0", ".post3"]),
    st.sampled_from(["", ".dev0", ".dev7"]),
    st.sampled_from(["", "+g1234abc", "+2.a", "+2", "+10.1"]),
).map("".join)
VERSIONS = st.builds("{}{}{}".format, st.sampled_from(["", "", "", "1!"]), NUMBERS, SUFFIXES)


@given(VERSIONS, VERSIONS)
def test_versions_are_ordered_as_pip_orders_them(one: str, other: str) -> None:
    first, second = Version(one), Version(other)
    assert (order(one) < order(other), order(one) == order(other)) == (first < second, first == second)


@pytest.mark.parametrize("text", ["", "v1.0", "latest", "1.0-1", "1..0", "1.0 ", "1.0\n", "1.0RC1"])
def test_what_is_no_version_has_no_order(text: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        order(text)
