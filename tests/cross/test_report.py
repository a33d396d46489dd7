"""What `make boards` and `make machine` tell."""

import io
import json
import subprocess
from pathlib import Path

import pytest

from cross import boards, disk, machine
from cross.report import Report
from cross.running import StepFailed
from cross.targets import TARGETS

ARM, AARCH = TARGETS["armv7l-cp311"], TARGETS["aarch64-cp311"]


def event(kind: str, number: int, sender: str = "station") -> list[dict[str, object]]:
    payload = {"eventType": kind, "seqNo": number, "transactionInfo": {"transactionId": "a"}}
    frame = [2, "1", "TransactionEvent", payload] if sender == "station" else [3, "1", {}]
    return [{"n": 1, "from": sender, "frame": json.dumps(frame)}]


STARTED, ENDED, ANSWER = event("Started", 0), event("Ended", 1), event("", 0, "csms")


class TestTheCountsOfATestRun:
    def test_are_those_of_pytests_summary_with_the_reasons(self) -> None:
        shown = (
            "....\n-- Docs: https://docs.pytest.org/x.html\nSKIPPED [3] tests/support/peers.py:20: the peer is not there\n"
            "===== 812 passed, 3 skipped, 7 warnings in 230.12s (0:03:50) =====\n"
        )
        assert boards.counts(shown) == "812 passed, 3 skipped, 7 warnings; 3 skipped: the peer is not there"

    def test_are_missed_when_nothing_passed(self) -> None:
        with pytest.raises(StepFailed, match="does not say"):
            boards.counts("3 skipped\n-- Docs: https://docs.pytest.org/x.html")


class TestThePage:
    def test_has_every_board_that_was_tried_and_keeps_what_another_command_saw(self, tmp_path: Path) -> None:
        page = tmp_path / "boards.md"
        seen = {
            "commit": "abc",
            "demos": ["1.6", "2.1"],
            "tests": "5 passed",
            "starts": ["| armv7l | nothing | 38 | 1 |"],
        }
        Report.note(ARM, tmp_path, page, **seen)
        Report.note(AARCH, tmp_path, page, machine=["it is up"], machine_commit="def")
        Report.note(ARM, tmp_path, page, tuning=["| a loop | 5 |"])
        text = page.read_text()
        assert "| armv7l-cp311 | abc |  | 1.6, 2.1 | 5 passed |" in text
        assert "| armv7l | nothing | 38 | 1 |" in text
        assert "## aarch64-cp311, a whole machine" in text
        assert "- it is up" in text
        assert "aarch64-cp311 |" not in text  # only its machine was tried
        assert Report.load(ARM, tmp_path) == Report(ARM.name, tuning=["| a loop | 5 |"], **seen)


class TestTheInspectionOfAMachine:
    def test_counts_when_it_came_to_its_end(self) -> None:
        assert machine.findings("boot\n\r\ninspection: it is up\r\n\ninspection: done\n") == ["it is up"]

    @pytest.mark.parametrize(
        "console", ["", "inspection: it is up\n", "inspection: FAILED start: no\ninspection: done\n"]
    )
    def test_does_not_when_it_broke_off(self, console: str) -> None:
        with pytest.raises(StepFailed):
            machine.findings(console)

    def test_wants_every_transaction_from_start_to_end(self) -> None:
        assert machine.check_transactions(STARTED + ANSWER + ENDED).startswith("the CSMS was told of 1 transaction")
        assert "1 events came again" in machine.check_transactions(STARTED + STARTED + ENDED)

    @pytest.mark.parametrize(
        "traffic", [[], ANSWER, STARTED, ENDED, ENDED + STARTED, STARTED + ENDED + STARTED], ids=len
    )
    def test_is_not_content_with_lost_or_misplaced_events(self, traffic: list[dict[str, object]]) -> None:
        with pytest.raises(StepFailed, match="transaction"):
            machine.check_transactions(traffic)


def test_a_system_in_memory_is_an_archive_that_cpio_reads(tmp_path: Path) -> None:
    data = disk._cpio(["proc"], [("init", b"#!/bin/sh\n", 0o755), ("modules/odd", b"12345", 0o644)])
    assert len(data) % 4 == 0
    names, stream = [], io.BytesIO(data)
    while (header := stream.read(110))[:6] == b"070701":
        fields = [int(header[6 + 8 * index : 14 + 8 * index], 16) for index in range(13)]
        names.append(stream.read(fields[11])[:-1].decode())
        stream.seek(-stream.tell() % 4, io.SEEK_CUR)
        content = stream.read(fields[6])
        stream.seek(-stream.tell() % 4, io.SEEK_CUR)
        if names[-1] == "modules/odd":
            assert content == b"12345"
        if names[-1] == "init":
            assert (fields[1] & 0o777, content) == (0o755, b"#!/bin/sh\n")
    assert names == ["proc", "init", "modules/odd", "TRAILER!!!"]


def test_modules_are_loaded_after_those_that_they_need(tmp_path: Path) -> None:
    (tmp_path / "modules.dep").write_text(
        "a/virtio_mmio.ko: a/ring.ko a/virtio.ko\na/virtio.ko:\na/ring.ko: a/virtio.ko\n"
        "a/virtio_blk.ko: a/virtio.ko\na/ext4.ko: a/jbd2.ko\na/jbd2.ko:\na/crc32c_generic.ko:\n"
    )
    (tmp_path / "modules.builtin").write_text("a/virtio_net.ko\n")
    order = [file.name for file in disk._modules(tmp_path)]
    assert order == [
        f"{name}.ko" for name in ("crc32c_generic", "virtio", "ring", "virtio_mmio", "virtio_blk", "jbd2", "ext4")
    ]
    (tmp_path / "modules.builtin").write_text("")
    with pytest.raises(StepFailed, match="no virtio_net"):
        disk._modules(tmp_path)


def test_the_instruction_counter_is_compiled_without_a_warning(tmp_path: Path) -> None:
    counter = Path(boards.__file__).parent / "count.c"
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", counter, "-o", tmp_path / "count.so"]
    subprocess.run(command, check=True)
