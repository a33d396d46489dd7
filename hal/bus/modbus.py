"""Modbus RTU lines, by pymodbus: one port for all the meters on it."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from hal.errors import BusError

ATTEMPTS = 2
"""Requests are repeated once: single frames get lost on long lines, and nobody needs to know."""

MAX_LATE = 16
"""Pieces of late answers that are thrown away before a line counts as disturbed."""

READ_LIMIT = 256
"""Bytes of the longest frame (Modbus over serial line, section 2.5.1)."""


SILENCE_CHARACTERS = 4
"""Characters' time of silence before each request; the standard has 3.5 (Modbus over serial line 1.02, section 2.5.1.1)."""

MIN_SILENCE_S = 0.005
"""At high speeds, too: meters take their time to listen again after an answer."""

EXCEPTIONS = {
    1: "it does not know the function",
    2: "it has no such registers",
    3: "it does not like the value",
    4: "it has failed",
    6: "it is busy",
}
"""Codes of the Modbus application protocol 1.1b3, section 7, in words."""


class Line:
    """An open RS-485 line; BusError when the port cannot be opened. Calls wait for the answer: use them in its thread.

    A port that has gone (an adapter pulled out) is opened anew by the next call. `echo`: the adapter hears itself; `rts`:
    the kernel switches the transmitter by RTS.
    """

    def __init__(
        self,
        path: str,
        *,
        baud: int,
        parity: str,
        stop_bits: int,
        timeout_s: float,
        echo: bool = False,
        rts: bool = False,
    ) -> None:
        from pymodbus.client import ModbusSerialClient
        from pymodbus.exceptions import ModbusException
        from serial import SerialException

        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # whatever goes wrong comes as an error, too
        self.path = path
        self.settings = (baud, parity, stop_bits, echo, rts)
        self._error: type[Exception] = ModbusException
        self._serial_error: type[Exception] = SerialException
        self._heard = 0
        self._rts = rts
        self._silence_s = max(SILENCE_CHARACTERS * 11 / baud, MIN_SILENCE_S)
        self._quiet_since = 0.0
        self._client: Any = ModbusSerialClient(
            path,
            baudrate=baud,
            parity=parity,
            stopbits=stop_bits,
            timeout=timeout_s,
            retries=0,
            trace_packet=self._listen,
            handle_local_echo=echo,
        )
        self._connect()

    def _connect(self) -> None:
        if self._client.connected:
            return
        if not self._client.connect():
            raise BusError(f"{self.path} cannot be opened")
        if self._rts:
            from serial.rs485 import RS485Settings

            try:
                self._client.socket.rs485_mode = RS485Settings()
            except (OSError, ValueError) as error:
                self._client.close()
                raise BusError(f"{self.path} cannot switch its transmitter by RTS: {error}") from error

    def read(self, unit: int, function: int, address: int, count: int) -> list[int]:
        """`count` registers from `address` on, by function 3 or 4; BusError says what came instead."""
        call = self._client.read_holding_registers if function == 3 else self._client.read_input_registers
        answer = self._ask(unit, address, lambda: call(address, count=count, device_id=unit))
        registers = list(answer.registers)
        if len(registers) != count:
            raise BusError(f"unit {unit} on {self.path} gave {len(registers)} registers instead of {count}")
        return registers

    def write(self, unit: int, address: int, values: Sequence[int]) -> None:
        """Write holding registers (function 16); BusError when the unit does not take them."""
        self._ask(unit, address, lambda: self._client.write_registers(address, list(values), device_id=unit))

    def _ask(self, unit: int, address: int, call: Callable[[], Any]) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            self._heard = 0
            self._connect()
            time.sleep(max(0.0, self._quiet_since + self._silence_s - time.monotonic()))
            try:
                answer = call()
            except (self._error, OSError, ValueError, IndexError) as error:
                what = self._what(unit)
                self._let_late_answers_pass()
                if attempt == ATTEMPTS or not self._client.connected:
                    raise BusError(what) from error
            else:
                break
            finally:
                self._quiet_since = time.monotonic()
        if answer.isError():
            code = getattr(answer, "exception_code", 0)
            why = EXCEPTIONS.get(code, "it does not say why")
            raise BusError(f"unit {unit} on {self.path} refuses register {address}: {why} (exception {code})")
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
