import socket

import pytest

from hal.errors import BusError
from hal.watchdog import Watchdog, notify


def test_it_is_fed_and_stopped_by_the_magic_character(tmp_path):
    device = tmp_path / "watchdog"
    device.touch()
    watchdog = Watchdog(str(device))
    watchdog.feed()
    watchdog.feed()
    assert device.read_bytes() == b"\0\0"
    watchdog.close()
    assert device.read_bytes() == b"\0\0V"


def test_a_watchdog_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(BusError, match="watchdog cannot be opened"):
        Watchdog(str(tmp_path / "watchdog"))


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(tmp_path, monkeypatch, abstract):
    address = "\0pilotwire-test-watchdog" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address.replace("\0", "@"))
        notify("WATCHDOG=1")
        assert systemd.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nobody_is_told(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("WATCHDOG=1")
