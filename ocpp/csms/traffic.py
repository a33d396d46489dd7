"""OCPP frames for people: one line each, coloured where the terminal can."""

import json
import sys
from collections import OrderedDict
from typing import TextIO

MAX_PAYLOAD = 160
MAX_PENDING = 200
"""Calls remembered to name the action of their answers."""

_RESET, _DIM, _GREEN, _BLUE, _RED, _BOLD = "\033[0m", "\033[2m", "\033[32m", "\033[34m", "\033[31m", "\033[1m"


class TrafficView:
    """Writes frames as lines: station, direction, action, payload."""

    def __init__(self, out: TextIO = sys.stdout, *, colour: bool | None = None) -> None:
        self._out = out
        self._colour = out.isatty() if colour is None else colour
        self._actions: OrderedDict[str, str] = OrderedDict()

    def show(self, station: str, sent: bool, frame: bytes) -> None:
        """Write a frame."""
        print(self.line(station, sent, frame), file=self._out, flush=True)

    def line(self, station: str, sent: bool, frame: bytes) -> str:
        """A frame as a line. `sent`: by the CSMS."""
        arrow = "<--" if sent else "-->"
        try:
            message = json.loads(frame)
            kind, message_id = message[0], str(message[1])
        except (ValueError, IndexError, TypeError, KeyError):
            return self._paint(_RED, f"{station} {arrow} not OCPP: {frame[:80]!r}")
        if kind in (2, 6):
            self._remember(message_id, message[2])
            text = f"{self._paint(_BOLD, message[2])} {self._payload(message[3])}"
        elif kind == 3:
            text = f"{self._action(message_id)} {self._paint(_DIM, 'answered')} {self._payload(message[2])}"
        else:
            text = self._paint(_RED, f"{self._action(message_id)} refused: {message[2]} {message[3]}")
        return f"{station} {self._paint(_BLUE if sent else _GREEN, arrow)} {text}"

    def _remember(self, message_id: str, action: str) -> None:
        self._actions[message_id] = action
        if len(self._actions) > MAX_PENDING:
            self._actions.popitem(last=False)

    def _action(self, message_id: str) -> str:
        return self._actions.pop(message_id, "?")

    def _payload(self, payload: object) -> str:
        text = json.dumps(payload, ensure_ascii=False)
        return text if len(text) <= MAX_PAYLOAD else text[:MAX_PAYLOAD] + " …"

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colour else text
