"""What should be there when a database is opened: SQLite takes a missing or spoilt log, and an empty file, for granted.

A small file beside the database says that it was in use, and whether it was closed in order. With that, a log that is not
there, or that nobody can read, is seen for what it is: the last things that happened are gone.
"""

import logging
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

SUFFIX = ".witness"
OPEN, CLOSED = b"open\n", b"closed\n"

WAL_HEADER = struct.Struct(">IIIIIIII")
FRAME_HEADER = struct.Struct(">IIIIII")
WAL_MAGIC = (0x377F0682, 0x377F0683)
"""The second one: check sums over big-endian words."""

MAX_PAGE = 65536
MAX_PAGES = 1 << 20
"""Pages of a database that is put together from its log: four gigabytes of the usual size."""

log = logging.getLogger(__name__)


class Witness:
    """Of one database file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.with_name(path.name + SUFFIX)

    def opened(self) -> None:
        """The log is on the disk from now on. Losing this note costs a warning at the most."""
        self._write(OPEN, sync=False)

    def closed(self) -> None:
        """The log is about to be folded into the file, and to go."""
        self._write(CLOSED, sync=True)

    def _write(self, word: bytes, *, sync: bool) -> None:
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(descriptor, word, 0)
                os.ftruncate(descriptor, len(word))
                if sync:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._file, error)

    @property
    def _word(self) -> bytes:
        with suppress(OSError):
            return self._file.read_bytes()
        return b""

    @property
    def known(self) -> bool:
        """Whether there was a database here before."""
        return bool(self._word)

    def missing(self) -> str:
        """What is not as it was left, in words; "" when all is well, or nobody knows better. Before it is opened."""
        word = self._word
        if not word:
            return ""
        if _size(self._path) == 0:
            return "the file is empty or gone"
        size = _size(wal_of(self._path))
        if word != OPEN and size == 0:
            return ""
        if size == 0:
            return "its log is gone"
        return "" if Log(wal_of(self._path)).readable else "its log cannot be read"


def wal_of(path: Path) -> Path:
    """The write-ahead log of a database."""
    return path.with_name(path.name + "-wal")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class Log:
    """A write-ahead log as it lies on the disk (SQLite's file format, section 4)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._page, self._salts, self._big = 0, (0, 0), False
        with suppress(OSError, struct.error):
            with path.open("rb") as file:
                head = file.read(WAL_HEADER.size)
            magic, _, page, _, salt, other_salt, sum_1, sum_2 = WAL_HEADER.unpack(head)
            self._big = magic == WAL_MAGIC[1]
            right = magic in WAL_MAGIC and _checksum(head[:24], self._big) == (sum_1, sum_2)
            if right and 512 <= page <= MAX_PAGE and page & (page - 1) == 0:
                self._page, self._salts = page, (salt, other_salt)

    @property
    def readable(self) -> bool:
        """Whether its head is whole, and what follows is of it or of the round before."""
        if not self._page:
            return False
        first = next(self._frames(), None)
        return first is None or first[2] == self._salts or first[2][0] == (self._salts[0] - 1) & 0xFFFFFFFF

    def commits_behind(self, frames: int) -> int:
        """Commits behind the first `frames` frames, which are all that SQLite can read: they are lost."""
        return sum(
            1
            for number, (_, size, salts) in enumerate(self._frames())
            if number >= frames and size and salts == self._salts
        )

    def _frames(self) -> Iterator[tuple[int, int, tuple[int, int]]]:
        """Page number, size of the database (0 but at the end of a transaction), salts of each frame."""
        with self._path.open("rb") as file:
            file.seek(WAL_HEADER.size)
            while len(head := file.read(FRAME_HEADER.size)) == FRAME_HEADER.size:
                page, size, salt, other_salt, _, _ = FRAME_HEADER.unpack(head)
                yield page, size, (salt, other_salt)
                file.seek(self._page, os.SEEK_CUR)

    def rebuild(self, path: Path) -> bool:
        """Put the pages that the log holds into a new file; False when there are none, or not the first one."""
        newest: dict[int, int] = {}
        for number, (page, _, salts) in enumerate(self._frames() if self._page else ()):
            if salts != self._salts or not 1 <= page <= MAX_PAGES:
                break
            newest[page] = WAL_HEADER.size + number * (FRAME_HEADER.size + self._page) + FRAME_HEADER.size
        if 1 not in newest:
            return False
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as target, self._path.open("rb") as source:
            for page, place in newest.items():
                source.seek(place)
                target.seek((page - 1) * self._page)
                target.write(source.read(self._page))
        return True


def _checksum(data: bytes, big: bool) -> tuple[int, int]:
    one = two = 0
    words = struct.unpack(f"{'>' if big else '<'}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
