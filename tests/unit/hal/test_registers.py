"""The register file: whatever is cut off, torn or damaged, a register never runs backwards by more than the last write."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.registers import RECORD_BYTES, RegisterFile


def opened(path) -> tuple[RegisterFile, dict[int, float]]:
    file = RegisterFile(path)
    return file, file.open()


def test_what_was_written_is_there_without_a_close(tmp_path):
    file, found = opened(tmp_path / "registers")
    assert found == {}
    for energy in (1.0, 2.5, 1e9 + 0.1):
        file.write(1, energy)
    file.write(3, 7.0)
    assert opened(tmp_path / "registers")[1] == {1: 1e9 + 0.1, 3: 7.0}


@pytest.mark.parametrize("kept", range(RECORD_BYTES + 1))
def test_a_record_torn_at_any_byte_leaves_the_one_before(tmp_path, kept):
    path = tmp_path / "registers"
    file, _ = opened(path)
    file.write(1, 100.0)
    before = path.read_bytes()
    file.write(1, 200.0)
    after = path.read_bytes()
    start = next(
        at for at in range(0, len(after), RECORD_BYTES) if after[at : at + 64] != before[at : at + 64].ljust(64)
    )
    torn = after[: start + kept] + before[start + kept :].ljust(len(after) - start - kept, b"\0")
    path.write_bytes(torn)
    assert opened(path)[1][1] in (100.0, 200.0)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damage_anywhere_never_raises_and_never_invents(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("registers") / "registers"
    file, _ = opened(path)
    written = {1: {10.0, 20.0, 30.0}, 2: {5.0, 6.0}}
    for energy in (10.0, 20.0, 30.0):
        file.write(1, energy)
    for energy in (5.0, 6.0):
        file.write(2, energy)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    damage = data.draw(st.binary(min_size=1, max_size=100))
    content[at : at + len(damage)] = damage
    path.write_bytes(content)
    for number, energy in opened(path)[1].items():
        assert energy in written[number]


def test_a_disk_that_refuses_is_told_once_and_counting_goes_on(tmp_path, monkeypatch, caplog):
    import os

    file, _ = opened(tmp_path / "registers")
    file.write(1, 1.0)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        file.write(1, 2.0)
        file.write(1, 3.0)
    assert caplog.text.count("cannot be kept") == 1
    file.write(1, 4.0)
    assert opened(tmp_path / "registers")[1] == {1: 4.0}
