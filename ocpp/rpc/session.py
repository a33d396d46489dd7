"""The protocol of one connection, without a socket and without time: frames in, events and frames out.

One CALL is in flight per direction (FR.01, OCPP-J section 4.1.1). A frame that cannot be understood is answered as
OCPP-J prescribes for its defect and never ends the connection.
"""

import logging
from typing import Any

import msgspec

from ocpp._native import framing
from ocpp._native.codec import Codec, read
from ocpp.errors import CallError, PayloadError
from ocpp.messages import Catalogue
from ocpp.rpc import error_codes
from ocpp.versions import OcppVersion

CALL, CALL_RESULT, CALL_ERROR, CALL_RESULT_ERROR, SEND = 2, 3, 4, 5, 6

MAX_DESCRIPTION = 255
"""OCPP-J section 4.2.3: errorDescription is a string[255]."""

UNREADABLE_ID = "-1"
"""OCPP-J section 4.2.3: the message id of an error whose cause has none that can be read."""

log = logging.getLogger(__name__)


class CallReceived(msgspec.Struct, frozen=True):
    """The peer wants `request` handled and answered under `message_id`."""

    message_id: str
    action: str
    request: Any


class SendReceived(msgspec.Struct, frozen=True):
    """The peer sent a message that takes no answer (2.1)."""

    action: str
    request: Any


class CallAnswered(msgspec.Struct, frozen=True):
    """The call in flight is over: with `response`, or with `error` in its place.

    `damaged`: it is an answer, of which what is needed could not be read. `reply` is the CALLRESULTERROR that 2.1 wants
    for that.
    """

    response: Any | None
    error: CallError | None
    reply: bytes | None = None
    damaged: bool = False


class FrameToSend(msgspec.Struct, frozen=True):
    """A frame the protocol itself answers with."""

    frame: bytes


Event = CallReceived | SendReceived | CallAnswered | FrameToSend


class Session:
    """The state of one connection in one protocol version."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.pending_id: str | None = None
        self._pending: Codec | None = None
        """Reads the response to the call in flight; stays when the call is given up."""
        self._requests = catalogue.requests
        self._writer = catalogue.writer
        self.refusal: str | None = None
        """Why the last frame was refused, until somebody takes note of it and sets None."""

    @property
    def version(self) -> OcppVersion:
        """The protocol version spoken on this connection."""
        return self.catalogue.version

    def call(self, message_id: str, request: msgspec.Struct) -> bytes:
        """The frame of a new CALL, which is in flight from now on; RuntimeError while another one is."""
        if self.pending_id is not None:
            raise RuntimeError(f"call {self.pending_id} is still in flight")
        action = self.catalogue.action_of(request)
        frame = self._writer.call(message_id, action, request)
        self.pending_id, self._pending = message_id, self.catalogue.response_codec(action)
        return frame

    def send(self, message_id: str, message: msgspec.Struct) -> bytes:
        """The frame of an unconfirmed message; only 2.1 knows them (OCPP-J 2.1 section 4.2.4)."""
        if self.version is not OcppVersion.V21:
            raise CallError(error_codes.NOT_SUPPORTED, f"OCPP {self.version} has no unconfirmed messages")
        return self._writer.send(message_id, self.catalogue.action_of(message), message)

    def result(self, message_id: str, response: msgspec.Struct) -> bytes:
        """The frame of a CALLRESULT."""
        return self._writer.result(message_id, response)

    def error(self, message_id: str, error: CallError) -> bytes:
        """The frame of a CALLERROR, in the spelling of this version."""
        details = msgspec.json.encode(error.details)
        code = error_codes.spelled(error.code, self.version)
        return framing.error(message_id, code, error.description[:MAX_DESCRIPTION], details)

    def abandon(self) -> None:
        """Give up the call in flight: a response that comes now is late and ignored."""
        self.pending_id = None

    def receive(self, data: bytes) -> Event | None:
        """What a text frame means; None when there is nothing to do (late response, foreign error)."""
        try:
            frame = read(data, self._requests, self.pending_id, self._pending)
        except framing.FrameDefect as defect:
            return self._on_defect(defect, data)
        if frame.message_type == CALL:
            if frame.message is not None:
                return CallReceived(frame.message_id, frame.action, frame.message)
            return self._on_bad_call(frame)
        if frame.message_type == CALL_RESULT:
            return self._on_result(frame)
        if frame.message_type == CALL_ERROR:
            return self._on_error(frame)
        if self.version is not OcppVersion.V21:
            return self._on_unsupported_type(frame.message_id, frame.message_type)
        if frame.message_type == SEND:
            return self._on_send(frame)
        log.warning(
            "the peer could not use our answer %s: %s %s", frame.message_id, frame.error_code, frame.error_description
        )
        return None

    def _on_defect(self, defect: framing.FrameDefect, data: bytes) -> Event | None:
        answered = self._damaged_answer(defect, data)
        if answered is not None:
            return answered
        self.refusal = f"{defect.code}: {defect}"
        if defect.code == error_codes.MESSAGE_TYPE_NOT_SUPPORTED:
            return self._on_unsupported_type(defect.message_id, defect.message_type)
        if defect.message_type not in (0, CALL):
            return None
        return FrameToSend(self.error(defect.message_id or UNREADABLE_ID, CallError(defect.code, str(defect))))

    def _damaged_answer(self, defect: framing.FrameDefect, data: bytes) -> CallAnswered | None:
        """What a frame says that is none, and yet answers the call in flight: its id can be read."""
        pending = self.pending_id
        if pending is None or defect.message_type not in (0, CALL_RESULT, CALL_ERROR) or pending.encode() not in data:
            return None
        from ocpp.messages.salvage import read_any

        parts = read_any(data)
        if not isinstance(parts, list) or len(parts) < 2 or str(parts[1]).strip() != pending:
            return None
        kind = str(parts[0]).strip().removesuffix(".0")
        if kind == str(CALL_ERROR):
            log.warning("the error that answers %s is damaged (%s)", pending, defect)
            return self._failed(*(parts[2:5] + [None] * 3)[:3])
        if kind != str(CALL_RESULT):
            return None
        assert self._pending is not None
        self.catalogue.bent.note(f"{self._pending.action}Response", "", "a damaged frame", str(defect))
        payload = parts[2] if len(parts) > 2 else None
        return self._settled({} if payload is None else payload)

    def _settled(self, payload: Any) -> CallAnswered:
        """The call in flight is over, with what can be understood of the payload, as plain objects."""
        codec = self._pending
        assert codec is not None
        try:
            response = self.catalogue.understand(codec.action, payload)
        except PayloadError as error:
            return self._unusable(codec.action, error.code, error.description)
        self.pending_id = None
        return CallAnswered(response, None)

    def _unusable(self, action: str, code: str, description: str) -> CallAnswered:
        log.warning("the answer to %s cannot be used: %s", action, description)
        assert self.pending_id is not None
        error = CallError(code, description[:MAX_DESCRIPTION])
        reply = None
        if self.version is OcppVersion.V21:
            reply = framing.result_error(self.pending_id, error.code, error.description)
        self.pending_id = None
        return CallAnswered(None, error, reply, damaged=True)

    def _failed(self, code: Any, description: Any, details: Any) -> CallAnswered:
        """The call in flight is over: the peer could not process it, and says why as well as it can."""
        self.pending_id = None
        text = "" if description is None else str(description)
        if not isinstance(code, str) or not code:
            text = text if code in (None, "") else f"{code}: {text}"
            code = error_codes.GENERIC_ERROR
        given = details if isinstance(details, dict) else {}
        error = CallError(code[: framing.MAX_ERROR_CODE], text[: framing.MAX_ERROR_DESCRIPTION], given)
        return CallAnswered(None, error)

    def _on_unsupported_type(self, message_id: str, message_type: int) -> Event | None:
        self.refusal = f"message type {message_type} is not known"
        if self.version is OcppVersion.V16:
            return None  # OCPP-J 1.6 section 4.1.3
        error = CallError(error_codes.MESSAGE_TYPE_NOT_SUPPORTED, f"message type {message_type} is not supported")
        return FrameToSend(self.error(message_id or UNREADABLE_ID, error))

    def _on_bad_call(self, frame: framing.Frame) -> Event:
        self.refusal = f"{frame.action[:100]}: {frame.defect or 'not known'}"
        if frame.defect is None:
            error = CallError(error_codes.NOT_IMPLEMENTED, f"action {frame.action[:100]} is not known")
            return FrameToSend(self.error(frame.message_id, error))
        return FrameToSend(self.error(frame.message_id, CallError(frame.defect.code, frame.defect.description)))

    def _on_send(self, frame: framing.Frame) -> Event | None:
        if frame.message is not None:
            return SendReceived(frame.action, frame.message)
        self.refusal = f"unconfirmed {frame.action[:100]}: {frame.defect or 'not known'}"
        return None

    def _on_result(self, frame: framing.Frame) -> Event | None:
        if not self._is_pending(frame.message_id):
            return None
        if frame.message is not None:
            self.pending_id = None
            return CallAnswered(frame.message, None)
        defect = frame.defect
        if defect is None:  # the id is ours in another spelling
            from ocpp.messages.salvage import read_any

            return self._settled(read_any(frame.payload))
        return self._unusable(frame.action, defect.code, defect.description)

    def _on_error(self, frame: framing.Frame) -> Event | None:
        if not self._is_pending(frame.message_id):
            return None
        try:
            details = msgspec.json.decode(frame.payload, type=dict[str, object])
        except (msgspec.MsgspecError, ValueError, RecursionError) as defect:
            log.warning("details of %s cannot be read: %s", frame.error_code, defect)
            details = {}
        return self._failed(frame.error_code, frame.error_description, details)

    def _is_pending(self, message_id: str) -> bool:
        if message_id == self.pending_id:
            return True
        if self.pending_id is not None and message_id.strip().casefold() == self.pending_id.casefold():
            return True
        self.refusal = f"answer {message_id[:36]} belongs to no call in flight"
        return False
