"""What is written down: lines for technicians on the console, and every OCPP frame as a JSON line in a file."""

import errno
import logging
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import orjson

from ocpp.station.redaction import redacted, without_url_secrets

MESSAGE_LOG_BYTES = 5 * 1024 * 1024
MESSAGE_LOG_FILES = 5
"""25 MB of frames at most: some weeks of a busy station."""

log = logging.getLogger(__name__)


class ConsoleFormatter(logging.Formatter):
    """Time, level where it matters, who, what."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it if there is one; URLs in it bear no secrets."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = "" if record.levelno == logging.INFO else f"{record.levelname}: "
        subject = record.name.removeprefix("ocpp.").split(".")[0]
        text = f"{clock} {subject:<12} {level}{record.getMessage()}"
        return without_url_secrets(f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text)


def to_console(level: int = logging.INFO) -> None:
    """Log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ConsoleFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("websockets").setLevel(max(level, logging.WARNING))


def old_logs(path: Path) -> list[Path]:
    """What a message log at that path may have become by rotation, oldest first, whether it is there or not."""
    return [path.with_name(f"{path.name}.{number}") for number in range(MESSAGE_LOG_FILES - 1, 0, -1)]


class MessageLog:
    """Every frame as a JSON line {"at", "sent", "frame"}, rotated by size.

    A disk that takes no more frames is told of once, not with every frame.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file: BinaryIO | None = None
        self._size = 0
        self._failed = False

    def record(self, sent: bool, frame: bytes, at: str) -> None:
        """Write a frame down, without the secrets it may carry; one that is no text is noted with its length."""
        try:
            frame.decode()
            text = redacted(frame).decode()
        except UnicodeDecodeError:
            text = f"<{len(frame)} bytes that are no UTF-8>"
        line = orjson.dumps({"at": at, "sent": sent, "frame": text}, option=orjson.OPT_APPEND_NEWLINE)
        try:
            self._append(line)
        except OSError as error:
            if not self._failed:
                self._failed = True
                log.error("the message log %s cannot be written: %s", self._path, error)

    def _append(self, line: bytes) -> None:
        if self._file is None:
            self._file = self._opened()
            self._size = self._file.tell()
        if self._size and self._size + len(line) > MESSAGE_LOG_BYTES:
            self._rotate()
            self._file = self._opened()
            self._size = 0
        written = self._file.write(line)
        self._size += written
        if written < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _opened(self) -> BinaryIO:
        """For its owner only: frames say who charges."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "ab", buffering=0)

    def _rotate(self) -> None:
        """Each file becomes the next older one; the oldest is written over."""
        self.close()
        files = self._files()
        for older, newer in pairwise(files):
            if newer.exists():
                newer.replace(older)

    def _files(self) -> list[Path]:
        """Oldest first, whether they are there or not."""
        return [*old_logs(self._path), self._path]

    def lines(self) -> Iterator[tuple[datetime, str]]:
        """Every frame that is still there, oldest first, each with its moment; without secrets that an earlier release left."""
        for file in self._files():
            if not file.exists():
                continue
            with file.open(encoding="utf-8", errors="replace") as opened:
                for line in opened:
                    try:
                        entry = orjson.loads(line)
                        moment = datetime.fromisoformat(entry["at"])
                        frame = entry["frame"].encode()
                    except (ValueError, KeyError, TypeError, AttributeError):
                        continue  # torn by a power cut
                    clean = redacted(frame)
                    if clean is not frame:
                        line = orjson.dumps({**entry, "frame": clean.decode()}).decode()
                    yield moment, line.rstrip("\n")

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
