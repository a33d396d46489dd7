import pytest

from cross.targets import TARGETS, chosen


def test_no_name_means_every_target() -> None:
    assert len(chosen([])) == len(TARGETS) == 6


def test_an_architecture_stands_for_all_its_targets() -> None:
    assert [each.name for each in chosen(["armv7l"])] == ["armv7l-cp311", "armv7l-cp313"]


def test_a_python_version_stands_for_all_its_targets() -> None:
    assert [each.name for each in chosen(["3.13"])] == ["x86_64-cp313", "aarch64-cp313", "armv7l-cp313"]


def test_a_target_named_twice_is_built_once() -> None:
    assert [each.name for each in chosen(["armv7l-cp311", "armv7l"])] == ["armv7l-cp311", "armv7l-cp313"]


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="mips is no target; known are x86_64-cp311"):
        chosen(["mips"])
