"""Zstandard streams with the C library that dpkg itself needs; Python has a module for them only from 3.14 on."""

import ctypes
import io
from typing import Any, BinaryIO

LIBRARY = "libzstd.so.1"
CHUNK = 1 << 17
LEVEL = 19


class _Buffer(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("position", ctypes.c_size_t))


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(LIBRARY)
    for name in ("ZSTD_compress", "ZSTD_compressBound", "ZSTD_decompressStream", "ZSTD_freeDStream"):
        getattr(library, name).restype = ctypes.c_size_t
    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_isError.argtypes = [ctypes.c_size_t]
    library.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    library.ZSTD_compress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    library.ZSTD_decompressStream.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    library.ZSTD_freeDStream.argtypes = [ctypes.c_void_p]
    return library


def compress(data: bytes) -> bytes:
    """One frame."""
    library = _load()
    output = ctypes.create_string_buffer(library.ZSTD_compressBound(len(data)))
    size = library.ZSTD_compress(output, len(output), data, len(data), LEVEL)
    if library.ZSTD_isError(size):
        raise ValueError("zstd refuses to compress")
    return output.raw[:size]


class Reader(io.RawIOBase):
    """Decompresses while it is read. Raises ValueError for what is no Zstandard stream or breaks off."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._library = _load()
        self._stream = self._library.ZSTD_createDStream()
        self._data = b""
        self._used = 0
        self._expected = 1  # bytes that zstd wants before the frame is whole; 0 at its end

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As many bytes as there are after the next piece of input."""
        output = ctypes.create_string_buffer(min(len(buffer), CHUNK))
        while len(buffer):
            if self._used == len(self._data):
                self._data, self._used = self._source.read(CHUNK), 0
                if not self._data:
                    if self._expected:
                        raise ValueError("the compressed data break off")
                    return 0
            size = self._step(output)
            if size:
                buffer[:size] = output.raw[:size]
                return size
        return 0

    def _step(self, output: Any) -> int:
        held = ctypes.create_string_buffer(self._data, len(self._data))
        into = _Buffer(ctypes.addressof(output), len(output), 0)
        of = _Buffer(ctypes.addressof(held), len(self._data), self._used)
        self._expected = self._library.ZSTD_decompressStream(self._stream, ctypes.byref(into), ctypes.byref(of))
        if self._library.ZSTD_isError(self._expected):
            raise ValueError("these are no data compressed by zstd")
        self._used = of.position
        return int(into.position)

    def close(self) -> None:
        """Free what zstd holds."""
        if not self.closed:
            self._library.ZSTD_freeDStream(self._stream)
        super().close()
