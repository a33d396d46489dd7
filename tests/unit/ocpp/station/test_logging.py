"""The log of frames: its lines, its rotation, and disks that take no more."""

import json
import logging

import pytest

from ocpp.station import logging as station_logging
from ocpp.station.logging import MESSAGE_LOG_FILES, MessageLog

AT = "2026-01-01T00:00:00Z"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "messages.jsonl"


def texts(path):
    return [json.loads(line)["frame"] for line in path.read_text().splitlines()]


def test_every_frame_is_a_line(path):
    log = MessageLog(path)
    log.record(True, b'[2,"1","Heartbeat",{}]', AT)
    log.record(False, '[3,"1",{"ü":"€"}]'.encode(), AT)
    log.record(False, b"\xff\xfe", AT)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"at": AT, "sent": True, "frame": '[2,"1","Heartbeat",{}]'},
        {"at": AT, "sent": False, "frame": '[3,"1",{"ü":"€"}]'},
        {"at": AT, "sent": False, "frame": "<2 bytes that are no UTF-8>"},
    ]
    assert "ü" in path.read_text()
    log.close()


def test_no_file_is_made_before_there_is_a_frame(path):
    MessageLog(path).close()
    assert not path.exists()


def test_a_log_goes_on_where_the_last_run_ended(path):
    for number in range(2):
        log = MessageLog(path)
        log.record(True, str(number).encode(), AT)
        log.close()
        log.close()
    assert texts(path) == ["0", "1"]


def test_old_files_make_room_by_size(path, monkeypatch):
    line = len(json.dumps({"at": AT, "sent": True, "frame": "00"}, separators=(",", ":"))) + 1
    monkeypatch.setattr(station_logging, "MESSAGE_LOG_BYTES", 2 * line)
    log = MessageLog(path)
    for number in range(2 * MESSAGE_LOG_FILES + 3):
        log.record(True, f"{number:02}".encode(), AT)
    log.close()
    kept = sorted(each.name for each in path.parent.iterdir())
    assert kept == ["messages.jsonl", *(f"messages.jsonl.{n}" for n in range(1, MESSAGE_LOG_FILES))]
    assert texts(path) == ["12"]
    assert texts(path.with_name("messages.jsonl.1")) == ["10", "11"]
    assert [json.loads(each)["frame"] for _, each in log.lines()] == [f"{n:02}" for n in range(4, 13)]
    assert {moment.isoformat() for moment, _ in log.lines()} == {"2026-01-01T00:00:00+00:00"}


def test_a_torn_line_is_left_out(path):
    log = MessageLog(path)
    log.record(True, b"1", AT)
    log.close()
    path.write_bytes(path.read_bytes() + b'{"at": "2026-01-')
    assert len(list(log.lines())) == 1


def test_a_disk_that_takes_no_frames_is_told_of_once(path, monkeypatch, caplog):
    class Full:
        def __init__(self):
            self.taken = 0

        def write(self, data):
            self.taken += 1
            if self.taken == 1:
                return len(data) // 2
            raise OSError(28, "No space left on device")

        def tell(self):
            return 0

    log = MessageLog(path)
    full = Full()
    monkeypatch.setattr(MessageLog, "_opened", lambda self: full)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            log.record(True, b"frame", AT)
    assert full.taken == 3
    assert [each.getMessage() for each in caplog.records] == [
        f"the message log {path} cannot be written: [Errno 28] No space left on device"
    ]
