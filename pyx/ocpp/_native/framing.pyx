"""OCPP-J envelopes: scanned without touching the payload, and put around a payload without copying it twice.

The scanner reads message type, id and action and notes where the payload lies; whether the payload is JSON, and valid,
is the decoder's business. See OCPP-J section 4 of each version.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.memoryview cimport PyMemoryView_FromObject
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcpy

from json import loads as _loads
from msgspec.json import encode as _encode

cdef extern from "string.h" nogil:
    void* memmem(const void* haystack, size_t haystacklen, const void* needle, size_t needlelen)

MAX_MESSAGE_ID = 36
MAX_ACTION = 64
MAX_ERROR_CODE = 64
MAX_ERROR_DESCRIPTION = 1024

cdef Py_ssize_t _MAX_MESSAGE_ID = MAX_MESSAGE_ID
cdef Py_ssize_t _MAX_ACTION = MAX_ACTION
cdef Py_ssize_t _MAX_ERROR_CODE = MAX_ERROR_CODE
cdef Py_ssize_t _MAX_ERROR_DESCRIPTION = MAX_ERROR_DESCRIPTION

cdef enum:
    CALL = 2
    CALL_RESULT = 3
    CALL_ERROR = 4
    CALL_RESULT_ERROR = 5
    SEND = 6


class FrameDefect(ValueError):
    """A text that is no OCPP-J message. `code` is the 2.x error code, `message_id` "-1" when it could not be read."""

    def __init__(self, str code, str description, str message_id="-1", int message_type=0):
        super().__init__(description)
        self.code = code
        self.message_id = message_id
        self.message_type = message_type


cdef class Frame:
    """A scanned frame; `payload` is a view into the frame's bytes."""

    def __repr__(self):
        return f"Frame({self.message_type}, {self.message_id!r}, {self.action!r}, {len(self.payload)} bytes)"


cdef inline void skip_space(Cursor* cursor) noexcept nogil:
    cdef unsigned char c
    while cursor.at < cursor.end:
        c = cursor.data[cursor.at]
        if c != 32 and c != 10 and c != 13 and c != 9:
            return
        cursor.at += 1


cdef inline bint take(Cursor* cursor, unsigned char wanted) noexcept nogil:
    skip_space(cursor)
    if cursor.at < cursor.end and cursor.data[cursor.at] == wanted:
        cursor.at += 1
        return True
    return False


cdef str take_string(Cursor* cursor, Py_ssize_t limit):
    """The JSON string at the cursor; None when there is none, or a longer one than `limit` bytes."""
    cdef Py_ssize_t start
    cdef unsigned char c
    cdef bint escaped = False
    if not take(cursor, b'"'):
        return None
    start = cursor.at
    while cursor.at < cursor.end:
        c = cursor.data[cursor.at]
        if c == b'"':
            break
        if c < 32 or cursor.at - start > limit * 12:
            return None
        if c == b'\\':
            escaped = True
            cursor.at += 1
        cursor.at += 1
    if cursor.at >= cursor.end:
        return None
    cursor.at += 1
    try:
        text = PyUnicode_DecodeUTF8(<const char*> cursor.data + start, cursor.at - 1 - start, NULL)
        if escaped:
            text = _loads('"' + text + '"')
            text.encode()
    except ValueError:
        return None
    return text if len(text) <= limit else None


cdef int take_type(Cursor* cursor) noexcept nogil:
    """The message type; -1 when there is no short positive integer."""
    cdef int value = 0
    cdef Py_ssize_t start
    skip_space(cursor)
    start = cursor.at
    while cursor.at < cursor.end and 48 <= cursor.data[cursor.at] <= 57 and cursor.at - start < 6:
        value = value * 10 + (cursor.data[cursor.at] - 48)
        cursor.at += 1
    if cursor.at == start or (cursor.data[start] == 48 and cursor.at > start + 1):
        return -1
    return value


cdef bint trim_end(Cursor* cursor) noexcept nogil:
    """Move the end before the closing bracket of the envelope."""
    cdef unsigned char c
    while cursor.end > cursor.at:
        c = cursor.data[cursor.end - 1]
        if c == 32 or c == 10 or c == 13 or c == 9:
            cursor.end -= 1
            continue
        if c != b']':
            return False
        cursor.end -= 1
        break
    while cursor.end > cursor.at:
        c = cursor.data[cursor.end - 1]
        if c != 32 and c != 10 and c != 13 and c != 9:
            return True
        cursor.end -= 1
    return False


def scan(bytes frame not None):
    """Read the envelope of a frame; raises FrameDefect."""
    cdef Cursor cursor
    cdef Frame found
    cdef int message_type
    cdef str message_id
    cursor.data = <const unsigned char*> PyBytes_AS_STRING(frame)
    cursor.at = 0
    cursor.end = PyBytes_GET_SIZE(frame)
    if not take(&cursor, b'['):
        raise FrameDefect("RpcFrameworkError", "the message is not a JSON array")
    message_type = take_type(&cursor)
    if message_type < 0 or not take(&cursor, b','):
        raise FrameDefect("RpcFrameworkError", "the message type cannot be read")
    message_id = take_string(&cursor, _MAX_MESSAGE_ID)
    if message_id is None:
        raise FrameDefect(
            "RpcFrameworkError", f"the message id cannot be read, or has more than {MAX_MESSAGE_ID} characters",
            "-1", message_type,
        )
    if message_type < CALL or message_type > SEND:
        raise FrameDefect(
            "MessageTypeNotSupported", f"message type {message_type} is not known", message_id, message_type
        )
    found = Frame.__new__(Frame)
    found.message_type = message_type
    found.message_id = message_id
    found.action = found.error_code = found.error_description = ""
    if not take(&cursor, b','):
        raise FrameDefect("RpcFrameworkError", "the message ends after its id", message_id, message_type)
    take_head(&cursor, found)
    if not trim_end(&cursor):
        raise FrameDefect("FormatViolation", "the message does not end as a JSON array", message_id, message_type)
    skip_space(&cursor)
    if cursor.at >= cursor.end or cursor.data[cursor.at] != b'{' or cursor.data[cursor.end - 1] != b'}':
        raise FrameDefect("FormatViolation", "the payload is not a JSON object", message_id, message_type)
    found.payload = PyMemoryView_FromObject(frame)[cursor.at:cursor.end]
    return found


cdef int take_head(Cursor* cursor, Frame found) except -1:
    """What stands between message id and payload: the action, or error code and description."""
    cdef str text
    if found.message_type == CALL or found.message_type == SEND:
        text = take_string(cursor, _MAX_ACTION)
        if text is None or not take(cursor, b','):
            raise FrameDefect(
                "RpcFrameworkError", "the action cannot be read", found.message_id, found.message_type
            )
        found.action = text
    elif found.message_type == CALL_ERROR or found.message_type == CALL_RESULT_ERROR:
        text = take_string(cursor, _MAX_ERROR_CODE)
        if text is None or not take(cursor, b','):
            raise FrameDefect(
                "RpcFrameworkError", "the error code cannot be read", found.message_id, found.message_type
            )
        found.error_code = text
        text = take_string(cursor, _MAX_ERROR_DESCRIPTION)
        if text is None or not take(cursor, b','):
            raise FrameDefect(
                "RpcFrameworkError", "the error description cannot be read", found.message_id, found.message_type
            )
        found.error_description = text
    return 0


def needs_exact_look(payload not None):
    """Whether a payload holds something that the typed decoder alone may judge wrongly.

    That is: null, customData, an escape that may spell either, or a date-time in a form that decoders take and RFC 3339
    does not (a space in place of T, an offset without a colon).
    """
    cdef const unsigned char[::1] view = payload
    cdef Py_ssize_t size = view.shape[0]
    cdef const unsigned char* data
    if size == 0:
        return False
    data = &view[0]
    if memmem(data, <size_t> size, b"null", 4) or memmem(data, <size_t> size, b'"customData"', 12) or memmem(data, <size_t> size, b"\\u", 2):
        return True
    return has_loose_time(data, size)


cdef bint has_loose_time(const unsigned char* data, Py_ssize_t size) noexcept nogil:
    cdef const unsigned char* end = data + size
    cdef const unsigned char* at = data
    while True:
        at = <const unsigned char*> memchr(at, 32, <size_t> (end - at))
        if at == NULL:
            break
        if at - data >= 4 and end - at > 2 and is_digit((at - 1)[0]) and is_digit((at - 2)[0]) and (at - 3)[0] == b"-" and is_digit(at[1]):
            return True
        at += 1
    return has_bare_offset(data, end, b'+') or has_bare_offset(data, end, b'-')


cdef bint has_bare_offset(const unsigned char* data, const unsigned char* end, unsigned char sign) noexcept nogil:
    cdef const unsigned char* at = data
    while True:
        at = <const unsigned char*> memchr(at, sign, <size_t> (end - at))
        if at == NULL or end - at < 6:
            return False
        if at[5] == b'"' and is_digit(at[1]) and is_digit(at[2]) and is_digit(at[3]) and is_digit(at[4]):
            return True
        at += 1


cdef inline bint is_digit(unsigned char c) noexcept nogil:
    return 48 <= c <= 57


cdef bytes enveloped(bytes head, bytes payload):
    """head + payload + "]" in one allocation."""
    cdef Py_ssize_t before = PyBytes_GET_SIZE(head)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(payload)
    cdef bytes frame = PyBytes_FromStringAndSize(NULL, before + size + 1)
    cdef char* out = PyBytes_AS_STRING(frame)
    memcpy(out, PyBytes_AS_STRING(head), <size_t> before)
    memcpy(out + before, PyBytes_AS_STRING(payload), <size_t> size)
    out[before + size] = b']'
    return frame


def call(str message_id not None, str action not None, bytes payload not None):
    """The frame of a CALL."""
    return enveloped(b'[2,' + _encode(message_id) + b',"' + action.encode() + b'",', payload)


def result(str message_id not None, bytes payload not None):
    """The frame of a CALLRESULT."""
    return enveloped(b'[3,' + _encode(message_id) + b',', payload)


def send(str message_id not None, str action not None, bytes payload not None):
    """The frame of a SEND (2.1)."""
    return enveloped(b'[6,' + _encode(message_id) + b',"' + action.encode() + b'",', payload)


def error(str message_id not None, str code not None, str description not None, bytes details=b"{}"):
    """The frame of a CALLERROR."""
    head = b'[4,' + _encode(message_id) + b',' + _encode(code) + b',' + _encode(description) + b','
    return enveloped(head, details)


def result_error(str message_id not None, str code not None, str description not None, bytes details=b"{}"):
    """The frame of a CALLRESULTERROR (2.1)."""
    head = b'[5,' + _encode(message_id) + b',' + _encode(code) + b',' + _encode(description) + b','
    return enveloped(head, details)
