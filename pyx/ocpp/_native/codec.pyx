"""Frames to typed messages and back, in one call each: envelope, action and payload without an object in between.

What a message looks like is msgspec's affair; this is the way there. A payload that the typed decoder refuses, or may
have judged wrongly, goes to the exact look in Python, which says what is wrong with it.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.object cimport Py_TYPE, PyObject
from cpython.set cimport PySet_Contains
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcmp

from ocpp._native.framing cimport Defect, Frame, call_frame, loose_time, result_frame, scan_frame, send_frame

from msgspec import MsgspecError

MAX_REQUESTS = 192
"""Actions that are found by their bytes; a version has less than a hundred, what is beyond is found by name only."""

cdef enum:
    CALL = 2
    CALL_RESULT = 3
    SEND = 6
    SLOTS = 256  # the size of Requests.slots; well above MAX_REQUESTS, so that a search always ends


cdef class Codec:
    """Reads the payload of one message type.

    `decode` is the typed decoder; `dated` says whether the type has a date-time, `holds` checks what else the decoder
    does not know (or is None); `exactly` takes a payload and returns the message, or raises what is wrong.
    """

    def __init__(self, str action not None, object kind, object decode, bint dated, object holds, object exactly):
        self.action = action
        self.spelled = action.encode()
        self.kind = kind
        self.decode = decode
        self.dated = dated
        self.holds = holds
        self.exactly = exactly

    cpdef object read(self, object payload):
        """The typed message of a payload (bytes, memoryview, Frame); raises what `exactly` raises."""
        cdef Py_buffer view
        cdef bint loose = False
        try:
            message = self.decode(payload)
        except (MsgspecError, UnicodeDecodeError, RecursionError, OverflowError):
            return self.exactly(payload)
        if self.dated:
            PyObject_GetBuffer(payload, &view, PyBUF_SIMPLE)
            loose = view.len > 0 and loose_time(<const unsigned char*> view.buf, view.len)
            PyBuffer_Release(&view)
        if loose or (self.holds is not None and not self.holds(message)):
            return self.exactly(payload)
        return message


cdef class Requests:
    """The requests of one version by action.

    `missing(action)` makes the codec of an action, or returns None; `refusal` is what a codec's `exactly` raises.
    """

    def __init__(self, missing not None, refusal not None):
        self.missing = missing
        self.refusal = refusal
        self.codecs = []
        for slot in range(SLOTS):
            self.slots[slot] = -1

    cdef Codec at(self, const unsigned char* action, Py_ssize_t size):
        """The codec of the action spelled so; None for an unknown action."""
        cdef unsigned int slot = spread(action, size)
        cdef Codec codec
        while self.slots[slot] >= 0:
            codec = <Codec> self.codecs[self.slots[slot]]
            if PyBytes_GET_SIZE(codec.spelled) == size and not memcmp(
                PyBytes_AS_STRING(codec.spelled), action, <size_t> size
            ):
                return codec
            slot = (slot + 1) % SLOTS
        codec = self.named((<const char*> action)[:size].decode("ascii"))
        if codec is not None and len(self.codecs) < MAX_REQUESTS:
            self.keep(codec)
        return codec

    cdef Codec named(self, str action):
        return self.missing(action)

    cdef void keep(self, Codec codec):
        cdef unsigned int slot = spread(
            <const unsigned char*> PyBytes_AS_STRING(codec.spelled), PyBytes_GET_SIZE(codec.spelled)
        )
        while self.slots[slot] >= 0:
            slot = (slot + 1) % SLOTS
        self.slots[slot] = <short> len(self.codecs)
        self.codecs.append(codec)


cdef unsigned int spread(const unsigned char* text, Py_ssize_t size) noexcept nogil:
    """The slot of an action (FNV-1a)."""
    cdef unsigned int mixed = 2166136261
    cdef Py_ssize_t i
    for i in range(size):
        mixed = (mixed ^ text[i]) * 16777619
    return (mixed ^ (mixed >> 15)) % SLOTS


def read(bytes data not None, Requests requests not None, str pending_id, Codec pending):
    """The frame with its typed message.

    A CALL or SEND is read by its action, a CALLRESULT with `pending` where it answers `pending_id`; `message` stays None
    for everything else: unknown actions, foreign results, errors. `defect` is what is wrong with a payload, by
    code and description of `requests.refusal`. Raises FrameDefect.
    """
    cdef Frame frame = scan_frame(data, False)
    cdef Codec codec
    if frame.message_type == CALL or frame.message_type == SEND:
        if frame.action_size > 0:
            codec = requests.at(
                <const unsigned char*> PyBytes_AS_STRING(data) + frame.action_start, frame.action_size
            )
            frame.action = codec.action if codec is not None else (
                data[frame.action_start:frame.action_start + frame.action_size].decode("ascii")
            )
        else:
            codec = requests.named(frame.action)
    elif frame.message_type == CALL_RESULT and pending is not None and frame.message_id == pending_id:
        codec = pending
        frame.action = codec.action
    else:
        return frame
    if codec is not None:
        try:
            frame.message = codec.read(frame)
        except requests.refusal as defect:
            frame.defect = Defect(defect.code, defect.description)
    return frame


cdef class Writer:
    """Writes the messages of one version.

    `encode_any` writes a message as it is; `narrow` makes of a message what the version knows of it, or returns the
    message itself where its type needs no such thing.
    """

    def __init__(self, encode_any not None, narrow=None):
        self.encode_any = encode_any
        self.narrow = narrow
        self.ready = set()
        self.newest = None

    cpdef bytes encode(self, object message):
        """The payload; ValueError for a value that the version does not know."""
        if self.narrow is not None and <PyObject*> Py_TYPE(message) != <PyObject*> self.newest:
            message = self.narrowed(message)
        return self.encode_any(message)

    cdef object narrowed(self, object message):
        if PySet_Contains(self.ready, <object> Py_TYPE(message)):
            self.newest = type(message)
            return message
        narrowed = self.narrow(message)
        if narrowed is message:
            self.ready.add(type(message))  # bounded by the number of message types
        return narrowed

    def call(self, str message_id not None, str action not None, message):
        """The frame of a CALL."""
        return call_frame(message_id, action, self.encode(message))

    def result(self, str message_id not None, message):
        """The frame of a CALLRESULT."""
        return result_frame(message_id, self.encode(message))

    def send(self, str message_id not None, str action not None, message):
        """The frame of a SEND (2.1)."""
        return send_frame(message_id, action, self.encode(message))
