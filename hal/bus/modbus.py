"""Modbus RTU lines, by pymodbus: one port for all the meters on it."""

import logging
from collections.abc import Sequence
from typing import Any

from hal.errors import BusError

RETRIES = 1
"""Requests are repeated once: single frames get lost on long lines, and nobody needs to know."""


class Line:
    """An open RS-485 line; BusError when the port cannot be opened. Calls wait for the answer: use them in its thread.

    A port that has gone (an adapter pulled out) is opened anew by the next call.
    """

    def __init__(self, path: str, *, baud: int, parity: str, stop_bits: int, timeout_s: float) -> None:
        from pymodbus.client import ModbusSerialClient
        from pymodbus.exceptions import ModbusException

        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # whatever goes wrong comes as an error, too
        self.path = path
        self.settings = (baud, parity, stop_bits)
        self._error: type[Exception] = ModbusException
        self._heard = 0
        self._client: Any = ModbusSerialClient(
            path,
            baudrate=baud,
            parity=parity,
            stopbits=stop_bits,
            timeout=timeout_s,
            retries=RETRIES,
            trace_packet=self._listen,
        )
        if not self._client.connect():
            raise BusError(f"{path} cannot be opened")

    def read(self, unit: int, function: int, address: int, count: int) -> list[int]:
        """`count` registers from `address` on, by function 3 or 4; BusError says what came instead."""
        call = self._client.read_holding_registers if function == 3 else self._client.read_input_registers
        answer = self._ask(unit, lambda: call(address, count=count, device_id=unit))
        registers = list(answer.registers)
        if len(registers) != count:
            raise BusError(f"unit {unit} on {self.path} gave {len(registers)} registers instead of {count}")
        return registers

    def write(self, unit: int, address: int, values: Sequence[int]) -> None:
        """Write holding registers (function 16); BusError when the unit does not take them."""
        self._ask(unit, lambda: self._client.write_registers(address, list(values), device_id=unit))

    def _ask(self, unit: int, call: Any) -> Any:
        self._heard = 0
        try:
            answer = call()
        except (self._error, OSError, ValueError, IndexError) as error:
            raise BusError(self._what(unit, error)) from error
        if answer.isError():
            code = getattr(answer, "exception_code", None)
            raise BusError(f"unit {unit} on {self.path} refuses: exception {code}")
        return answer

    def _what(self, unit: int, error: Exception) -> str:
        if not self._client.connected:
            return f"{self.path} is gone"
        if self._heard:
            return f"unit {unit} on {self.path} gives damaged answers ({self._heard} bytes)"
        return f"unit {unit} on {self.path} does not answer"

    def _listen(self, sending: bool, data: bytes) -> bytes:
        if not sending:
            self._heard = max(self._heard, len(data))
        return data

    def close(self) -> None:
        """Close the port."""
        self._client.close()
