"""Modbus RTU lines, by pymodbus: one port for all the meters on it."""

import logging
from collections.abc import Sequence
from typing import Any

from hal.errors import BusError

ATTEMPTS = 2
"""Requests are repeated once: single frames get lost on long lines, and nobody needs to know."""

MAX_LATE = 16
"""Pieces of late answers that are thrown away before a line counts as disturbed."""


READ_LIMIT = 256
"""Bytes of the longest frame (Modbus over serial line, section 2.5.1)."""


class Line:
    """An open RS-485 line; BusError when the port cannot be opened. Calls wait for the answer: use them in its thread.

    A port that has gone (an adapter pulled out) is opened anew by the next call.
    """

    def __init__(self, path: str, *, baud: int, parity: str, stop_bits: int, timeout_s: float) -> None:
        from pymodbus.client import ModbusSerialClient
        from pymodbus.exceptions import ModbusException
        from serial import SerialException

        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # whatever goes wrong comes as an error, too
        self.path = path
        self.settings = (baud, parity, stop_bits)
        self._error: type[Exception] = ModbusException
        self._serial_error: type[Exception] = SerialException
        self._heard = 0
        self._client: Any = ModbusSerialClient(
            path,
            baudrate=baud,
            parity=parity,
            stopbits=stop_bits,
            timeout=timeout_s,
            retries=0,
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
        for attempt in range(1, ATTEMPTS + 1):
            self._heard = 0
            try:
                answer = call()
            except (self._error, OSError, ValueError, IndexError) as error:
                what = self._what(unit)
                self._let_late_answers_pass()
                if attempt == ATTEMPTS:
                    raise BusError(what) from error
            else:
                break
        if answer.isError():
            code = getattr(answer, "exception_code", None)
            raise BusError(f"unit {unit} on {self.path} refuses: exception {code}")
        return answer

    def _let_late_answers_pass(self) -> None:
        """An answer does not say which registers it is about: one that comes late must not be taken for the next one's."""
        port = self._client.socket
        try:
            for _ in range(MAX_LATE if port is not None else 0):
                if not port.read(READ_LIMIT):
                    return  # silent for as long as an answer may take
        except (OSError, TypeError, self._serial_error):
            self._client.close()  # the next call opens it anew

    def _what(self, unit: int) -> str:
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
