"""Meter registers on disk, so that they never run backwards: not after a crash, not after a power cut."""

import logging
import math
import os
import zlib
from pathlib import Path

RECORD_BYTES = 64
SLOTS = 2
"""Records of a register; they take turns, so that one torn by a power cut leaves the other."""

log = logging.getLogger(__name__)


class RegisterFile:
    """A small file of fixed size with every register.

    `write` costs one system call and survives the death of the process; only `sync` waits for the disk. While the disk
    refuses, the registers count on in memory and the log says so, once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._turn: dict[int, int] = {}
        self._written: dict[int, float] = {}
        self._dirty = False
        self._complained = False

    def peek(self) -> dict[int, float]:
        """The registers by EVSE, as last written, without opening the file to write; nothing where there is none."""
        try:
            self._read(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._complain(error)
        return dict(self._written)

    def open(self) -> dict[int, float]:
        """The registers by EVSE, as last written; damaged records are left out."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            content = os.pread(self._file, os.fstat(self._file).st_size, 0)
        except OSError as error:
            self._complain(error)
            return {}
        self._read(content)
        return dict(self._written)

    def _read(self, content: bytes) -> None:
        for start in range(0, len(content), RECORD_BYTES):
            found = _parse(content[start : start + RECORD_BYTES])
            if found is not None and found[1] >= self._turn.get(found[0], 0):
                _number, self._turn[found[0]], self._written[found[0]] = found

    def write(self, number: int, energy_wh: float) -> None:
        """Note a register, if it has changed."""
        if self._file is None or self._written.get(number) == energy_wh:
            return
        turn = self._turn.get(number, 0) + 1
        place = ((number - 1) * SLOTS + turn % SLOTS) * RECORD_BYTES
        try:
            os.pwrite(self._file, _record(number, turn, energy_wh), place)
        except OSError as error:
            self._complain(error)
            return
        self._turn[number], self._written[number] = turn, energy_wh
        self._dirty, self._complained = True, False

    def sync(self) -> None:
        """Wait until what was written is on the disk itself."""
        if self._file is None or not self._dirty:
            return
        try:
            os.fdatasync(self._file)
        except OSError as error:
            self._complain(error)
            return
        self._dirty = False

    def close(self) -> None:
        """Sync and close; later writes are dropped."""
        self.sync()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            log.error("the meter registers cannot be kept in %s: %s", self._path, error)


def _record(number: int, turn: int, energy_wh: float) -> bytes:
    text = f"{number} {turn} {energy_wh!r}"
    return f"{text:<{RECORD_BYTES - 10}} {zlib.crc32(text.encode()):08x}\n".encode()


def _parse(record: bytes) -> tuple[int, int, float] | None:
    try:
        text, _, checksum = record.decode("ascii").rstrip("\n").rpartition(" ")
        text = text.rstrip(" ")
        if zlib.crc32(text.encode()) != int(checksum, 16):
            return None
        number, turn, energy_wh = text.split(" ")
        found = int(number), int(turn), float(energy_wh)
    except ValueError:
        return None
    return found if found[0] > 0 and math.isfinite(found[2]) else None
