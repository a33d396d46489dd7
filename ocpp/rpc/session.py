"""The protocol of one connection, without a socket and without time: frames in, events and frames out.

One CALL is in flight per direction (FR.01, OCPP-J section 4.1.1). A frame that cannot be understood is answered as
OCPP-J prescribes for its defect and never ends the connection.
"""

import logging
from typing import Any

import msgspec

from ocpp._native import framing
from ocpp._native.codec import Codec, read
from ocpp.errors import CallError
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

    `reply` is the CALLRESULTERROR that 2.1 wants for an answer that broke its schema.
    """

    response: Any | None
    error: CallError | None
    reply: bytes | None = None


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
            return self._on_defect(defect)
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

    def _on_defect(self, defect: framing.FrameDefect) -> Event | None:
        log.warning("frame refused (%s): %s", defect.code, defect)
        if defect.code == error_codes.MESSAGE_TYPE_NOT_SUPPORTED:
            return self._on_unsupported_type(defect.message_id, defect.message_type)
        if defect.message_type not in (0, CALL):
            return None
        return FrameToSend(self.error(defect.message_id or UNREADABLE_ID, CallError(defect.code, str(defect))))

    def _on_unsupported_type(self, message_id: str, message_type: int) -> Event | None:
        if self.version is OcppVersion.V16:
            log.warning("frame of unknown message type %d ignored (OCPP-J 1.6 section 4.1.3)", message_type)
            return None
        error = CallError(error_codes.MESSAGE_TYPE_NOT_SUPPORTED, f"message type {message_type} is not supported")
        return FrameToSend(self.error(message_id or UNREADABLE_ID, error))

    def _on_bad_call(self, frame: framing.Frame) -> Event:
        if frame.defect is None:
            error = CallError(error_codes.NOT_IMPLEMENTED, f"action {frame.action[:100]} is not known")
            return FrameToSend(self.error(frame.message_id, error))
        log.warning("%s from the peer refused: %s", frame.action, frame.defect)
        return FrameToSend(self.error(frame.message_id, CallError(frame.defect.code, frame.defect.description)))

    def _on_send(self, frame: framing.Frame) -> Event | None:
        if frame.message is not None:
            return SendReceived(frame.action, frame.message)
        log.warning("unconfirmed %s from the peer ignored: %s", frame.action, frame.defect or "not known")
        return None

    def _on_result(self, frame: framing.Frame) -> Event | None:
        if not self._is_pending(frame.message_id):
            return None
        self.pending_id = None
        if frame.message is not None:
            return CallAnswered(frame.message, None)
        defect = frame.defect
        log.warning("answer to %s breaks its schema: %s", frame.action, defect)
        error = CallError(defect.code, defect.description[:MAX_DESCRIPTION])
        reply = None
        if self.version is OcppVersion.V21:
            reply = framing.result_error(frame.message_id, error.code, error.description)
        return CallAnswered(None, error, reply)

    def _on_error(self, frame: framing.Frame) -> Event | None:
        if not self._is_pending(frame.message_id):
            return None
        self.pending_id = None
        try:
            details = msgspec.json.decode(frame.payload, type=dict[str, object])
        except msgspec.MsgspecError as defect:
            log.warning("details of %s cannot be read: %s", frame.error_code, defect)
            details = {}
        return CallAnswered(None, CallError(frame.error_code, frame.error_description, details))

    def _is_pending(self, message_id: str) -> bool:
        if message_id == self.pending_id:
            return True
        log.warning("answer %s belongs to no call in flight; ignored", message_id[:36])
        return False
