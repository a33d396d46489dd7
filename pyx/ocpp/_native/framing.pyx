"""OCPP-J envelopes: scanned without touching the payload, and put around a payload without copying it twice.

The scanner reads message type, id and action and notes where the payload lies; whether the payload is JSON, and valid,
is the decoder's business. See OCPP-J section 4 of each version.
"""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.memoryview cimport PyMemoryView_FromObject
from cpython.unicode cimport PyUnicode_DecodeASCII, PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcmp, memcpy

from json import loads as _loads
from msgspec.json import encode as _encode

cdef extern from "string.h" nogil:
    void* memmem(const void* haystack, size_t haystacklen, const void* needle, size_t needlelen)

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

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

cdef enum:
    BLOCK = 64  # a constant count lets the C compiler look at many bytes at once
    PIECE = 16  # the same for short texts
    AHEAD = 5  # how far behind a sign is looked


class FrameDefect(ValueError):
    """A text that is no OCPP-J message. `code` is the 2.x error code, `message_id` "-1" when it could not be read."""

    def __init__(self, str code, str description, str message_id="-1", int message_type=0):
        super().__init__(description)
        self.code = code
        self.message_id = message_id
        self.message_type = message_type


cdef class Defect:
    """What is wrong with a payload: code and text alone. The exception that told it would hold the frame in a circle."""

    def __init__(self, str code not None, str description not None):
        self.code = code
        self.description = description

    def __str__(self):
        return f"{self.code}: {self.description}"


@cython.freelist(8)
cdef class Frame:
    """A scanned frame; as a buffer, it is its payload."""

    @property
    def payload(self):
        """A view into the frame's bytes."""
        return PyMemoryView_FromObject(self.data)[self.start:self.start + self.size]

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, PyBytes_AS_STRING(self.data) + self.start, self.size, 1, flags)

    def __repr__(self):
        return f"Frame({self.message_type}, {self.message_id!r}, {self.action!r}, {self.size} bytes)"


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


cdef Py_ssize_t plain_text(const unsigned char* start, Py_ssize_t room) noexcept nogil:
    """How many bytes stand before the closing quote; -1 when one of them is no plain ASCII, or there is no quote."""
    cdef const unsigned char* quote
    cdef Py_ssize_t size
    if room <= 0:
        return -1
    quote = <const unsigned char*> memchr(start, b'"', <size_t> room)
    if quote == NULL:
        return -1
    size = quote - start
    return size if is_plain(start, size) else -1


cdef inline bint is_plain(const unsigned char* text, Py_ssize_t size) noexcept nogil:
    """Whether a text goes between quotes as it is."""
    cdef Py_ssize_t at = 0, i
    cdef const unsigned char* block
    cdef unsigned char other = 0
    while size - at >= PIECE:
        block = text + at
        for i in range(PIECE):
            other |= (block[i] < 32) | (block[i] == 34) | (block[i] == 92) | (block[i] > 126)
        at += PIECE
    while at < size:
        other |= (text[at] < 32) | (text[at] == 34) | (text[at] == 92) | (text[at] > 126)
        at += 1
    return other == 0


cdef str take_string(Cursor* cursor, Py_ssize_t limit):
    """The JSON string at the cursor; None when there is none, or a longer one than `limit` characters."""
    cdef Py_ssize_t size, room
    if not take(cursor, b'"'):
        return None
    room = min(cursor.end - cursor.at, limit + 1)
    size = plain_text(cursor.data + cursor.at, room)
    if size < 0:
        return take_any_string(cursor, limit)
    cursor.at += size + 1
    return PyUnicode_DecodeASCII(<const char*> cursor.data + cursor.at - size - 1, size, NULL)


cdef str take_any_string(Cursor* cursor, Py_ssize_t limit):
    """What `take_string` does behind the opening quote, for texts with escapes and beyond ASCII."""
    cdef Py_ssize_t start = cursor.at
    cdef unsigned char c
    cdef bint escaped = False
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
    return scan_frame(frame, True)


cdef Frame scan_frame(bytes frame, bint by_letter):
    """`scan`; not `by_letter`, an action in plain ASCII is only noted by its place, not made a str, and the payload of a
    message may be null.
    """
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
    found.data = frame
    found.message_type = message_type
    found.message_id = message_id
    found.action = found.error_code = found.error_description = ""
    if not take(&cursor, b','):
        raise FrameDefect("RpcFrameworkError", "the message ends after its id", message_id, message_type)
    if by_letter or not note_action(&cursor, found):
        take_head(&cursor, found)
    if not trim_end(&cursor):
        raise FrameDefect("FormatViolation", "the message does not end as a JSON array", message_id, message_type)
    skip_space(&cursor)
    if cursor.at >= cursor.end or cursor.data[cursor.at] != b'{' or cursor.data[cursor.end - 1] != b'}':
        if not by_letter and is_null(&cursor) and (message_type == CALL or message_type == SEND):
            return without_payload(found)
        raise FrameDefect("FormatViolation", "the payload is not a JSON object", message_id, message_type)
    found.start = cursor.at
    found.size = cursor.end - cursor.at
    return found


cdef bint is_null(Cursor* cursor) noexcept nogil:
    return cursor.end - cursor.at == 4 and memcmp(cursor.data + cursor.at, b"null", 4) == 0


cdef Frame without_payload(Frame found):
    """A message whose payload is null has an empty one: there is nothing else that it could mean."""
    found.data, found.start, found.size = b"{}", 0, 2
    return found


cdef bint note_action(Cursor* cursor, Frame found) noexcept:
    """Note where the action of a CALL or SEND stands; False, with nothing taken, when it must be read as any text."""
    cdef Cursor ahead = cursor[0]
    cdef Py_ssize_t start, size
    if (found.message_type != CALL and found.message_type != SEND) or not take(&ahead, b'"'):
        return False
    start = ahead.at
    size = plain_text(ahead.data + start, min(ahead.end - start, _MAX_ACTION + 1))
    if size < 0:
        return False
    ahead.at += size + 1
    if not take(&ahead, b','):
        return False
    found.action_start = start
    found.action_size = size
    cursor.at = ahead.at
    return True


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


def has_loose_time(payload not None):
    """Whether a payload may hold a date-time in a form that decoders take and RFC 3339 does not.

    That is: a space in place of T, an offset without a colon, or an escape that may spell either.
    """
    cdef const unsigned char[::1] view = payload
    return view.shape[0] > 0 and loose_time(&view[0], view.shape[0])


cdef bint loose_time(const unsigned char* data, Py_ssize_t size) noexcept nogil:
    """`has_loose_time`, a block at a time: what a block cannot rule out is looked at byte by byte."""
    cdef Py_ssize_t at = 0, i
    cdef const unsigned char* block
    cdef unsigned char suspect
    if memchr(data, 92, <size_t> size) != NULL and memmem(data, <size_t> size, b"\\u", 2) != NULL:
        return True
    while size - at >= BLOCK + AHEAD:
        block = data + at
        suspect = 0
        for i in range(BLOCK):
            suspect |= (
                (block[i] == 45) & (block[i + 3] == 32) | ((block[i] == 45) | (block[i] == 43)) & (block[i + 5] == 34)
            )
        if suspect and loose_time_from(data, at, at + BLOCK, size):
            return True
        at += BLOCK
    return loose_time_from(data, at, size, size)


cdef bint loose_time_from(const unsigned char* data, Py_ssize_t at, Py_ssize_t end, Py_ssize_t size) noexcept nogil:
    """Whether a sign in data[at:end] stands before a day and a space, or before an offset without a colon."""
    while at < end and size - at > 4:
        if data[at] == 45 or data[at] == 43:
            if (
                data[at] == 45 and data[at + 3] == 32
                and is_digit(data[at + 1]) and is_digit(data[at + 2]) and is_digit(data[at + 4])
            ):
                return True
            if (
                size - at > 5 and data[at + 5] == 34 and is_digit(data[at + 1]) and is_digit(data[at + 2])
                and is_digit(data[at + 3]) and is_digit(data[at + 4])
            ):
                return True
        at += 1
    return False


cdef inline bint is_digit(unsigned char c) noexcept nogil:
    return 48 <= c <= 57


cdef inline Py_ssize_t put(char* out, Py_ssize_t at, const char* piece, Py_ssize_t size) noexcept nogil:
    memcpy(out + at, piece, <size_t> size)
    return at + size


cdef bytes enveloped(char kind, str message_id, str action, bytes payload):
    """A frame of that message type: id, action (None: it has none) and payload, in one allocation."""
    cdef Py_ssize_t id_size = 0, action_size = 0, at
    cdef const char* id_text = PyUnicode_AsUTF8AndSize(message_id, &id_size)
    cdef const char* action_text = NULL
    cdef bytes coded = None
    cdef bytes frame
    cdef char* out
    if action is not None:
        action_text = PyUnicode_AsUTF8AndSize(action, &action_size)
    if not is_plain(<const unsigned char*> id_text, id_size):
        coded = _encode(message_id)
        id_text, id_size = PyBytes_AS_STRING(coded) + 1, PyBytes_GET_SIZE(coded) - 2
    at = id_size + PyBytes_GET_SIZE(payload) + 7  # two brackets, the type, two commas, two quotes
    frame = PyBytes_FromStringAndSize(NULL, at if action is None else at + action_size + 3)
    out = PyBytes_AS_STRING(frame)
    out[0], out[1], out[2], out[3] = b'[', kind, b',', b'"'
    at = put(out, put(out, 4, id_text, id_size), '",', 2)
    if action is not None:
        at = put(out, put(out, put(out, at, '"', 1), action_text, action_size), '",', 2)
    at = put(out, at, PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload))
    out[at] = b']'
    return frame


cdef bytes call_frame(str message_id, str action, bytes payload):
    return enveloped(b'2', message_id, action, payload)


cdef bytes result_frame(str message_id, bytes payload):
    return enveloped(b'3', message_id, None, payload)


cdef bytes send_frame(str message_id, str action, bytes payload):
    return enveloped(b'6', message_id, action, payload)


def call(str message_id not None, str action not None, bytes payload not None):
    """The frame of a CALL."""
    return call_frame(message_id, action, payload)


def result(str message_id not None, bytes payload not None):
    """The frame of a CALLRESULT."""
    return result_frame(message_id, payload)


def send(str message_id not None, str action not None, bytes payload not None):
    """The frame of a SEND (2.1)."""
    return send_frame(message_id, action, payload)


def error(str message_id not None, str code not None, str description not None, bytes details=b"{}"):
    """The frame of a CALLERROR."""
    return enveloped(b'4', message_id, None, _encode(code) + b',' + _encode(description) + b',' + details)


def result_error(str message_id not None, str code not None, str description not None, bytes details=b"{}"):
    """The frame of a CALLRESULTERROR (2.1)."""
    return enveloped(b'5', message_id, None, _encode(code) + b',' + _encode(description) + b',' + details)
