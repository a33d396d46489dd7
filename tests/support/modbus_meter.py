"""An emulated meter on Modbus RTU: a pymodbus server with registers that tests set, as the vendor's document has them."""

import asyncio
import struct
import threading
from collections.abc import Callable
from typing import Any

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

WORDS_LOW_FIRST = "low first"


class EmulatedMeter:
    """`function`: 3 or 4, the kind of registers it has; those outside `spans` (first, count) do not exist."""

    def __init__(self, spans: list[tuple[int, int]], *, function: int, unit: int = 1) -> None:
        self.unit = unit
        self.function = function
        self.spans = spans
        self.registers = {first + index: 0 for first, count in spans for index in range(count)}
        self.refuses = False
        self.asked: list[tuple[int, int]] = []
        """First register and count of every request."""
        self.written: list[tuple[int, int]] = []
        self.on_write: Callable[[int, int], object] = lambda address, value: None

    def put(self, address: int, kind: str, value: float, order: str = "high first") -> None:
        """Write a value into the registers; `kind` as for `struct` ("f", "i", "Q", ...)."""
        raw = struct.pack(f">{kind}", value)
        words = struct.unpack(f">{len(raw) // 2}H", raw)
        for index, word in enumerate(words if order == "high first" else words[::-1]):
            assert address + index in self.registers, hex(address)
            self.registers[address + index] = word

    def put_text(self, address: int, text: bytes) -> None:
        """Write text into the registers, two bytes each, with NULs after it."""
        raw = text + bytes(2 - len(text) % 2)
        for index in range(len(raw) // 2):
            self.registers[address + index] = raw[2 * index] << 8 | raw[2 * index + 1]

    def device(self) -> SimDevice:
        """What pymodbus serves. Reads of the other kind of register find none."""
        own = [SimData(first, values=[0] * count, datatype=DataType.REGISTERS) for first, count in self.spans]
        none = [SimData(0xFFFF, values=[0], datatype=DataType.REGISTERS)]
        bits = [SimData(0xFFFF, values=[False] * 16, datatype=DataType.BITS)]
        both = (own, none) if self.function == 3 else (none, own)
        return SimDevice(self.unit, simdata=(bits, bits, *both), action=self._access)

    async def _access(
        self, function: int, start: int, address: int, count: int, current: list[int], values: list[int] | None
    ) -> ExcCodes | None:
        if self.refuses:
            return ExcCodes.DEVICE_FAILURE
        if values is not None:
            for index, value in enumerate(values):
                self.registers[address + index] = value
                self.written.append((address + index, value))
                self.on_write(address + index, value)
            return None
        self.asked.append((address, count))
        for index in range(count):
            current[address - start + index] = self.registers[address + index]
        return None


class ModbusServer:
    """Serves emulated meters on a device file, in a thread of its own."""

    def __init__(self, path: str, *meters: EmulatedMeter) -> None:
        self._path = path
        self._meters = meters
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._server: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(5.0), "the server does not start"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._server = ModbusSerialServer(
            [each.device() for each in self._meters],
            framer=FramerType.RTU,
            port=self._path,
            baudrate=9600,
            ignore_missing_devices=True,
        )
        await self._server.serve_forever(background=True)
        self._ready.set()
        await self._server.serving

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(5.0)
        self._thread.join(5.0)
